"""A sweep without a table: the exact front and the best designs of grids of any size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dse.cli.designs import Designs
from dse.cli.progress import duration
from dse.cli.resumed import ResumedRun
from dse.errors import InputError
from dse.figures.labels import is_chosen, quantity
from dse.grid.estimate import estimated_s
from dse.grid.evaluate import evaluate_rows
from dse.grid.front import Objective
from dse.grid.grid import Grid
from dse.grid.table import Columns, Part
from dse.objective import Metrics

THROUGHPUT_AND_COST = (Objective("throughput_tokens_per_s", maximise=True), Objective("group_usd"))
SURELY_SOON = (10**10, 2000)  # designs and fronts of a sweep whose time is not estimated before it begins
LONGEST_S = 7 * 86400.0


class Fronts(NamedTuple):
    """The designs on a front and the best ones, as columns; how many designs there are and were evaluated; the run."""

    table: Columns
    designs: int
    evaluated: int
    run: ResumedRun


def fronts(asked: Designs) -> Fronts:
    """The exact front of throughput and cost and the exact best by the objective, in each situation.

    The same command goes on with what an interrupted one has settled. InputError where it would take too long.
    """
    parts = [part for one in asked.compositions for part in asked.parts(one)]
    wanted = (THROUGHPUT_AND_COST, (Objective(asked.objective, maximise=quantity(asked.objective).better > 0.0),))
    count = sum(_situation_count(part) for part in parts)
    designs = sum(part.grid.size for part in parts)
    if designs > SURELY_SOON[0] or count > SURELY_SOON[1]:
        _refuse_what_would_not_finish(asked, next(_situations(parts[0])).grid, wanted, designs, count)
    run = ResumedRun((part.grid for part in parts), wanted, count)
    tables, evaluated, step = [], 0, itertools.count()
    with run:
        for piece in (piece for part in parts for piece in _situations(part)):
            settled = [run.front(next(step), piece.grid, objectives) for objectives in wanted]
            evaluated += sum(one.evaluated for one in settled)
            tables.append(_columns(piece, np.unique(np.concatenate([one.places for one in settled])), asked.columns))
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    return Fronts(joined, designs, evaluated, run)


def _refuse_what_would_not_finish(asked: Designs, grid: Grid, wanted: Sequence[tuple[Objective, ...]], designs: int,
                                  count: int) -> None:
    needed_s = count * sum(estimated_s(grid, objectives) for objectives in wanted)
    if needed_s > LONGEST_S:
        raise InputError(f"the sweep of {designs:,} designs would take about {duration(needed_s)} and at most "
                         f"{duration(LONGEST_S)} are begun: take coarser axes (largest: {asked.asked.widest})")


def _situation_count(part: Part) -> int:
    return math.prod(len(values) for key, values in part.values.items() if not is_chosen(key))


def _situations(part: Part) -> Iterator[Part]:
    """The part cut along the axes that no designer chooses, over which no front may be taken."""
    given = [place for place, key in enumerate(part.values) if not is_chosen(key)]
    keys = list(part.values)
    for values in itertools.product(*(range(len(part.values[keys[place]])) for place in given)):
        fixed = dict(zip(given, values, strict=True))
        base = list(part.grid.base)
        for place, value in fixed.items():
            base[part.grid.axes[place].index] = part.grid.axes[place].values[value]
        labels = {**part.labels, **{keys[place]: part.values[keys[place]][value] for place, value in fixed.items()}}
        free = {key: taken for place, (key, taken) in enumerate(part.values.items()) if place not in fixed}
        axes = tuple(axis for place, axis in enumerate(part.grid.axes) if place not in fixed)
        yield Part(labels, free, Grid(tuple(base), axes))


def _columns(piece: Part, places: npt.NDArray[np.int64], keys: Sequence[str]) -> Columns:
    count = len(places)
    taken = np.unravel_index(places, piece.grid.shape) if piece.grid.axes else ()
    columns: Columns = {key: np.full(count, piece.labels[key]) for key in keys if key in piece.labels}
    for (key, values), own in zip(piece.values.items(), taken, strict=True):
        columns[key] = np.asarray(values)[own]
    rows = np.array([piece.grid.design(int(place)) for place in places]).reshape(count, len(piece.grid.base)).T
    metrics = evaluate_rows(rows) if count else np.empty((len(Metrics._fields), 0))
    return {**{key: columns[key] for key in keys}, **dict(zip(Metrics._fields, metrics, strict=True))}
