"""Assumptions at their ends, and their Sobol indices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_tables import clipped, table, words

from dse.errors import InputError
from dse.figures.tornado import MOST_BARS, draw_tornado, tornado_data

OBJECTIVE = "tokens_per_s_per_usd"
NAMES = ("cost.process.wafer_usd", "latency.hbm_share", "start-up of links",
         *(f"cost.link.c{place}_mm2" for place in range(10)))
INTERVALS = [
    {"key": NAMES[0], "unknown": NAMES[0], "meaning": "price of a wafer", "low": 9e3, "base": 9.5e3, "high": 1.6e4},
    {"key": NAMES[1], "unknown": NAMES[1], "meaning": "share of the HBM", "low": 0.6, "base": 0.8, "high": 0.9},
    {"key": "latency.one_us", "unknown": NAMES[2], "meaning": "one", "low": 1.0, "base": 2.0, "high": 3.0},
    {"key": "latency.two_us", "unknown": NAMES[2], "meaning": "two", "low": 1.0, "base": 2.0, "high": 3.0},
    *({"key": name, "unknown": name, "meaning": f"area {name[-6:]}", "low": 0.0, "base": 1.0, "high": 2.0}
      for name in NAMES[3:])]


def influences(techniques: tuple[str, ...] = ("none", "preserve"), model: str = "llama3_70b") -> dict[str, np.ndarray]:
    rows: list[dict[str, Any]] = []
    for technique in techniques:
        for place, name in enumerate(NAMES):
            rows.append({"model": model, "technique": technique, "quantity": "gain", "assumption": name,
                         "first_order": 0.3 / (1 + place), "first_order_error": 0.01, "total": 0.5 / (1 + place),
                         "total_error": 0.02, "at_low": 1.1 - 0.01 * place, "at_base": 1.2, "at_high": 1.25})
    return table(rows[::-1])


def test_bars_are_the_most_influential_of_the_technique_first() -> None:
    data = tornado_data(influences(), "gain", INTERVALS, OBJECTIVE)
    assert data.technique == "preserve"
    assert data.base == 1.2
    assert len(data.bars) == MOST_BARS
    assert data.left_out == len(NAMES) - MOST_BARS
    first = data.bars[0]
    assert (first.name, first.interval) == ("Price of a wafer", "wafer_usd: 9,000 – 9,500 – 16,000")
    assert (first.low, first.high, first.total) == (1.1, 1.25, 0.5)
    assert (data.bars[2].name, data.bars[2].interval) == ("Start-up of links", "2 constants that move together")


def test_without_a_technique_the_reference_is_shown() -> None:
    assert tornado_data(influences(("none",)), "gain", INTERVALS, OBJECTIVE).technique == "none"


def test_several_situations_unknown_quantities_and_lost_indices_are_refused() -> None:
    two = {key: np.concatenate([values, influences(model="qwen2_7b")[key]]) for key, values in influences().items()}
    with pytest.raises(InputError, match="model varies and a tornado shows one situation"):
        tornado_data(two, "gain", INTERVALS, OBJECTIVE, ("model",))
    with pytest.raises(InputError, match="no quantity beauty: it must be one of gain"):
        tornado_data(influences(), "beauty", INTERVALS, OBJECTIVE)
    lost = {**influences(), "total": np.full(2 * len(NAMES), np.nan)}
    with pytest.raises(InputError, match="gain has no indices"):
        tornado_data(lost, "gain", INTERVALS, OBJECTIVE)


def test_the_drawing_names_what_it_shows_and_is_not_cut_off() -> None:
    figure = draw_tornado(tornado_data(influences(), "gain", INTERVALS, OBJECTIVE), "Llama3-70B")
    text = words(figure)
    for said in ("Llama3-70B", "Price of a wafer", "low end", "high end", "base", "total ± standard error",
                 "first order", "Best throughput per cost, with PRESERVE over\nwithout", "not shown: 3 assumptions"):
        assert said in text, said
    assert not clipped(figure)
    left, right = figure.axes
    assert [round(bar.get_width(), 6) for bar in right.patches][:2] == [0.5, 0.25]
    assert [round(bar.get_width(), 6) for bar in left.patches][:2] == [-0.1, 0.05]
