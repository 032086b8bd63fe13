"""The exact Pareto front of a grid of any size, block by block: nothing is kept but the front."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dse.grid.binary import Code, code
from dse.grid.compiled import Block, Choices, Level, axes_level, blocks, choices, model_graph, processors, starts
from dse.grid.front import Front, Objective, Table, checked, empty_front, merged, table
from dse.grid.graph import Graph
from dse.grid.grid import Grid
from dse.grid.instructions import LANES
from dse.grid.nest import ROW, Nest, nest
from dse.grid.order import Order, best_order, kept_order
from dse.grid.pareto import pareto_mask
from dse.grid.plain import evaluated
from dse.grid.reader import leaves
from dse.grid.sinks import Keep
from dse.objective import Metrics

Numbers = npt.NDArray[np.float64]
BLOCK = 2**18  # designs of a block
SAMPLE = 2**15  # designs of a coarse grid that is looked at first, so that the table is good from the start
MERGED_AT_ONCE = 4096  # designs that wait until they are merged into the front
TOLD_EVERY_S = 0.1


class Progress(NamedTuple):
    """How far a run has come: blocks and designs done, feasible ones among them, and their front."""

    blocks: int
    designs: int
    feasible: int
    front: Front


def streamed_front(grid: Grid, objectives: tuple[Objective, ...], start: Progress | None = None,
                   watch: Callable[[Progress], None] | None = None) -> Progress:
    """The exact front of the feasible designs of the grid, each of them evaluated.

    `watch` is told the progress now and then, after a block. Whatever ends the run, it goes on from the last progress
    told when that is given as `start`, with the same answer as in one go. The rule for ties is that of
    `dse.grid.pareto`.
    """
    checked(objectives)
    if grid.size < LANES:
        return _plain(grid, objectives)
    run = FrontLoops(grid, objectives)
    done = start or Progress(0, 0, 0, empty_front(len(objectives)))
    run.table = table(merged(done.front, run.sample()))
    waiting, told_s = empty_front(len(objectives)), time.monotonic()
    for found in run.found(done.blocks):
        waiting = Front(*(np.concatenate(parts, axis=-1) for parts in zip(waiting, found.front, strict=True)))
        front = done.front
        telling = watch is not None and time.monotonic() - told_s >= TOLD_EVERY_S
        if len(waiting.places) > MERGED_AT_ONCE or telling:
            front, waiting = merged(done.front, waiting), empty_front(len(objectives))
            if len(front.places) != len(done.front.places) or (front.places != done.front.places).any():
                run.table = table(front) if len(found.front.places) > LANES else run.table
        done = Progress(done.blocks + 1, done.designs + found.designs, done.feasible + found.feasible, front)
        if watch and telling:
            watch(done)
            told_s = time.monotonic()
    done = done._replace(front=merged(done.front, waiting))
    if watch:
        watch(done)
    return done


class FrontLoops:
    """The compiled loops over a grid's axes, in the cheapest order or the one given, and the table in use."""

    def __init__(self, grid: Grid, objectives: tuple[Objective, ...], order: Order | None = None) -> None:
        self.objectives = objectives
        slots = tuple(axis.index for axis in grid.axes)
        chosen = choices(grid.base, slots)
        self.order = order or front_order(slots, grid.shape, objectives, chosen)
        self.code = front_kernel(tuple(tuple(slots[axis] for axis in loop) for loop in self.order), objectives, chosen)
        self.levels = () if order else tuple(axes_level(grid, loop) for loop in self.order)
        self.base = np.array(grid.base)
        self.table: Table = table(empty_front(len(objectives)))
        self._own = threading.local()

    def sample(self) -> Front:
        """The front of a coarse grid within the grid."""
        levels: list[Level] = []
        for level in reversed(self.levels):
            share = (SAMPLE / math.prod(one.length for one in levels)) ** (1.0 / (len(self.levels) - len(levels)))
            count = min(level.length, max(2 if levels else LANES, min(int(share), ROW)))
            picked = np.linspace(0, level.length - 1, count).astype(int)
            levels.insert(0, Level(level.slots, np.ascontiguousarray(level.values[:, picked]), level.places[picked]))
        return self.block(Block(tuple(levels), 0, 0)).front

    def found(self, first: int) -> Iterator[Progress]:
        """What each block from `first` on leaves, in order, worked out on all processors."""
        todo = itertools.islice(blocks(self.levels, BLOCK), first, None)
        ahead: deque[Future[Progress]] = deque()
        with ThreadPoolExecutor(processors()) as pool:
            try:
                for block in todo:
                    ahead.append(pool.submit(self.block, block))
                    if len(ahead) > 2 * processors():
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()

    def block(self, block: Block) -> Progress:
        """The designs of a block that the table does not rule out."""
        count = math.prod(level.length for level in block.levels)
        places, values, scratch = self.arrays(count)
        known, levels = self.table, block.levels
        columns = np.array([start for level in levels for start in starts(level.values)], dtype=np.uint64)
        lengths = np.array([level.length for level in levels], dtype=np.int64)
        sink = np.array([0, 0, known.cells.ctypes.data, places.ctypes.data, *(row.ctypes.data for row in values),
                         *(level.places.ctypes.data for level in levels), *known.scales.ravel().view(np.uint64)],
                        dtype=np.uint64)
        self.code.run(self.base.ctypes.data, columns.ctypes.data, lengths.ctypes.data, scratch.ctypes.data,
                      sink.ctypes.data)
        kept, feasible = int(sink[0]), int(sink[1])
        front = merged(empty_front(len(values)), Front(places[:kept], values[:, :kept]))
        return Progress(1, count, feasible, front)

    def arrays(self, count: int) -> tuple[npt.NDArray[np.int64], Numbers, Numbers]:
        """This thread's arrays, with room for `count` designs."""
        own = self._own
        if getattr(own, "count", -1) < count:
            own.count = count
            own.places = np.empty(count + LANES, dtype=np.int64)
            own.values = np.empty((len(self.objectives), count + LANES))
            own.scratch = np.empty(max(1, self.code.scratch_rows) * ROW)
        return own.places, own.values, own.scratch


