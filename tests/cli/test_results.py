"""The bests and fronts of a table are those of each situation and technique looked at alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from dse.cli.results import best, front_rows
from dse.grid.pareto import pareto_mask
from dse.grid.table import Columns

AXES = ("traffic.prompt_tokens", "hardware.l2_mib", "model")


def table(rows: int, seed: int) -> Columns:
    """A table with few different numbers, so that many rows tie, and situations that do not stand together."""
    draw = np.random.default_rng(seed)
    return {"traffic.prompt_tokens": draw.integers(1, 5, rows), "hardware.l2_mib": np.arange(rows),
            "model": draw.choice(["b", "a"], rows), "technique": draw.choice(["preserve", "none", "other"], rows),
            "throughput_tokens_per_s": draw.integers(1, 5, rows) / 4.0, "group_usd": draw.integers(1, 5, rows) / 8.0,
            "tpot_s": draw.integers(1, 4, rows) / 8.0, "feasible": draw.integers(0, 2, rows).astype(float)}


def alone(found: Columns) -> list[np.ndarray[Any, Any]]:
    """The rows of each situation, as they first appear."""
    names = list(zip(found["traffic.prompt_tokens"].tolist(), found["model"].tolist(), strict=True))
    return [np.array([place for place, own in enumerate(names) if own == name]) for name in dict.fromkeys(names)]


def test_bests_are_the_first_of_the_least_in_each_situation() -> None:
    for seed in range(20):
        found = table(60, seed)
        expected = []
        for own in alone(found):
            for technique in dict.fromkeys(found["technique"].tolist()):
                rows = [place for place in own.tolist()
                        if found["technique"][place] == technique and found["feasible"][place]]
                if rows:
                    expected.append(min(rows, key=lambda place: found["tpot_s"][place]))  # the first of equal ones
        assert [row["hardware.l2_mib"] for row in best(found, "tpot_s", AXES)] == expected


def test_a_best_is_its_whole_row() -> None:
    """Two rows of one situation; 0.25 s is less than 0.5 s."""
    found: Columns = {"model": np.array(["a", "a"]), "technique": np.array(["none", "none"], dtype=object),
                      "tpot_s": np.array([0.5, 0.25]), "feasible": np.ones(2)}
    assert best(found, "tpot_s", ("model",)) == [{"model": "a", "technique": "none", "tpot_s": 0.25, "feasible": 1.0}]


def test_fronts_are_those_of_each_situation_by_price() -> None:
    for seed in range(20):
        found = table(200, seed)
        expected: list[int] = []
        for own in alone(found):
            points = np.stack([-found["throughput_tokens_per_s"][own], found["group_usd"][own]])
            front = own[pareto_mask(points, found["feasible"][own] > 0.0)]
            expected += front[np.argsort(found["group_usd"][front], kind="stable")].tolist()
        assert front_rows(found, AXES).tolist() == expected
