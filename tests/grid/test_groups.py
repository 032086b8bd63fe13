"""The best and the front of each group are those of the group on its own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.grid import groups
from dse.grid.groups import best_of_groups, fronts_of_groups, numbered
from dse.grid.pareto import pareto_mask

NUMBERS = st.sampled_from([-np.inf, -2.0, -0.0, 0.0, 1.0, 1.5, 3.0, np.inf, np.nan])
POINTS = st.lists(st.tuples(st.integers(0, 4), NUMBERS, NUMBERS, st.booleans()), max_size=60)


@given(POINTS)
def test_fronts_are_those_of_each_group_alone(points: list[tuple[int, float, float, bool]]) -> None:
    given_groups, first, second, feasible = (np.array([point[place] for point in points]) for place in range(4))
    codes, _ = numbered(given_groups)
    rows, allowed = np.array([first, second], dtype=float).reshape(2, len(points)), feasible.astype(bool)
    expected = []
    for code in range(int(codes.max(initial=-1)) + 1):
        own = np.flatnonzero(codes == code)
        expected += own[pareto_mask(rows[:, own], allowed[own])].tolist()
    assert fronts_of_groups(rows, allowed, codes).tolist() == sorted(expected)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(groups, "LARGE_GROUP", 0)
        assert fronts_of_groups(rows, allowed, codes).tolist() == sorted(expected)


@given(POINTS)
def test_bests_are_those_of_each_group_alone(points: list[tuple[int, float, float, bool]]) -> None:
    codes, _ = numbered(np.array([point[0] for point in points]))
    values = np.array([point[1] for point in points], dtype=float)
    expected = []
    for code in range(int(codes.max(initial=-1)) + 1):
        own = np.flatnonzero(codes == code)
        place = own[np.argmax(values[own])]
        expected += [int(place)] if np.isfinite(values[place]) else []
    assert best_of_groups(values, codes).tolist() == expected


def test_groups_are_numbered_as_they_appear() -> None:
    numbers, firsts = numbered(np.array(["b", "c", "b", "a", "c"]))
    assert numbers.tolist() == [0, 1, 0, 2, 1]
    assert firsts.tolist() == [0, 1, 3]


def test_equal_ones_are_decided_by_the_first_row() -> None:
    """Group 0 has rows 1, 3, 4 and group 1 rows 0, 2: 7 stands in rows 3 and 4, 5 in rows 0 and 2."""
    codes = np.array([1, 0, 1, 0, 0])
    assert best_of_groups(np.array([5.0, 2.0, 5.0, 7.0, 7.0]), codes).tolist() == [3, 0]
    points = np.array([[1.0, 2.0, 1.0, 1.0, 1.0], [4.0, 3.0, 4.0, 4.0, 4.0]])
    assert fronts_of_groups(points, np.ones(5, dtype=bool), codes).tolist() == [0, 1, 3]
