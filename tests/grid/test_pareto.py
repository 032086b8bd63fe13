"""Pareto fronts against brute force, with ties, duplicates, NaN, infinities and infeasible points."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from designs import FEW
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.grid import pareto, staircase
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


@FEW
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


def test_a_staircase_that_grows_too_long_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(3, 5000))
    values /= -np.linalg.norm(values, axis=0) * np.sign(values)
    expected = pareto_mask(values)
    monkeypatch.setattr(staircase, "MOST_STEPS", 16)
    assert pareto_mask(values).tolist() == expected.tolist()
    assert expected.sum() > 4000


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
