"""The reader takes the part of Python that the equations keep to, and names what it cannot take."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from dse.cost.die_yield import whole
from dse.grid.graph import Graph
from dse.grid.reader import leaves, result


class Pair(NamedTuple):
    """Two numbers."""

    first: float
    second: float


def branches(x: float, y: float) -> Pair:
    """Everything that is allowed at once."""
    low, high = min(x, y), max(x, y, 1.0)
    if low > 0.0 and not high > 100.0:
        part = math.sqrt(low) + float(math.ceil(high / 3.0))
        scale = 2.0
    else:
        part = -abs(low)
        scale = 0.5 if math.isinf(high) or x == y else 0.25
    chosen = Pair(part, scale) if x < y else Pair(scale, part)
    return Pair(chosen.first * math.pi, chosen.second - 1.0)


def loop_within_loop(x: float) -> float:
    """Not allowed."""
    total = 0.0
    while total < x:
        inner = 0.0
        while inner < x:
            inner = inner + 1.0
        total = total + inner
    return total


def early(x: float) -> float:
    """Not allowed."""
    if x > 0.0:
        return x
    return -x


def listed(x: float) -> float:
    """Not allowed."""
    return sum([x, x])


def power(x: float) -> float:
    """Not allowed: its last digit is not that of a product."""
    return float(x**3)


@pytest.mark.parametrize("x", [-2.0, 0.0, 0.5, 7.0, 250.0, math.inf])
@pytest.mark.parametrize("y", [-1.0, 0.5, 3.0, 99.0])
def test_constants_are_worked_out_as_python_does(x: float, y: float) -> None:
    graph = Graph()
    found = result(graph, branches, (graph.constant(x), graph.constant(y)))
    assert [graph.nodes[leaf].value for leaf in leaves(found)] == list(branches(x, y))


def test_equal_operations_are_one_node() -> None:
    graph = Graph()
    first, second = (result(graph, branches, (graph.input(0), graph.input(1))) for _ in range(2))
    assert first == second
    assert graph.depends[first.first] == 0b11


def called_last(x: float) -> float:
    """Each operation of its own comes after a call of another function."""
    return whole(x) + 1.0 if not whole(x) or whole(-x) > 3.0 else max(2.0, whole(x - 1.0))


def test_an_operation_is_of_the_function_that_asks_for_it() -> None:
    graph = Graph()
    result(graph, called_last, (graph.input(0),))
    own = {one.operation for one in graph.nodes if one.function == f"{called_last.__module__}.called_last"}
    assert own == {"ne", "not", "or", "gt", "neg", "sub", "add", "select"}
    assert {one.operation for one in graph.nodes if one.function == f"{whole.__module__}.whole"} == {"add", "floor"}


@pytest.mark.parametrize(("function", "what"), [(loop_within_loop, "a loop within a loop"), (early, "Return"),
                                                (listed, "List"), (power, "BinOp")])
def test_what_cannot_be_compiled_is_named(function: Callable[..., Any], what: str) -> None:
    graph = Graph()
    with pytest.raises(TypeError, match=f"test_reader.{function.__name__}, line [0-9]+: {what} cannot be compiled"):
        result(graph, function, (graph.input(0),))
