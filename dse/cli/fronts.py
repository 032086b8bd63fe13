"""A sweep without a table: the exact front and the best designs of grids of any size, in each situation.

A situation is one combination of the axes that no designer chooses. Small ones are settled many at a time, each design
evaluated once; large ones one after the other, most of their designs ruled out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dse.cli.designs import Designs
from dse.cli.memory import refuse_what_does_not_fit
from dse.cli.progress import duration
from dse.cli.resumed import ResumedRun
from dse.errors import InputError
from dse.figures.labels import is_chosen, quantity
from dse.grid.checkpoint import Finished
from dse.grid.designs import SituationBlocks, best_of_situations, evaluate_places
from dse.grid.evaluate import FEWEST_COMPILED
from dse.grid.exact import FEWEST_BOUNDED
from dse.grid.front import Objective
from dse.grid.grid import Grid
from dse.grid.table import Columns, Part
from dse.objective import Metrics

THROUGHPUT_AND_COST = (Objective("throughput_tokens_per_s", maximise=True), Objective("group_usd"))
FEW_IN_SMALL = 10**7  # designs in small situations, up to which neither time nor rows are estimated
SURELY_SOON = (10**10, 20)  # the same of large situations: designs, and situations
LONGEST_S = 7 * 86400.0
FRONT_OVER_BEST = (20.0, 1.0)  # how long the front of a large situation takes, and the best of one objective
Places = npt.NDArray[np.int64]


class Fronts(NamedTuple):
    """The designs on a front and the best ones, as columns; how many designs there are and were evaluated; the run."""

    table: Columns
    designs: int
    evaluated: int
    run: ResumedRun


class Sought(NamedTuple):
    """What is settled: parts whose first `given` axes say the situation, and what is best in each."""

    parts: tuple[Part, ...]
    given: int
    best: Objective

    @property
    def of_situation(self) -> int:
        """Designs of a situation; the parts have the same axes."""
        return math.prod(self.parts[0].grid.shape[self.given:])

    @property
    def designs(self) -> int:
        """Designs of all parts."""
        return sum(part.grid.size for part in self.parts)


def fronts(asked: Designs) -> Fronts:
    """The exact front of throughput and cost and the exact best by the objective, in each situation.

    The same command goes on with what an interrupted one has settled. InputError where it would take too long, or more
    memory than there is.
    """
    parts = tuple(_situations_first(part) for one in asked.compositions for part in asked.parts(one))
    given = sum(not is_chosen(key) for key in parts[0].values)
    sought = Sought(parts, given, Objective(asked.objective, maximise=quantity(asked.objective).better > 0.0))
    _refuse_what_would_not_finish(asked, sought)
    run, found = _settled_in_blocks(sought) if sought.of_situation < FEWEST_BOUNDED else _settled_one_by_one(sought)
    with run:
        table = _columns(asked, sought, [one.places for one in found])
    return Fronts(table, sought.designs, sum(one.evaluated for one in found), run)


def _situations_first(part: Part) -> Part:
    """The same part, its axes that no designer chooses before the others."""
    keys = list(part.values)
    order = sorted(range(len(keys)), key=lambda place: is_chosen(keys[place]))
    return Part(part.labels, {keys[place]: part.values[keys[place]] for place in order},
                Grid(part.grid.base, tuple(part.grid.axes[place] for place in order)))


def _refuse_what_would_not_finish(asked: Designs, sought: Sought) -> None:
    """Measures on parts of the sweep what it would take, unless it is surely done soon."""
    small, situations = sought.of_situation < FEWEST_BOUNDED, sought.designs // sought.of_situation
    if sought.designs <= (FEW_IN_SMALL if small else SURELY_SOON[0]) and (small or situations <= SURELY_SOON[1]):
        return
    from dse.grid.estimate import needed

    measured = [needed(part.grid, sought.given, THROUGHPUT_AND_COST, sought.best)
                for part in (*sought.parts[:1], *sought.parts[1:][-1:])]
    share = len(sought.parts) / len(measured)
    needed_s = share * sum(one.seconds for one in measured)
    if needed_s > LONGEST_S:
        raise InputError(f"the sweep of {sought.designs:,} designs would take about {duration(needed_s)} and at most "
                         f"{duration(LONGEST_S)} are begun: take coarser axes (largest: {asked.asked.widest})")
    refuse_what_does_not_fit(share * sum(one.rows for one in measured), len(asked.columns) + len(Metrics._fields),
                             asked.asked.widest)


def _settled_in_blocks(sought: Sought) -> tuple[ResumedRun, list[Finished]]:
    """For each part the places of what may be best, by blocks of all its situations."""
    blocks = [SituationBlocks(part.grid, sought.given) for part in sought.parts]
    wanted = (THROUGHPUT_AND_COST, (sought.best,))
    run = ResumedRun((part.grid for part in sought.parts), wanted, sum(one.count for one in blocks), (1.0,))
    step = itertools.count()
    with run:
        return run, [_joined([run.places(next(step), partial(_finished, one, number, sought.best))
                              for number in range(one.count)]) for one in blocks]


def _finished(blocks: SituationBlocks, number: int, best: Objective) -> Finished:
    return Finished(*blocks.places(number, THROUGHPUT_AND_COST, best))


def _settled_one_by_one(sought: Sought) -> tuple[ResumedRun, list[Finished]]:
    """For each part the places of the fronts and the bests of its situations."""
    wanted, each = (THROUGHPUT_AND_COST, (sought.best,)), sought.of_situation
    run = ResumedRun((part.grid for part in sought.parts), wanted, sought.designs // each, FRONT_OVER_BEST)
    step, found = itertools.count(), []
    with run:
        for grid in (part.grid for part in sought.parts):
            own = []
            for first in range(0, grid.size, each):
                one = Grid(grid.design(first), grid.axes[sought.given:])
                settled = [run.front(next(step), one, objectives) for objectives in wanted]
                places = np.unique(np.concatenate([done.places for done in settled])) + first
                own.append(Finished(places, sum(done.evaluated for done in settled)))
            found.append(_joined(own))
    return run, found


def _joined(found: Sequence[Finished]) -> Finished:
    return Finished(np.sort(np.concatenate([one.places for one in found])), sum(one.evaluated for one in found))


def _columns(asked: Designs, sought: Sought, places: Sequence[Places]) -> Columns:
    """A row for each of the designs that is best in its situation, all worked out together."""
    counts = [len(own) for own in places]
    total = sum(counts)
    refuse_what_does_not_fit(total, len(asked.columns) + len(Metrics._fields), asked.asked.widest)
    metrics, kept, last = np.empty((len(Metrics._fields), total)), np.zeros(total, dtype=bool), 0
    for part, own, end in zip(sought.parts, places, itertools.accumulate(counts), strict=True):
        here = metrics[:, last:end]
        if len(own):
            evaluate_places(part.grid, own, "plain" if total < FEWEST_COMPILED else "compiled", here)
        kept[last + best_of_situations(here, own // sought.of_situation, THROUGHPUT_AND_COST, sought.best)] = True
        last = end
    metrics = metrics if kept.all() else metrics[:, kept]
    parts = np.split(kept, np.cumsum(counts)[:-1])
    labels = [_labels(part, own[here], asked.columns)
              for part, own, here in zip(sought.parts, places, parts, strict=True)]
    return {**{key: np.concatenate([one[key] for one in labels]) for key in asked.columns},
            **dict(zip(Metrics._fields, metrics, strict=True))}


def _labels(part: Part, places: Places, keys: Sequence[str]) -> Columns:
    """The columns that tell the designs at these places apart."""
    taken = dict(zip(part.values, np.unravel_index(places, part.grid.shape) if part.grid.axes else (), strict=True))
    return {key: np.asarray(part.values[key])[taken[key]] if key in taken else np.full(len(places), part.labels[key])
            for key in keys}
