"""Loops do compiled what they do in Python, and what they cannot take is named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
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


def early(x: float) -> float:
    """Not allowed."""
    if x > 0.0:
        return x
    return -x


def mixed(x: float, n: int) -> float:
    """Not allowed."""
    return x + n


def divided(x: float) -> float:
    """Not allowed: it may be by zero, which Python refuses."""
    return 1.0 / x


def listed(x: float) -> float:
    """Not allowed."""
    return sum([x, x])


def retyped(x: float) -> float:
    """Not allowed."""
    y = 1
    y = x
    return float(y)


def foreign(x: float) -> float:
    """Not allowed."""
    return np.sqrt(x)


def backwards(n: int) -> int:
    """Not allowed."""
    total = 0
    for one in range(n, 0, -1):
        total += one
    return total


def unknown(x: float) -> float:
    """Not allowed."""
    return float(math.floor(x))


def no_array(n: int) -> int:
    """Not allowed."""
    return n[0]  # type: ignore[index]


@pytest.mark.parametrize(("function", "what"), [
    (early, "Return"), (mixed, "i64 in the place of double"), (divided, "Div of double"), (listed, "List"),
    (retyped, "double in the place of i64"), (foreign, "Call"), (unknown, "Call"),
    (no_array, "an element of what is no array"), (backwards, "a range whose step is no positive constant")])
def test_what_cannot_be_compiled_is_named(function: Callable[..., Any], what: str) -> None:
    arguments = {mixed: (1.0, 1), no_array: (1,), backwards: (1,)}.get(function, (1.0,))
    with pytest.raises(TypeError, match=f"test_loops.{function.__name__}, line [0-9]+: {what} cannot be compiled"):
        compiled(function)(*arguments)


def named(words: str) -> None:
    """Not allowed."""


def test_types_that_have_no_place_in_a_loop() -> None:
    with pytest.raises(TypeError, match=r"test_loops.named: str cannot be compiled, only int, float, .*, TruthLanes"):
        compiled(named)
