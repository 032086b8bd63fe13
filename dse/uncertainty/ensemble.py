"""Designs under draws of their constants, evaluated by the compiled model in blocks of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.grid.evaluate import Changes, evaluate_product
from dse.grid.table import Part
from dse.objective import Metrics
from dse.uncertainty.intervals import Interval
from dse.uncertainty.sampling import base_point, drawn, unknowns

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
BLOCK = 2**18  # evaluations at once: 50 MB of metrics
MOST_DESIGNS = 100_000


class Member(NamedTuple):
    """Designs that differ in their axes alone, and the intervals of the constants that they share."""

    part: Part
    intervals: tuple[Interval, ...]


class Ensemble:
    """All designs, numbered through the members in their order, and the unknowns behind them.

    An unknown has the same share of its distribution in every design of a draw, so that designs, and the same design
    without and with a technique, are compared on the same draw. `watch` is told now and then how many evaluations are
    done. Raises InputError for more designs than MOST_DESIGNS.
    """

    def __init__(self, members: Sequence[Member], shape: str, watch: Callable[[int], None] | None = None) -> None:
        self.members, self.shape = tuple(members), shape
        self.watch, self.evaluations = watch, 0
        self.unknowns = unknowns(member.intervals for member in members)
        self.starts = np.cumsum([0, *(member.part.grid.size for member in members)])
        self.size = int(self.starts[-1])
        if self.size > MOST_DESIGNS:
            raise InputError(f"the grid has {self.size:,} designs and at most {MOST_DESIGNS:,} are carried through the "
                             "intervals: take fewer or coarser axes")
        self._designs = [_design_values(member.part) for member in members]

    def base(self) -> Floats:
        """The point at which all constants are at base: (unknowns, 1)."""
        return base_point(len(self.unknowns))

    def metrics(self, places: Places, points: Floats) -> Floats:
        """All metrics of the designs at `places` (ascending): (metrics, designs, points).

        `points` are shares of the unknowns' distributions, NaN for base: (unknowns, points).
        """
        found = np.empty((len(Metrics._fields), len(places), points.shape[1]))
        known: tuple[tuple[Interval, ...], Floats] | None = None
        for number, member in enumerate(self.members):
            first, last = np.searchsorted(places, self.starts[number:number + 2])
            if first == last:
                continue
            if known is None or known[0] != member.intervals:
                known = member.intervals, drawn(member.intervals, self.unknowns, points, self.shape)
            own = self._designs[number][:, places[first:last] - self.starts[number]]
            grid = member.part.grid
            outer = Changes(tuple(axis.index for axis in grid.axes), own)
            inner = Changes(tuple(one.slot for one in member.intervals), known[1])
            found[:, first:last] = evaluate_product(grid.base, outer, inner)
        self.evaluations += len(places) * points.shape[1]
        if self.watch:
            self.watch(self.evaluations)
        return found

    def design_blocks(self, order: Places, points: int) -> Iterator[slice]:
        """Runs of `order`, the numbers of designs, short enough to be evaluated at once at all points."""
        step = max(1, BLOCK // max(1, points))
        return (slice(first, min(first + step, len(order))) for first in range(0, len(order), step))

    def point_blocks(self, designs: int, points: int) -> Iterator[slice]:
        """Runs of the points short enough to be evaluated at once for so many designs."""
        step = max(8, BLOCK // max(1, designs))
        return (slice(first, min(first + step, points)) for first in range(0, points, step))


def _design_values(part: Part) -> Floats:
    """The axes' values in SI of each design of a grid: (axes, designs)."""
    shape = part.grid.shape
    turns = np.indices(shape).reshape(len(shape), part.grid.size)
    found = [np.asarray(axis.values)[turn] for axis, turn in zip(part.grid.axes, turns, strict=True)]
    return np.array(found).reshape(len(shape), part.grid.size)
