"""The best design at each value of an axis, by panel and technique."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dse.figures.faceting import Facets
from dse.figures.table import Axis, Flags, Floats, Rows


class Best(NamedTuple):
    """The best feasible design of a curve; `gain` is its value over the best without technique (NaN if unknown)."""

    x: float
    value: float
    gain: float
    row: int


class Curve(NamedTuple):
    """One technique in one panel: for each x the best feasible value, or NaN and then the best infeasible one."""

    technique: str
    x: Floats
    value: Floats
    infeasible: Floats
    rows: Rows
    best: Best | None


def best_rows(values: Floats, ok: Flags, split: Facets, named: Axis, across: Axis) -> Rows:
    """For each panel, technique and x the row of the best design, a feasible one if there is any; -1 if none at all."""
    shape = (len(split.settings), len(named.values), len(across.values))
    cells = np.where(split.codes < 0, -1, (split.codes * shape[1] + named.codes) * shape[2] + across.codes)
    order = np.lexsort((np.where(np.isnan(values), np.inf, -values), ~ok, cells))
    seen, first = np.unique(cells[order], return_index=True)
    rows = np.full(shape[0] * shape[1] * shape[2], -1, dtype=np.intp)
    rows[seen[seen >= 0]] = order[first[seen >= 0]]
    return rows.reshape(shape)


def best_curve(technique: str, rows: Rows, across: Axis, values: Floats, ok: Flags) -> Curve:
    """The curve through the designs `rows`, one a value of `across`; gains are not yet known."""
    there = rows >= 0
    rows = rows[there]
    x = np.asarray(across.values, dtype=np.float64)[there]
    value, infeasible = np.where(ok[rows], values[rows], np.nan), np.where(ok[rows], np.nan, values[rows])
    if not ok[rows].any():
        return Curve(technique, x, value, infeasible, rows, None)
    top = int(np.nanargmax(value))
    return Curve(technique, x, value, infeasible, rows, Best(float(x[top]), float(value[top]), np.nan, int(rows[top])))


def with_gain(curve: Curve, reference: float) -> Curve:
    """The curve with the gain of its best design over the value `reference`."""
    best = curve.best
    return curve._replace(best=best._replace(gain=best.value / reference)) if best else curve
