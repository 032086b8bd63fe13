"""What loops cannot take is named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dse.grid.arrays import Numbers, first, number_lanes
from dse.grid.loops import compiled, module_text


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


def sometimes_set(n: int) -> int:
    """Not allowed."""
    if n > 3:
        total = n
    return total


def set_by_turns(n: int) -> int:
    """Not allowed: there may be no turn."""
    for one in range(n):
        total = one
    return total


def last(numbers: Numbers) -> float:
    """Not allowed: compiled places do not count from the end."""
    return numbers[-1]


def renamed(numbers: Numbers) -> float:
    """Not allowed."""
    same = numbers
    return same[0]


def endless(n: int) -> int:
    """Not allowed."""
    for one in range(0, n, 0):
        n = one
    return n


def far_shifted(n: int) -> int:
    """Not allowed: an integer has 64 bits."""
    return n >> 64


def too_large(n: int) -> int:
    """Not allowed."""
    return int(n < 9223372036854775808)


def least_lanes(numbers: Numbers) -> int:
    """Not allowed."""
    return first(min(number_lanes(numbers, 0), number_lanes(numbers, 1)) < 0.0)


@pytest.mark.parametrize(("function", "what"), [
    (sometimes_set, "total, which may not have been set,"), (set_by_turns, "total, which may not have been set,"),
    (last, "a place counted from the end"), (renamed, "an assignment of an array or of nothing"),
    (endless, "a range whose step is no positive constant"), (far_shifted, "a shift by 64"), (too_large, "Constant"),
    (least_lanes, "a call of min with .*"),
    (early, "Return"), (mixed, "i64 in the place of double"), (divided, "Div of double"), (listed, "List"),
    (retyped, "double in the place of i64"), (foreign, "Call"), (unknown, "Call"),
    (no_array, "an element of what is no array"), (backwards, "a range whose step is no positive constant")])
def test_what_cannot_be_compiled_is_named(function: Callable[..., Any], what: str) -> None:
    with pytest.raises(TypeError, match=f"refused.{function.__name__}, line [0-9]+: {what} cannot be compiled"):
        module_text(function)


def named(words: str) -> None:
    """Not allowed."""


def test_types_that_have_no_place_in_a_loop() -> None:
    with pytest.raises(TypeError, match=r"refused.named: str cannot be compiled, only int, float, .*, TruthLanes"):
        compiled(named)
