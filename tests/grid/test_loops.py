"""Loops do compiled what they do in Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dse.grid.arrays import (
    Bytes,
    IntegerLanes,
    Integers,
    NumberLanes,
    Numbers,
    ask_for,
    ask_to_write,
    bits,
    clipped,
    equal_lanes,
    first,
    integer_lanes,
    lane_numbers,
    number_lanes,
    put_lanes,
    put_those,
    replaced,
    some,
    truth_lanes,
)
from dse.grid.instructions import LANES
from dse.grid.loops import compiled

LIMIT = 5
HALF = 0.5
NUMBERS = st.one_of(st.floats(-100.0, 100.0), st.sampled_from((math.nan, math.inf, -math.inf, 0.0, -0.0)))


def smaller(left: int, right: int) -> int:
    """Called by another."""
    return min(left, right)


def steps(start: int, numbers: Numbers, counts: Integers, flags: Bytes) -> float:
    """Everything that is allowed of single numbers."""
    total = 0.0
    place = start
    while place < LIMIT and counts[place] >= 0:
        if numbers[place] > HALF:
            counts[place] += smaller(place, 3) << 2
            flags[place] = int(numbers[place] < 50.0) | 2
        else:
            counts[place] = -7 if numbers[place] != numbers[place] else counts[place] >> 1 ^ 1
        total += max(numbers[place], -1.0) if place != 2 and not numbers[place] <= 0.0 else float(flags[place])
        place += 1
    for other in range(2):
        for place in range(other, LIMIT, 2):
            total = total * HALF + numbers[place]
    return total


def lane_by_lane(numbers: Numbers, integers: Integers, flags: Bytes, low: int, by: float) -> int:
    """Everything that is allowed of lanes."""
    known = number_lanes(numbers, 1)
    where = ((known > by) | (known != known)) & (truth_lanes(flags, 0) ^ (lane_numbers() == 3))
    put_lanes(numbers, 1, replaced(where, by, known * 0.5 - equal_lanes(by)))
    ask_for(numbers, low)
    ask_to_write(flags, low)
    keys = (bits(known) >> 52 & 255) - low
    found = put_those(integers, 2, clipped(keys, low, 200) + integer_lanes(integers, 0), where)
    return found * 100 + first(known <= 0.0) * 10 + int(some(known == by))


def answers(function: Callable[..., Any], *arguments: Any) -> list[tuple[Any, ...]]:
    """What a function and what its machine code return and leave in the arrays."""
    found = []
    for one in (function, compiled(function)):
        own = [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in arguments]
        with np.errstate(all="ignore"):
            found.append((one(*own), *own))
    return found


@given(st.integers(0, LIMIT), st.lists(NUMBERS, min_size=7, max_size=7),
       st.lists(st.integers(-1, 100), min_size=7, max_size=7), st.lists(st.integers(0, 255), min_size=7, max_size=7))
def test_single_numbers(start: int, numbers: list[float], counts: list[int], flags: list[int]) -> None:
    plain, machine = answers(steps, start, np.array(numbers), np.array(counts), np.array(flags, dtype=np.uint8))
    assert all(np.array_equal(one, other, equal_nan=True) for one, other in zip(plain, machine, strict=True))


@given(st.lists(NUMBERS, min_size=LANES + 1, max_size=LANES + 1),
       st.lists(st.integers(0, 1), min_size=LANES, max_size=LANES), st.integers(-100, 100), st.floats(-100.0, 100.0))
def test_lanes(numbers: list[float], flags: list[int], low: int, by: float) -> None:
    plain, machine = answers(lane_by_lane, np.array(numbers), np.arange(2 * LANES), np.array(flags, dtype=np.uint8),
                             low, by)
    assert plain[0] == machine[0]
    written = slice(2 + plain[0] // 100)  # what follows is lost
    assert plain[2][written].tolist() == machine[2][written].tolist()
    assert np.array_equal(plain[1], machine[1], equal_nan=True)


def own_square(lanes: NumberLanes) -> NumberLanes:
    """Lanes go in and out of functions."""
    return lanes * lanes


def own_sum(numbers: Numbers, integers: IntegerLanes) -> None:
    """Called with what no array of the caller can be."""
    put_lanes(numbers, 0, own_square(number_lanes(numbers, 0)))
    numbers[0] = float(first(integers == 2))


def squared(numbers: Numbers) -> None:
    """Without an answer."""
    own_sum(numbers, lane_numbers())


def test_lanes_between_functions() -> None:
    numbers = np.arange(LANES) - 2.0
    assert compiled(squared)(numbers) is None
    assert numbers.tolist() == [2.0, *((place - 2.0) * (place - 2.0) for place in range(1, LANES))]


def counted(counts: Integers) -> int:
    """Counts in the first how often it is called."""
    counts[0] += 1
    return smaller(counts[0], LIMIT)


def added(counts: Integers, t1: int) -> bool:
    """The place of what is added to is worked out once, and before the rest."""
    counts[counted(counts)] += 10
    counts[counts[0]] += counted(counts) + t1
    return counts[0] > t1


@given(st.integers(-1, 300))
def test_adding_to_an_element(t1: int) -> None:
    plain, machine = answers(added, np.zeros(4, dtype=np.int64), t1)
    # called once: 10 to the second; called again, for 2 to the same one
    assert plain[1].tolist() == machine[1].tolist() == [2, 12 + t1, 0, 0]
    assert machine[0] is bool(plain[0])
