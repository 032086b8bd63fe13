"""Bounds of a box hold for every design in it, to the last bit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from grid.cases import SLOTS, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.case import row
from dse.grid.binary import code
from dse.grid.box_bounds import bounds
from dse.grid.compiled import Numbers, model_graph
from dse.grid.evaluate import evaluate_columns
from dse.grid.graph import Graph
from dse.grid.reader import leaves, result
from dse.objective import Case, Metrics

VARYING = tuple(SLOTS[path] for path in (
    "setting.device.cores", "setting.device.clock_hz", "setting.device.l2_bytes", "setting.device.l2_bytes_per_s",
    "setting.device.hbm_bytes", "setting.device.hbm_bytes_per_s", "setting.device.link_bytes_per_s",
    "setting.device.spare_cores", "setting.parallelism.tensor_parallel", "setting.parallelism.pipeline_parallel",
    "setting.traffic.prompt_tokens", "setting.traffic.output_tokens"))
WHOLE = {SLOTS[path] for path in SLOTS if path.split(".")[-1] in (
    "cores", "spare_cores", "tensor_parallel", "pipeline_parallel", "prompt_tokens", "output_tokens")}


def bounded(graph: Graph, roots: list[int], slots: tuple[int, ...], base: tuple[float, ...], low: Numbers,
            high: Numbers, name: str) -> tuple[Numbers, Numbers]:
    """The low and high ends of `roots` in the boxes (slots, boxes)."""
    found = code(name, lambda: bounds(graph, roots, slots))
    ends = np.ascontiguousarray(np.stack([low, high], axis=1).reshape(2 * len(slots), -1))
    numbers, columns = np.array(base), np.array([end.ctypes.data for end in ends], dtype=np.uint64)
    lengths, out = np.array([ends.shape[1]]), np.empty((2 * len(roots), ends.shape[1]))
    sink = np.array([out.ctypes.data, out.shape[1]], dtype=np.uint64)
    found.run(numbers.ctypes.data, columns.ctypes.data, lengths.ctypes.data, None, sink.ctypes.data)
    return out[::2], out[1::2]


def random_boxes(base: tuple[float, ...], draw: np.random.Generator, count: int) -> tuple[Numbers, Numbers, Numbers]:
    """Boxes around a design, most of them narrow, and a design inside each."""
    centre = np.array([[base[slot]] for slot in VARYING])
    width = 10.0 ** draw.uniform(-4.0, 0.3, (1, count)) * draw.integers(0, 2, (len(VARYING), count))
    low, high = centre / (1.0 + width), centre * (1.0 + width)
    whole = np.array([[slot in WHOLE] for slot in VARYING])
    low, high = np.where(whole, np.floor(low), low), np.where(whole, np.ceil(high), high)
    floor = np.array([[0.0 if slot == SLOTS["setting.device.spare_cores"] else 1.0] for slot in VARYING])
    low, high = np.maximum(low, floor), np.maximum(high, floor)
    inside = low + (high - low) * draw.choice([0.0, 0.25, 0.6, 1.0], low.shape)
    return low, high, np.clip(np.where(whole, np.round(inside), inside), low, high)


@settings(max_examples=60)
@given(cases(), st.integers(0, 2**32))
def test_every_metric_lies_between_its_bounds(case: Case, seed: int) -> None:
    base = row(case)
    low, high, inside = random_boxes(base, np.random.default_rng(seed), 64)
    graph, found = model_graph()
    least, most = bounded(graph, leaves(found), VARYING, base, low, high, "test metrics")
    values = evaluate_columns(base, VARYING, inside)
    for name, bottom, value, top in zip(Metrics._fields, least, values, most, strict=True):
        outside = (value < bottom) | (value > top)
        assert not outside.any(), (name, bottom[outside], value[outside], top[outside])


@settings(max_examples=20)
@given(cases())
def test_a_point_has_tight_bounds(case: Case) -> None:
    """Only a power comes before a rounding in experts: its widened ends may lie on both sides of one tile."""
    base = row(case)
    tight = 0.05 if case.setting.model.experts else 1e-9
    points = np.array([[base[slot]] * 8 for slot in VARYING])
    graph, found = model_graph()
    least, most = bounded(graph, leaves(found), VARYING, base, points, points, "test metrics")
    values = evaluate_columns(base, VARYING, points)
    size = np.maximum(np.abs(values), 1.0)
    assert (np.nan_to_num(most - least) <= tight * size).all()


def counted(count: float, value: float) -> float:
    """A loop whose number of turns varies within the box."""
    total = 0.0
    turn = 0.0
    while turn < count:
        total = total + value * turn
        turn = turn + 1.0
    return total


def mixed(first: float, second: float) -> float:
    """Signs, branches and quotients that no metric may happen to have."""
    apart = first - second
    share = 0.0
    if apart > 0.5:
        share = first / (second - 2.0)
        share = share * 0.5
    else:
        share = -abs(apart) * math.expm1(apart)
    return share if first == second or not apart < 0.0 else min(share, apart * apart)


def share(first: float, second: float) -> float:
    """A quotient that is no number where both are without end, though neither end of an interval says so."""
    quotient = 5.0 + first / (second + 1.0)
    return quotient if quotient > 3.0 else -1.0


def capped(first: float, second: float) -> float:
    """A product of which the cap takes away the end that would say that it may be no number."""
    product = min(first * second, 5.0)
    return 2.0 if product < 6.0 else -1.0


def halted(first: float, second: float) -> float:
    """A loop of which intervals never know that it ends."""
    rest = first
    while rest - second * 0.5 > 0.0:
        rest = rest * 0.5 - 1.0
    return rest


@pytest.mark.parametrize("function", [share, capped, halted])
def test_what_is_without_end_has_no_false_bounds(function: Callable[[float, float], float]) -> None:
    graph = Graph()
    root = result(graph, function, (graph.input(0), graph.input(1)))
    numbers = (0.0, 1.0, 4.0, math.inf)
    ranges = [(low, high) for place, low in enumerate(numbers) for high in numbers[place:]]
    boxes = [(first, second) for first in ranges for second in ranges
             if function is not halted or first != (math.inf, math.inf)]  # as a point, halted would not halt either
    low, high = (np.array([[one[end] for one in box] for box in boxes]).T for end in (0, 1))
    least, most = bounded(graph, [root], (0, 1), (0.0, 0.0), low, high, f"test {function}")
    for (first, second), bottom, top in zip(boxes, least[0], most[0], strict=True):
        for x, y in itertools.product(numbers, repeat=2):
            if first[0] <= x <= first[1] and second[0] <= y <= second[1] and not (function is halted and x == math.inf):
                value = function(x, y)
                assert not value < bottom, (first, second, x, y)
                assert not value > top, (first, second, x, y)


@pytest.mark.parametrize("function", [counted, mixed])
@pytest.mark.parametrize("seed", range(20))
def test_any_function_lies_between_its_bounds(function: object, seed: int) -> None:
    graph = Graph()
    root = result(graph, function, (graph.input(0), graph.input(1)))  # type: ignore[arg-type]
    draw = np.random.default_rng(seed)
    low = draw.integers(0, 5, (2, 40)).astype(float)
    high = low + draw.integers(0, 3, (2, 40)) * draw.choice([0.5, 1.0], (2, 40))
    least, most = bounded(graph, [root], (0, 1), (0.0, 0.0), low, high, f"test {function}")
    for step in (0.0, 0.3, 0.5, 1.0):
        inside = low + (high - low) * step
        for box in range(40):
            if inside[1, box] != 2.0:
                value = function(*inside[:, box].tolist())  # type: ignore[operator]
                assert not value < least[0, box]
                assert not value > most[0, box]
