"""Pareto fronts against brute force, with ties, duplicates, NaN, infinities and infeasible points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from grid.fronts import brute_force, points
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.grid import pareto
from dse.grid.pareto import front_places, pareto_mask


@given(points(), st.randoms(use_true_random=False))
def test_front_is_that_of_brute_force(objectives: npt.NDArray[np.float64], draw: st.RandomsT) -> None:
    feasible = np.array([draw.random() < 0.8 for _ in range(objectives.shape[1])], dtype=bool)
    assert pareto_mask(objectives, feasible).tolist() == brute_force(objectives, feasible)


def test_front_places_are_those_of_the_mask() -> None:
    values = np.random.default_rng(0).random((3, 500))
    assert front_places(values).tolist() == np.flatnonzero(pareto_mask(values)).tolist()


@pytest.mark.parametrize("shape", ["even", "falling", "few values", "same bits", "one"])
@pytest.mark.parametrize("rare", [False, True])
@pytest.mark.parametrize("objectives", [2, 3])
def test_many_points_are_decided_as_few(objectives: int, shape: str, rare: bool,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """With the filter and compiled code, compiled code alone, and neither."""
    draw, count = np.random.default_rng(5), 40_000
    first = draw.random(count)
    values = {"even": np.stack([first, draw.random(count)]), "falling": np.stack([first, -first]),
              "few values": np.stack([np.round(first * 500), -np.round(first * 700)]),
              "same bits": 1.0 + np.stack([np.round(first * 15000), -np.round(first * 9000)]) * 2.0**-52,
              "one": np.full((2, count), 1.0)}[shape]
    values = np.concatenate([values, np.round(draw.random((objectives - 2, count)), 3)])
    feasible = np.ones(count, dtype=bool)
    if rare:
        values[:, draw.integers(0, count, 50)] = np.nan
        values[0, draw.integers(0, count, 50)] = -np.inf
        values[1, draw.integers(0, count, 50)] = np.inf
        values[:, draw.integers(0, count, 50)] = -0.0
        feasible = draw.random(count) < 0.7
    found = pareto_mask(values, feasible)
    monkeypatch.setattr(pareto, "FEWEST_FILTERED", 10**9)
    directly = pareto_mask(values, feasible)
    monkeypatch.setattr(pareto, "FEWEST_COMPILED", {})
    expected = pareto_mask(values, feasible)
    assert (found == expected).all()
    assert (directly == expected).all()
    assert expected.any()


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


@pytest.mark.parametrize("kind", ["int64", "float32", ">f8"])
@pytest.mark.parametrize("count", [100, 3000, 30_000])
@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_other_types_of_numbers(objectives: int, count: int, kind: str) -> None:
    values = np.random.default_rng(8).integers(0, 1000, (objectives, count)).astype(float)
    assert (pareto_mask(values.astype(kind)) == pareto_mask(values)).all()
    assert front_places(values.astype(kind)).tolist() == front_places(values).tolist()


@pytest.mark.parametrize("count", [10, 29_999])
def test_feasibility_of_other_points_is_refused(count: int) -> None:
    with pytest.raises(InputError, match=rf"feasible=\({count},\) is not allowed: it takes one for each of the 30000"):
        pareto_mask(np.zeros((2, 30_000)), np.ones(count, dtype=bool))
