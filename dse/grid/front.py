"""A Pareto front that grows, and the table by which a compiled loop rules out what it already beats."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dse.errors import InputError
from dse.grid.pareto import front_places, sort_keys
from dse.objective import Metrics

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
BUCKETS = {1: 1, 2: 4096, 3: 128, 4: 32}  # of each objective but the last, by the number of objectives


class Objective(NamedTuple):
    """A metric to be minimised, or maximised."""

    metric: str
    maximise: bool = False


class Front(NamedTuple):
    """Designs that no other beats: places in the grid, rising, and objectives (one a row), to be minimised.

    Of a single objective the front is its best design.
    """

    places: Integers
    values: Numbers


class Table(NamedTuple):
    """For each bucket of all objectives but the last: the least last objective of the front in lower buckets of all
    the others, NaN where there is none. `scales` has origin, limit, shift and buckets for each.

    Of a single objective the one cell holds the next number above the best: an equal design may stand earlier in the
    grid, and is not ruled out.
    """

    cells: Numbers
    scales: Integers


def checked(objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
    """`objectives`, if they make a front: InputError where there are not one to four different metrics."""
    names = [objective.metric for objective in objectives]
    if len(names) not in BUCKETS or len(set(names)) != len(names):
        raise InputError(f"objectives={', '.join(names)} is not allowed: a Pareto front takes 1 to 4 different metrics")
    for name in names:
        if name not in Metrics._fields:
            raise InputError(f"objective={name} is not allowed: choose one of {', '.join(Metrics._fields)}")
    return objectives


def empty_front(objectives: int) -> Front:
    """No design yet."""
    return Front(np.empty(0, dtype=np.int64), np.empty((objectives, 0)))


def merged(first: Front, second: Front) -> Front:
    """The front of the designs of both; of equal ones the first in the grid. Merging is associative."""
    places = np.concatenate([first.places, second.places])
    values = np.concatenate([first.values, second.values], axis=1)
    order = np.argsort(places, kind="stable")
    kept = order[front_places(values[:, order])]
    return Front(places[kept], values[:, kept])


def table(front: Front, finer: int = 1) -> Table:
    """The table of a front; `finer`, a power of two, times as many buckets as compiled loops look into."""
    objectives = len(front.values)
    if objectives == 1:
        return Table(_above_the_best(front), np.empty((0, 4), dtype=np.int64))
    most = BUCKETS[objectives] * finer
    shape = (most,) * (objectives - 1)
    cells = np.full(shape, np.nan)
    if not len(front.places):
        return Table(cells, np.tile(np.array([0, 0, 0, most]), (objectives - 1, 1)))
    scales, buckets = [], []
    for values in front.values[:-1]:
        keys = sort_keys(np.ascontiguousarray(values))
        origin, reach = int(keys.min()), int(keys.max()) - int(keys.min())
        shift = next(shift for shift in range(64) if (reach >> shift) + 1 < most)
        beyond = origin + (((reach >> shift) + 1) << shift)  # the last bucket is for what lies above the whole front
        scales.append((origin, min(beyond, 2**63 - 1), shift, most))
        buckets.append(((keys - np.int64(origin)).view(np.uint64) >> np.uint64(shift)).astype(np.intp))
    np.fmin.at(cells, tuple(buckets), front.values[-1])
    for axis in range(objectives - 1):
        cells = np.fmin.accumulate(cells, axis=axis)
    lower = np.full(shape, np.nan)
    lower[(slice(1, None),) * (objectives - 1)] = cells[(slice(None, -1),) * (objectives - 1)]
    return Table(lower, np.array(scales, dtype=np.int64))


def _above_the_best(front: Front) -> Numbers:
    best = front.values.min(initial=np.inf)
    return np.array(np.nan if best == np.inf else np.nextafter(best, np.inf))
