"""How long the fronts of a large grid will take and how many designs are on them, from the same on coarser grids."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np

from dse.grid.bounded import bounded_front
from dse.grid.designs import SituationBlocks, best_of_situations, evaluate_places
from dse.grid.exact import FEWEST_BOUNDED
from dse.grid.front import Objective
from dse.grid.grid import Axis, Grid
from dse.grid.stream import streamed_front

COARSE, FINER = 2**18, 2**22  # designs of the two grids that the time of a larger one is told from
SAMPLED = 2**19  # designs of the situations that the time of many is told from
PROMPT_S = 0.01  # below this a measured time is mostly that of starting


class Needed(NamedTuple):
    """What a sweep will take on this machine, roughly: seconds, and designs on the fronts."""

    seconds: float
    rows: float


def needed(grid: Grid, given: int, front: tuple[Objective, ...], best: Objective) -> Needed:
    """Of the front and the best of each situation of the grid, which its first `given` axes say.

    Small situations are measured on some of them, from the first to the last, with all that is done for each; large
    ones are told from coarser grids in the middle one.
    """
    situations = math.prod(grid.shape[:given])
    of_situation = grid.size // situations
    if of_situation < FEWEST_BOUNDED:
        some = coarser(grid, SAMPLED, given)
        _settled(some, given, front, best)  # compiles, where that was not done before
        started = time.perf_counter()
        rows = _settled(some, given, front, best)
        share = grid.size / some.size
        return Needed((time.perf_counter() - started) * share, rows * share)
    middle = Grid(grid.design(situations // 2 * of_situation), grid.axes[given:])
    rows = len(streamed_front(coarser(middle, COARSE), front).front.places) + 1
    return Needed(situations * sum(estimated_s(middle, objectives) for objectives in (front, (best,))),
                  float(situations * rows))


def _settled(grid: Grid, given: int, front: tuple[Objective, ...], best: Objective) -> int:
    blocks = SituationBlocks(grid, given)
    places = np.concatenate([blocks.places(number, front, best)[0] for number in range(blocks.count)])
    metrics = evaluate_places(grid, places, "compiled")
    return len(best_of_situations(metrics, places // blocks.of_situation, front, best))


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
    thinned = math.log(finer.size / coarse.size)  # 0 where no axis has more than two values
    power = math.log(after_s / before_s) / thinned if thinned > 0.0 else 1.0
    bounding_s = after_s * math.pow(grid.size / finer.size, max(0.0, power))
    return min(2.0 * evaluating_s, bounding_s)


def coarser(grid: Grid, most: int, first: int | None = None) -> Grid:
    """A grid of at most about `most` designs with values of the same ranges: the longest axes are thinned.

    Only the `first` axes are, where that is given.
    """
    counts = list(grid.shape)
    while math.prod(counts) > most and max(counts[:first], default=0) > 2:
        longest = counts.index(max(counts[:first]))
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
