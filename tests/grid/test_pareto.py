"""Pareto fronts against brute force, with ties, duplicates, NaN, infinities and infeasible points."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.grid import pairs, pareto
from dse.grid.pareto import pareto_mask

VALUES = st.sampled_from((0.0, -0.0, 1.0, 2.0, 3.0, -1.5, math.inf, -math.inf, math.nan))


@st.composite
def points(draw: st.DrawFn) -> npt.NDArray[np.float64]:
    objectives, count = draw(st.integers(1, 4)), draw(st.integers(0, 40))
    value = draw(st.sampled_from((VALUES, st.floats(-10.0, 10.0), st.integers(0, 3).map(float))))
    return np.array(draw(st.lists(value, min_size=objectives * count, max_size=objectives * count))).reshape(
        objectives, count)


def brute_force(objectives: npt.NDArray[np.float64], feasible: npt.NDArray[np.bool_]) -> list[bool]:
    columns = [tuple(column) if allowed and not any(math.isnan(value) for value in column) else None
               for column, allowed in zip(objectives.T.tolist(), feasible.tolist(), strict=True)]

    def beaten(place: int, by: int) -> bool:
        mine, other = columns[place], columns[by]
        if mine is None or other is None:
            return mine is None
        no_worse = all(one <= two for one, two in zip(other, mine, strict=True))
        return no_worse and (other != mine or by < place)

    return [columns[place] is not None and not any(beaten(place, by) for by in range(len(columns)))
            for place in range(len(columns))]


@given(points(), st.randoms(use_true_random=False))
def test_front_is_that_of_brute_force(objectives: npt.NDArray[np.float64], draw: st.RandomsT) -> None:
    feasible = np.array([draw.random() < 0.8 for _ in range(objectives.shape[1])], dtype=bool)
    assert pareto_mask(objectives, feasible).tolist() == brute_force(objectives, feasible)


@pytest.mark.parametrize("steps", [2, 5, 30, 10**9])
@pytest.mark.parametrize("seed", range(10))
def test_the_staircase_finds_what_brute_force_finds(steps: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pareto, "FEWEST_SWEPT", 0)
    values = np.random.default_rng(seed).integers(0, steps, (3, 120)).astype(float)
    assert pareto_mask(values).tolist() == brute_force(values, np.ones(120, dtype=bool))


@pytest.mark.parametrize("levels", [1, 3, 50, 4000, 10**6])
def test_a_long_staircase_is_what_moocore_finds(levels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps so far apart that words of every level of bits are empty between them, and levels shared by many points."""
    draw = np.random.default_rng(levels)
    values = draw.normal(size=(3, 300_000))
    values /= -np.linalg.norm(values, axis=0) * np.sign(values)
    values[1] = np.round(values[1] * levels) / levels
    found = pareto_mask(values)
    monkeypatch.setattr(pareto, "FEWEST_SWEPT", 10**9)
    assert (found == pareto_mask(values)).all()
    assert found.any()


@pytest.mark.parametrize("shape", ["even", "falling", "few values", "same bits", "one"])
@pytest.mark.parametrize("rare", [False, True])
def test_many_points_with_two_objectives(shape: str, rare: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, count = np.random.default_rng(5), 40_000
    first = draw.random(count)
    values = {"even": np.stack([first, draw.random(count)]), "falling": np.stack([first, -first]),
              "few values": np.stack([np.round(first * 500), -np.round(first * 700)]),
              "same bits": 1.0 + np.stack([np.round(first * 15000), -np.round(first * 9000)]) * 2.0**-52,
              "one": np.full((2, count), 1.0)}[shape]
    feasible = np.ones(count, dtype=bool)
    if rare:
        values[:, draw.integers(0, count, 50)] = np.nan
        values[0, draw.integers(0, count, 50)] = -np.inf
        values[1, draw.integers(0, count, 50)] = np.inf
        values[:, draw.integers(0, count, 50)] = -0.0
        feasible = draw.random(count) < 0.7
    monkeypatch.setattr(pairs, "MOST_TIES", 1.0)
    found = pareto_mask(values, feasible)
    directly = pairs.pairs_mask(values, feasible)
    monkeypatch.setattr(pareto, "FEWEST_FILTERED", 10**9)
    expected = pareto_mask(values, feasible)
    assert (found == expected).all()
    assert directly is not None
    assert (directly == expected).all()
    assert expected.any()


@given(points().filter(lambda one: len(one) == 2))
def test_pairs_are_those_of_brute_force(objectives: npt.NDArray[np.float64]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "MOST_TIES", 1.0)
        found = pairs.pairs_mask(objectives, None)
    assert found is not None
    assert found.tolist() == brute_force(objectives, np.ones(objectives.shape[1], dtype=bool))


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("steps", [3, 40, 10**9])
def test_the_filter_loses_nothing(objectives: int, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(objectives)
    values = draw.integers(0, steps, (objectives, 30_000)).astype(float)
    filtered = pareto_mask(values)
    monkeypatch.setattr(pareto, "FEWEST_FILTERED", 10**9)
    assert filtered.tolist() == pareto_mask(values).tolist()
    assert filtered.any()


def test_by_hand() -> None:
    # (1, 4) and (3, 1) are best in one; (2, 2) lies between; (2, 3) loses to (2, 2); the second (1, 4) comes later.
    objectives = np.array([[1.0, 2.0, 3.0, 2.0, 1.0], [4.0, 2.0, 1.0, 3.0, 4.0]])
    assert pareto_mask(objectives).tolist() == [True, True, True, False, False]
    # without (2, 2), (2, 3) is in: nothing else is at most 2 and at most 3
    assert pareto_mask(objectives, np.array([1, 0, 1, 1, 1], dtype=bool)).tolist() == [True, False, True, True, False]


@pytest.mark.parametrize("objectives", [0, 5])
def test_a_number_of_objectives_that_is_refused(objectives: int) -> None:
    with pytest.raises(InputError, match=f"objectives={objectives} is not allowed: a Pareto front takes 1 to 4"):
        pareto_mask(np.zeros((objectives, 3)))
