"""A sweep without a table: the exact front and the best designs of grids of any size."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dse.cli.designs import Designs
from dse.figures.labels import is_chosen, quantity
from dse.grid.evaluate import evaluate_rows
from dse.grid.exact import exact_front
from dse.grid.front import Objective
from dse.grid.grid import Grid
from dse.grid.table import Columns, Part
from dse.objective import Metrics

THROUGHPUT_AND_COST = (Objective("throughput_tokens_per_s", maximise=True), Objective("group_usd"))
BETWEEN_LINES_S = 10.0


class Fronts(NamedTuple):
    """The designs on a front, as columns; how many designs there are, were evaluated, and were proved not to matter."""

    table: Columns
    designs: int
    evaluated: int


def fronts(asked: Designs) -> Fronts:
    """The designs of every exact front of throughput and cost, and of the objective and cost, in each situation.

    The best by the objective is the end of the second front, so that it is exact too.
    """
    pieces = [piece for one in asked.compositions for part in asked.parts(one) for piece in _situations(part)]
    both = [THROUGHPUT_AND_COST]
    if asked.objective not in {objective.metric for objective in THROUGHPUT_AND_COST}:
        upward = quantity(asked.objective).better > 0.0
        both.append((Objective(asked.objective, maximise=upward), THROUGHPUT_AND_COST[1]))
    tables, evaluated = [], 0
    tell = _progress(len(pieces) * len(both))
    for place, (piece, objectives) in enumerate(itertools.product(pieces, both)):
        found = exact_front(piece.grid, objectives, partial(tell, place))
        evaluated += found.evaluated
        tables.append(_columns(piece, found.front.places, asked.columns))
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    return Fronts(_without_repeats(joined, asked.columns), sum(piece.grid.size for piece in pieces), evaluated)


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


def _without_repeats(table: Columns, keys: Sequence[str]) -> Columns:
    """Each design once: one on two fronts was found twice."""
    seen = list(zip(*(table[key].tolist() for key in keys), strict=True))
    first = sorted({design: place for place, design in reversed(list(enumerate(seen)))}.values())
    return {name: column[first] for name, column in table.items()}


def _progress(steps: int) -> Callable[[float, float], None]:
    """Tells the share done and the time left on standard error, one line rewritten on a terminal, else now and then."""
    started = time.monotonic()
    told = started

    def tell(before: float, within: float) -> None:
        nonlocal told
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        if now - told < (0.2 if terminal else BETWEEN_LINES_S):
            return
        told = now
        share = (before + within) / steps
        left_s = (now - started) * (1.0 - share) / share if share > 0.0 else float("inf")
        sys.stderr.write(f"{share:.1%} of the designs settled, {left_s:,.0f} s left" + ("\r" if terminal else "\n"))
        sys.stderr.flush()

    return tell
