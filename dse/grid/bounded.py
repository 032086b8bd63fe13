"""The exact Pareto front of a grid without evaluating most of it: boxes that the front beats are ruled out whole.

Branch and bound. A box is a range on each axis; intervals bound its objectives from below and its violations. Where
the front has a design at least as good as the best that a box could hold, or the box holds nothing feasible, it is done
with; a small box is evaluated design by design; any other is cut in two. The answer is the one of
`dse.grid.stream.streamed_front`, bit for bit, and what was not evaluated is proved not to be in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dse.grid.binary import Code, code
from dse.grid.box_bounds import bounds
from dse.grid.boxes import Boxes, Integers, Mask, least_within, range_minima
from dse.grid.compiled import Block, Choices, Level, choices
from dse.grid.front import Front, Objective, checked, merged, table
from dse.grid.grid import Grid
from dse.grid.instructions import LANES
from dse.grid.pareto import sort_keys
from dse.grid.stream import FrontLoops, front_roots, streamed_front

Numbers = npt.NDArray[np.float64]

LEAF = 14  # designs of a box that is evaluated rather than cut
CHUNK = 2**14  # boxes bounded together
FEWEST_BOUNDED = 2**14  # designs below which all are evaluated
FINER = {1: 1, 2: 1, 3: 4, 4: 2}  # buckets over those of the loops, by the number of objectives
SAMPLED = 256  # boxes from which the influence of each axis on the bounds is learned


class Bounded(NamedTuple):
    """The front so far, the designs evaluated, the boxes bounded, the designs settled: evaluated or ruled out; and the
    boxes that are still open, with the share of the work left in them. Without open boxes the front is the exact one.

    The share follows the boxes and not their designs: nine designs of ten are ruled out within the first hundredth of
    the time. What a box that is cut was worth goes to those of its parts that are left.
    """

    front: Front
    evaluated: int
    boxes: int
    settled: int
    open: tuple[Boxes, ...] = ()
    left: tuple[float, ...] = ()


def bounded_front(grid: Grid, objectives: tuple[Objective, ...], watch: Callable[[Bounded], None] | None = None,
                  start: Bounded | None = None, most_boxes: float = math.inf) -> Bounded:
    """The exact front of the feasible designs of the grid; of one objective, the best design.

    `watch` is told how far it is now and then. Whatever ends the run, it goes on from what was told last when that is
    given as `start`. It gives up, with boxes left open, after `most_boxes`. The rule for ties is that of
    `dse.grid.pareto`.
    """
    checked(objectives)
    if grid.size < FEWEST_BOUNDED:
        return Bounded(streamed_front(grid, objectives).front, grid.size, 0, grid.size)
    search = _Search(grid, objectives, start)
    stack = list(zip(start.open, start.left, strict=True)) if start else [(search.whole(), 1.0)]
    while stack and search.boxes <= most_boxes:
        boxes, left = stack.pop()
        if boxes.number > CHUNK:
            later = left * (1.0 - CHUNK / boxes.number)
            stack.append((boxes.of(slice(CHUNK, None)), later))
            boxes, left = boxes.of(slice(CHUNK)), left - later
        cut = search.settled(boxes)
        if cut.number:
            stack.append((cut, left))
        if watch:
            watch(search.progress(stack))
    return search.progress(stack)


@cache
def bounds_kernel(slots: tuple[int, ...], objectives: tuple[Objective, ...], chosen: Choices) -> Code:
    """The compiled bounds of the objectives and of feasibility within boxes on `slots`."""
    return code(f"bounds {slots} {objectives} {chosen}", lambda: bounds(*front_roots(objectives, chosen), slots))


class _Search:
    """The front so far, and what it takes to settle boxes. Axes are sorted: a range has its ends at its ends."""

    def __init__(self, grid: Grid, objectives: tuple[Objective, ...], start: Bounded | None) -> None:
        self.slots = tuple(axis.index for axis in grid.axes)
        orders = [np.argsort(axis.values, kind="stable") for axis in grid.axes]
        self.values = [np.array(axis.values)[order] for axis, order in zip(grid.axes, orders, strict=True)]
        self.places = [order.astype(np.int64) * math.prod(grid.shape[axis + 1:]) for axis, order in enumerate(orders)]
        self.least_place = [range_minima(places) for places in self.places]
        self.size = grid.size
        self.base = np.array(grid.base)
        self.kernel = bounds_kernel(self.slots, objectives, choices(grid.base, self.slots))
        self.loops = FrontLoops(grid, objectives, (tuple(range(len(self.slots))),))
        self.take(start.front if start else FrontLoops(grid, objectives).sample())
        self.boxes = 0
        self.influence = self.learned_influence()
        if start:
            self.boxes = start.boxes
        self.evaluated, self.designs_settled = (start.evaluated, start.settled) if start else (0, 0)

    def progress(self, stack: Sequence[tuple[Boxes, float]]) -> Bounded:
        """What is known so far, and the boxes that are open."""
        return Bounded(self.front, self.evaluated, self.boxes, self.designs_settled,
                       tuple(boxes for boxes, _ in stack), tuple(left for _, left in stack))

    def whole(self) -> Boxes:
        """The whole grid as one box."""
        high = np.array([[len(values) - 1] for values in self.values], dtype=np.int64)
        return Boxes(np.zeros_like(high), high)

    def settled(self, boxes: Boxes) -> Boxes:
        """Settles what can be; the halves of the other boxes."""
        lows, possible = self.bounded(boxes)
        kept = np.flatnonzero(possible)
        kept = kept[~self.beaten(lows[:, kept], boxes.of(kept))]
        before, boxes = int(boxes.designs().sum()), boxes.of(kept)
        small = boxes.designs() <= LEAF
        self.designs_settled += before - int(boxes.of(~small).designs().sum())
        self.evaluate(boxes.of(small).members())
        large = boxes.of(~small)
        if not large.number:
            return large
        self.evaluate((large.low + large.high) // 2)
        return self.halves(large)

    def bounded(self, boxes: Boxes) -> tuple[Numbers, Mask]:
        """Lower bounds of the objectives in each box, and whether it may hold a feasible design."""
        count = boxes.number
        padded = np.minimum(np.arange(max(count, LANES)), count - 1)
        ends = [values[ends[axis, padded]] for axis, values in enumerate(self.values) for ends in boxes]
        columns = np.array([end.ctypes.data for end in ends], dtype=np.uint64)
        lengths = np.array([len(padded)], dtype=np.int64)
        out = np.empty((2 * len(self.front.values) + 2, len(padded)))
        sink = np.array([out.ctypes.data, out.shape[1]], dtype=np.uint64)
        self.kernel.run(self.base.ctypes.data, columns.ctypes.data, lengths.ctypes.data, None, sink.ctypes.data)
        self.boxes += count
        return out[:-2:2, :count], ~(out[-1, :count] <= 0.0)

    def beaten(self, lows: Numbers, boxes: Boxes) -> Mask:
        """Whether some design of the front is at least as good as each box can be, and better or earlier."""
        if not len(self.front.places) or not lows.shape[1]:
            return np.zeros(lows.shape[1], dtype=bool)
        first = np.sum([least_within(minima, low, high)
                        for minima, low, high in zip(self.least_place, *boxes, strict=True)], axis=0)
        if len(lows) == 1:
            best, place = self.front.values[0, 0], self.front.places[0]
            return np.asarray((best < lows[0]) | ((best == lows[0]) & (place < first)))
        if len(lows) == 2:
            return self.beaten_in_two(lows, first)
        found = self.beaten_by_table(lows)
        for place in np.flatnonzero(~found).tolist():
            known = self.known.get((lows[:, place] + 0.0).tobytes())
            found[place] = known is not None and known < first[place]
        return found

    def beaten_in_two(self, lows: Numbers, first: Integers) -> Mask:
        """The same for two objectives, by a search in the front; `first` is the earliest place of each box.

        A bound that is not a number would be sought behind all others, as if it were the largest; it bounds nothing.
        """
        order = np.argsort(self.front.values[0], kind="stable")
        ours, places = self.front.values[:, order], self.front.places[order]
        at = np.searchsorted(ours[0], lows[0], side="right") - 1
        known = ours[:, at]
        equal = (known == lows).all(axis=0)
        bounded = (at >= 0) & ~np.isnan(lows).any(axis=0)
        return np.asarray(bounded & (known[1] <= lows[1]) & (~equal | (places[at] < first)))

    def beaten_by_table(self, lows: Numbers) -> Mask:
        """The boxes of which the table tells it."""
        cells, scales = self.finer
        buckets = []
        for low, (origin, limit, shift, _) in zip(lows, scales, strict=False):
            keys = np.clip(sort_keys(np.ascontiguousarray(low)), origin, limit) - origin
            buckets.append((keys.view(np.uint64) >> np.uint64(shift)).astype(np.intp))
        return np.asarray(cells[tuple(buckets)] <= lows[-1]) & ~np.isnan(lows).any(axis=0)

    def evaluate(self, members: Integers) -> None:
        """Evaluates the designs at these places and takes them into the front."""
        count = members.shape[1]
        if not count:
            return
        padded = np.minimum(np.arange(max(count, LANES)), count - 1)
        values = np.array([values[places[padded]] for values, places in zip(self.values, members, strict=True)])
        places = np.sum([places[own[padded]] for places, own in zip(self.places, members, strict=True)], axis=0)
        found = self.loops.block(Block((Level(self.slots, values, places),), 0, 0)).front
        self.evaluated += count
        if len(found.places):
            front = merged(self.front, found)
            if len(front.places) != len(self.front.places) or (front.places != self.front.places).any():
                self.take(front)

    def take(self, front: Front) -> None:
        """Goes on with this front and its tables."""
        self.front, self.loops.table, self.finer = front, table(front), table(front, FINER[len(front.values)])
        columns = np.ascontiguousarray(front.values.T) + 0.0
        self.known = dict(zip((column.tobytes() for column in columns), front.places.tolist(), strict=True))

    def halves(self, boxes: Boxes) -> Boxes:
        """Each box cut in two on the axis whose range moves the bounds most; first where one ends at infinity."""
        widths = self.widths(boxes)
        longest = np.argmax(boxes.high - boxes.low, axis=0)
        with np.errstate(invalid="ignore"):
            scores = np.where(np.isinf(widths), np.inf, widths * self.influence[:, None])
        axis = np.where(scores.max(axis=0) > 0.0, np.argmax(scores, axis=0), longest)
        return boxes.halves(axis)

    def widths(self, boxes: Boxes) -> Numbers:
        """How far apart the ends of each range are, relative to their size; infinite where one end is."""
        found = []
        for values, low, high in zip(self.values, *boxes, strict=True):
            size = np.maximum(np.abs(values[low]), np.abs(values[high]))
            size[(size == 0.0) | np.isinf(size)] = 1.0
            apart = np.subtract(values[high], values[low], where=values[high] != values[low], out=np.zeros(len(low)))
            found.append(apart / size)
        return np.array(found)

    def learned_influence(self) -> Numbers:
        """By how much an axis moves the bounds, per relative width: the mean over random boxes, one end for a range."""
        draw = np.random.default_rng(0)
        lengths = np.array([len(values) for values in self.values])[:, None]
        low = draw.integers(0, lengths, (len(lengths), SAMPLED))
        high = np.minimum(low + draw.integers(0, np.maximum(1, lengths // 4) + 1, low.shape), lengths - 1)
        boxes = Boxes(low, high)
        widths, (wide, _) = self.widths(boxes), self.bounded(boxes)
        found = []
        for axis in range(len(lengths)):
            moved = np.zeros(SAMPLED)
            for end in boxes:
                ends = Boxes(low.copy(), high.copy())
                ends.low[axis] = ends.high[axis] = end[axis]
                with np.errstate(divide="ignore", invalid="ignore"):
                    shift = np.abs(self.bounded(ends)[0] - wide) / np.abs(wide)
                moved += np.sum(shift, axis=0, where=np.isfinite(shift))
            total = np.sum(widths[axis], where=np.isfinite(widths[axis]))
            found.append(moved.sum() / total if total > 0.0 else 0.0)
        return np.array(found)
