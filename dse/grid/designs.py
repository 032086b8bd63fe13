"""All metrics of chosen designs of a grid, and the best of each of its situations, every design evaluated once.

A situation is what the first axes of a grid say; the others are what a designer chooses in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dse.grid.evaluate import Changes, Engine, evaluate_columns, evaluate_product, evaluate_rows
from dse.grid.front import Objective
from dse.grid.grid import Grid
from dse.grid.groups import best_of_groups, fronts_of_groups, numbered
from dse.objective import Metrics

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
BLOCK = 2**18  # designs of a block, whose metrics take 52 MB
SHORTEST_RUN = 32  # trailing axes are run as one until it is this long


def evaluate_places(grid: Grid, places: Integers, engine: Engine = "auto", out: Numbers | None = None) -> Numbers:
    """All metrics of the designs at these places: (metrics, places); into `out`, where given."""
    taken = np.unravel_index(places, grid.shape) if grid.axes else ()
    values = np.array([np.array(axis.values)[own] for axis, own in zip(grid.axes, taken, strict=True)])
    slots = [axis.index for axis in grid.axes]
    if engine == "compiled":
        return evaluate_columns(grid.base, slots, values.reshape(len(slots), len(places)), out)
    rows = np.repeat(np.array(grid.base)[:, None], len(places), axis=1)
    rows[slots] = values.reshape(len(slots), len(places))
    found = evaluate_rows(rows, engine)
    if out is not None:
        out[:] = found
    return found


def best_of_situations(metrics: Numbers, situations: Integers, front: Sequence[Objective], best: Objective) -> Integers:
    """Places, rising, of the designs in the front of their situation and of the best one in each; situations rise.

    Feasible designs alone; of equal ones the first.
    """
    found = dict(zip(Metrics._fields, metrics, strict=True))
    feasible = found["feasible"] > 0.0
    points = np.stack([-found[name] if maximise else found[name] for name, maximise in front])
    values = np.where(feasible, found[best.metric] if best.maximise else -found[best.metric], -np.inf)
    groups, _ = numbered(situations)
    kept = np.zeros(len(groups), dtype=bool)
    kept[fronts_of_groups(points, feasible, groups)] = True
    kept[best_of_groups(values, groups)] = True
    return np.flatnonzero(kept).astype(np.int64)


class SituationBlocks:
    """The designs of a grid in blocks of neighbours, each worked out on its own; a situation may be cut by them.

    The first `given` axes say the situation.
    """

    def __init__(self, grid: Grid, given: int) -> None:
        self.grid = grid
        self.of_situation = math.prod(grid.shape[given:])
        split = len(grid.axes)
        while split > 0 and math.prod(grid.shape[split:]) < SHORTEST_RUN:
            split -= 1
        self.split, self.run = split, math.prod(grid.shape[split:])
        self.values = [np.array(axis.values) for axis in grid.axes]
        self.cuts = -(-self.run // BLOCK)  # of a run
        self.runs_together = max(1, BLOCK // self.run)
        self.count = -(-grid.size // (self.run * self.runs_together)) * self.cuts

    def places(self, number: int, front: Sequence[Objective], best: Objective) -> tuple[Integers, int]:
        """Places in the grid of the designs of a block that may be in a front or the best; how many were evaluated."""
        group, cut = divmod(number, self.cuts)
        runs = np.arange(group * self.runs_together,
                         min((group + 1) * self.runs_together, self.grid.size // self.run))
        along = np.arange(cut * self.run // self.cuts, (cut + 1) * self.run // self.cuts)
        metrics = evaluate_product(self.grid.base, self._changes(0, self.split, runs),
                                   self._changes(self.split, len(self.values), along))
        places = (runs[:, None] * self.run + along).ravel()
        kept = best_of_situations(metrics.reshape(len(metrics), -1), places // self.of_situation, front, best)
        return places[kept], len(places)

    def _changes(self, first: int, end: int, numbers: Integers) -> Changes:
        """The combinations with these numbers of the axes from `first` to before `end`."""
        axes, values = self.grid.axes[first:end], self.values[first:end]
        taken = np.unravel_index(numbers, self.grid.shape[first:end]) if axes else ()
        rows = np.array([own[at] for own, at in zip(values, taken, strict=True)]).reshape(len(axes), len(numbers))
        return Changes(tuple(axis.index for axis in axes), rows)