@cache
def front_roots(objectives: tuple[Objective, ...], chosen: Choices = ()) -> tuple[Graph, tuple[int, ...]]:
    """The model's graph, and the nodes of the objectives, to be minimised, and of feasibility."""
    graph, found = model_graph(chosen)
    nodes = dict(zip(Metrics._fields, leaves(found), strict=True))
    signed = [graph.operation("neg", nodes[name]) if maximise else nodes[name] for name, maximise in objectives]
    return graph, (*signed, nodes["feasible"])


@cache
def front_order(slots: tuple[int, ...], lengths: tuple[int, ...], objectives: tuple[Objective, ...],
                chosen: Choices = ()) -> Order:
    """The order of the axes for this front."""
    return kept_order(f"order {slots} {lengths} {objectives} {chosen}",
                      lambda: best_order(*front_roots(objectives, chosen), slots, lengths))


@cache
def front_kernel(levels: tuple[tuple[int, ...], ...], objectives: tuple[Objective, ...], chosen: Choices) -> Code:
    """The compiled nest over `levels` that keeps what may be in the front."""
    def made() -> Nest:
        graph, roots = front_roots(objectives, chosen)
        return nest(graph, Keep(roots, len(levels)), levels)

    return code(f"front {levels} {objectives} {chosen}", made)


def _plain(grid: Grid, objectives: tuple[Objective, ...]) -> Progress:
    """The same for fewer designs than the lanes take."""
    found = evaluated(grid)
    values = np.array([-found[Metrics._fields.index(name)] if maximise else found[Metrics._fields.index(name)]
                       for name, maximise in objectives])
    feasible = (found[Metrics._fields.index("feasible")] > 0.0) & ~np.isnan(values).any(axis=0)
    kept = np.flatnonzero(pareto_mask(values, feasible))
    return Progress(1, grid.size, int(feasible.sum()), Front(kept, values[:, kept]))
