"""The compiled model: loop nests for the slots that vary, run block by block on all processors."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.grid.binary import Code, code, nest_prototype
from dse.grid.graph import Graph
from dse.grid.grid import Axis, Grid
from dse.grid.instructions import LANES
from dse.grid.nest import ROW, Nest, nest
from dse.grid.reader import leaves, record_inputs, result
from dse.objective import Case, Metrics, metrics

Numbers = NDArray[np.float64]
BLOCK = 2**17  # designs of a block: long beside the 20 us of its start, short enough to share out
SHORTEST_INNER = 128  # trailing axes are run as one until it is this long


class Level(NamedTuple):
    """A loop: the slots that vary in it together, and the values of each."""

    slots: tuple[int, ...]
    values: Numbers  # (slots, length)

    @property
    def length(self) -> int:
        """Turns of the loop."""
        return int(self.values.shape[1])


class Block(NamedTuple):
    """A run of neighbouring designs: the levels cut down to it, where it starts, how far an innermost run moves on."""

    levels: tuple[Level, ...]
    start: int
    advance: int


@cache
def model_graph() -> tuple[Graph, Metrics]:
    """The model as a graph on the slots of the flat row, and the node of each metric."""
    graph = Graph()
    found: Metrics = result(graph, metrics, (record_inputs(graph, Case),))
    return graph, found


@cache
def kernel(levels: tuple[tuple[int, ...], ...]) -> Code:
    """The compiled nest over `levels`, the slots that vary in each loop."""
    def made() -> Nest:
        graph, found = model_graph()
        return nest(graph, leaves(found), levels)

    return code(f"metrics {levels}", made, nest_prototype())


def evaluated(grid: Grid) -> Numbers:
    """All metrics of all designs of the grid: (metrics, designs)."""
    return _run(grid.base, grid_levels(grid), grid.size)


def evaluated_columns(base: Sequence[float], slots: Sequence[int], values: Numbers) -> Numbers:
    """All metrics of independent designs: row i is `base` with `values[:, i]` in `slots`."""
    count = values.shape[1]
    if not count:
        return np.empty((len(Metrics._fields), 0))
    return _run(tuple(base), (Level(tuple(slots), np.ascontiguousarray(values, dtype=float)),), count)


def grid_levels(grid: Grid) -> tuple[Level, ...]:
    """A loop for each axis; the last ones are one together while they are short."""
    outer, inner, length = list(grid.axes), list[Axis](), 1
    while outer and (length < LANES or (length < SHORTEST_INNER and length * len(outer[-1].values) <= ROW)):
        inner.insert(0, outer.pop())
        length *= len(inner[0].values)
    spread = np.meshgrid(*(np.array(axis.values) for axis in inner), indexing="ij")
    last = np.array([values.ravel() for values in spread]) if inner else np.empty((0, 1))
    return (*(Level((axis.index,), np.array([axis.values])) for axis in outer),
            Level(tuple(axis.index for axis in inner), last))


def _run(base: Sequence[float], levels: tuple[Level, ...], size: int) -> Numbers:
    if levels[-1].length < LANES:
        return _run(base, (*levels[:-1], _padded(levels[-1])), LANES)[:, :size].copy()
    out = np.empty((len(Metrics._fields), size))
    found = kernel(tuple(level.slots for level in levels))
    numbers = np.array(base, dtype=float)

    def run(block: Block) -> None:
        call(found, numbers, block, out)

    if size <= BLOCK:
        for block in blocks(levels):
            run(block)
        return out
    with ThreadPoolExecutor(processors()) as pool:
        for _ in pool.map(run, blocks(levels)):
            pass
    return out


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def call(found: Code, base: Numbers, block: Block, out: Numbers) -> None:
    """Run the nest over one block."""
    columns = np.array([row.ctypes.data for level in block.levels for row in level.values], dtype=np.uint64)
    lengths = np.array([*(level.length for level in block.levels), block.advance], dtype=np.int64)
    scratch = np.empty(found.scratch_rows * ROW)
    found.run(base.ctypes.data, columns.ctypes.data, lengths.ctypes.data, scratch.ctypes.data,
              out.ctypes.data + block.start * out.itemsize, out.shape[1])


def blocks(levels: tuple[Level, ...], most: int = BLOCK) -> Iterator[Block]:
    """The designs of `levels` in blocks of at most about `most`; an innermost run under outer loops of at most ROW."""
    lengths = [level.length for level in levels]
    cut = next(place for place in range(len(levels)) if math.prod(lengths[place + 1:]) <= most)
    step = max(1, most // math.prod(lengths[cut + 1:]))
    for prefix in np.ndindex(*lengths[:cut]):
        ahead = tuple(_cut(level, place, place + 1) for level, place in zip(levels, prefix, strict=False))
        before = int(np.ravel_multi_index(prefix, lengths[:cut])) if prefix else 0
        for low, high in spans(lengths[cut], step, cut == len(levels) - 1):
            start = (before * lengths[cut] + low) * math.prod(lengths[cut + 1:])
            yield from _narrow((*ahead, _cut(levels[cut], low, high), *levels[cut + 1:]), start)


def spans(length: int, step: int, lanes: bool) -> Iterator[tuple[int, int]]:
    """`length` in parts of `step`; none shorter than the lanes where they run along it."""
    low = 0
    while low < length:
        high = length if length - low < step + (LANES if lanes else 0) else low + step
        yield low, high
        low = high


def _narrow(levels: tuple[Level, ...], start: int) -> Iterator[Block]:
    last = levels[-1]
    if len(levels) == 1 or last.length <= ROW:
        yield Block(levels, start, last.length)
        return
    for low, high in spans(last.length, ROW - LANES, True):
        yield Block((*levels[:-1], _cut(last, low, high)), start + low, last.length)


def _cut(level: Level, low: int, high: int) -> Level:
    return Level(level.slots, level.values[:, low:high])


def _padded(level: Level) -> Level:
    missing = LANES - level.length
    return Level(level.slots, np.concatenate([level.values, np.repeat(level.values[:, -1:], missing, axis=1)], axis=1))

