"""How long the exact front of a large grid will take, from the same on coarser grids."""

from __future__ import annotations

import math
import time

import numpy as np

from dse.grid.bounded import bounded_front
from dse.grid.exact import FEWEST_BOUNDED
from dse.grid.front import Objective
from dse.grid.grid import Axis, Grid
from dse.grid.stream import streamed_front

COARSE, FINER = 2**18, 2**22  # designs of the two grids that the time of a larger one is told from
PROMPT_S = 0.01  # below this a measured time is mostly that of starting


def estimated_s(grid: Grid, objectives: tuple[Objective, ...]) -> float:
    """Seconds, roughly, of `dse.grid.exact.exact_front` on this machine.

    Evaluating takes a time for each design. Bounding grows by some power of the number of designs, told from two
    coarser grids, and is given up where it costs more than evaluating.
    """
    coarse = coarser(grid, COARSE)
    evaluating_s = _seconds_streamed(coarse, objectives) / coarse.size * grid.size
    if grid.size < FEWEST_BOUNDED:
        return evaluating_s
    finer = coarser(grid, FINER)
    before_s, after_s = (max(PROMPT_S, _seconds_bounded(one, objectives)) for one in (coarse, finer))
    power = math.log(after_s / before_s) / math.log(finer.size / coarse.size)
    bounding_s = after_s * math.pow(grid.size / finer.size, max(0.0, power))
    return min(2.0 * evaluating_s, bounding_s)


def coarser(grid: Grid, most: int) -> Grid:
    """A grid of at most about `most` designs with values of the same ranges: the longest axes are thinned."""
    counts = list(grid.shape)
    while math.prod(counts) > most and max(counts) > 2:
        longest = counts.index(max(counts))
        counts[longest] = (counts[longest] + 1) // 2
    axes = []
    for axis, count in zip(grid.axes, counts, strict=True):
        places = np.linspace(0, len(axis.values) - 1, count).astype(int).tolist()
        axes.append(Axis(axis.index, tuple(axis.values[place] for place in places)))
    return Grid(grid.base, tuple(axes))


def _seconds_streamed(grid: Grid, objectives: tuple[Objective, ...]) -> float:
    streamed_front(grid, objectives)  # compiles, where that was not done before
    started = time.perf_counter()
    streamed_front(grid, objectives)
    return time.perf_counter() - started


def _seconds_bounded(grid: Grid, objectives: tuple[Objective, ...]) -> float:
    bounded_front(grid, objectives, most_boxes=1)
    started = time.perf_counter()
    bounded_front(grid, objectives)
    return time.perf_counter() - started
