"""The compiled model: loop nests for the slots that vary, run block by block on all processors."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.case import paths
from dse.grid.binary import Code, code
from dse.grid.graph import Graph
from dse.grid.grid import Grid
from dse.grid.instructions import LANES
from dse.grid.nest import ROW, Nest, nest
from dse.grid.reader import leaves, record_inputs, result
from dse.grid.sinks import Store
from dse.objective import Case, Metrics, metrics

Numbers = NDArray[np.float64]
Rows = tuple[tuple[int, ...], Numbers]  # slots, and the values of each: (slots, rows)
BLOCK = 2**17  # designs of a block: long beside the 20 us of its start, short enough to share out
SHORTEST_INNER = 128  # trailing axes are run as one until it is this long


# Slots that the equations compare with a number: where they do not vary, code is compiled for what they are.
CHOICES = ("setting.parallelism.pipeline_parallel", "setting.parallelism.data_parallel",
           "setting.parallelism.sequence_parallel", "setting.parallelism.all_to_all", "setting.model.experts",
           "setting.model.kv_latent_width", "cost.die_yield.law", "setting.device.topology",
           "setting.style.short_ring")
Choices = tuple[tuple[int, float], ...]


class Level(NamedTuple):
    """A loop: the slots that vary in it together, and the values of each."""

    slots: tuple[int, ...]
    values: Numbers  # (slots, length)
    places: NDArray[np.int64]  # what each turn adds to a design's place in the grid

    @property
    def length(self) -> int:
        """Turns of the loop."""
        return len(self.places)


class Block(NamedTuple):
    """A run of neighbouring designs: the levels cut down to it, where it starts, how far an innermost run moves on."""

    levels: tuple[Level, ...]
    start: int
    advance: int


@cache
def choice_slots() -> tuple[int, ...]:
    """The slots of CHOICES."""
    places = paths()
    return tuple(places.index(path) for path in CHOICES)


def choices(base: Sequence[float], varying: Collection[int]) -> Choices:
    """The choices that a base row makes, other than those that vary."""
    return tuple((slot, base[slot]) for slot in choice_slots() if slot not in varying)


@cache
def model_graph(chosen: Choices = ()) -> tuple[Graph, Metrics]:
    """The model as a graph on the slots of the flat row, and the node of each metric; choices are constants."""
    graph = Graph()
    found: Metrics = result(graph, metrics, (record_inputs(graph, Case, dict(chosen)),))
    return graph, found


@cache
def kernel(levels: tuple[tuple[int, ...], ...], chosen: Choices) -> Code:
    """The compiled nest over `levels`, the slots that vary in each loop."""
    def made() -> Nest:
        graph, found = model_graph(chosen)
        return nest(graph, Store(leaves(found)), levels)

    return code(f"metrics {levels} {chosen}", made)


def evaluated(grid: Grid, out: Numbers | None = None) -> Numbers:
    """All metrics of all designs of the grid: (metrics, designs); into `out`, rows of neighbours, where given."""
    return _run(grid.base, grid_levels(grid), grid.size, out)


def evaluated_columns(base: Sequence[float], slots: Sequence[int], values: Numbers, out: Numbers | None = None) -> (
        Numbers):
    """All metrics of independent designs: row i is `base` with `values[:, i]` in `slots`. Into `out`, where given."""
    count = values.shape[1]
    if not count:
        return np.empty((len(Metrics._fields), 0)) if out is None else out
    numbers, varying = list(base), list(range(len(slots)))
    for place, slot in enumerate(slots):
        if slot in choice_slots() and (values[place] == values[place, 0]).all():
            numbers[slot] = float(values[place, 0])
            varying.remove(place)
    if len(varying) < len(slots):
        slots, values = [slots[place] for place in varying], values[varying]
    level = Level(tuple(slots), np.ascontiguousarray(values, dtype=float), np.arange(count))
    return _run(numbers, (level,), count, out)


def evaluated_product(base: Sequence[float], outer: Rows, inner: Rows) -> Numbers:
    """All metrics of every outer row with every inner row: (metrics, outer, inner)."""
    (_, outer_values), (_, inner_values) = outer, inner
    rows, count = outer_values.shape[1], inner_values.shape[1]
    if not rows or not count:
        return np.empty((len(Metrics._fields), rows, count))
    turns = np.minimum(np.arange(max(count, LANES)), count - 1)
    levels = (Level(outer[0], np.ascontiguousarray(outer_values, dtype=float), np.arange(rows) * len(turns)),
              Level(inner[0], np.ascontiguousarray(inner_values[:, turns], dtype=float), np.arange(len(turns))))
    found = _run(base, levels, rows * len(turns))
    return found.reshape(len(Metrics._fields), rows, len(turns))[:, :, :count]


def grid_levels(grid: Grid) -> tuple[Level, ...]:
    """A loop for each axis, in their order; the last ones are one together while they are short."""
    outer, length = len(grid.axes), 1
    while outer and (length < LANES or (length < SHORTEST_INNER and length * grid.shape[outer - 1] <= ROW)):
        outer -= 1
        length *= grid.shape[outer]
    return (*(axes_level(grid, (place,)) for place in range(outer)),
            axes_level(grid, tuple(range(outer, len(grid.axes)))))


def axes_level(grid: Grid, places: tuple[int, ...]) -> Level:
    """One loop over all combinations of some axes, the last of them fastest."""
    axes = [grid.axes[place] for place in places]
    strides = [math.prod(grid.shape[place + 1:]) for place in places]
    lengths = [len(axis.values) for axis in axes]
    turns = np.indices(lengths, dtype=np.int64).reshape(len(axes), math.prod(lengths))
    values = [np.array(axis.values)[turn] for axis, turn in zip(axes, turns, strict=True)]
    steps = np.zeros(turns.shape[1], dtype=np.int64)
    for turn, stride in zip(turns, strides, strict=True):
        steps += turn * stride
    return Level(tuple(axis.index for axis in axes), np.array(values).reshape(len(axes), len(steps)), steps)


def _run(base: Sequence[float], levels: tuple[Level, ...], size: int, given: Numbers | None = None) -> Numbers:
    out = np.empty((len(Metrics._fields), size)) if given is None else given
    if levels[-1].length < LANES:
        out[:] = _run(base, (*levels[:-1], _padded(levels[-1])), LANES)[:, :size]
        return out
    slots = tuple(level.slots for level in levels)
    found = kernel(slots, choices(base, {slot for level in slots for slot in level}))
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
    columns = np.array([start for level in block.levels for start in starts(level.values)], dtype=np.uint64)
    lengths = np.array([level.length for level in block.levels], dtype=np.int64)
    scratch = np.empty(found.scratch_rows * ROW)
    stride = out.strides[0] // out.itemsize
    sink = np.array([out.ctypes.data + block.start * out.itemsize, stride, block.advance], dtype=np.uint64)
    found.run(base.ctypes.data, columns.ctypes.data, lengths.ctypes.data, scratch.ctypes.data, sink.ctypes.data)


def starts(rows: Numbers) -> list[int]:
    """Where each row of an array begins in memory."""
    first, step = rows.ctypes.data, rows.strides[0]
    return [first + step * place for place in range(len(rows))]


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
    return Level(level.slots, level.values[:, low:high], level.places[low:high])


def _padded(level: Level) -> Level:
    turns = np.minimum(np.arange(LANES), level.length - 1)
    return Level(level.slots, np.ascontiguousarray(level.values[:, turns]), level.places[turns])

