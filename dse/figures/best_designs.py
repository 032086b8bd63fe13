"""The best design at each value of an axis, by panel and curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dse.figures.curve_axes import TECHNIQUE, CurveAxes, CurveName
from dse.figures.faceting import Facets
from dse.figures.table import REFERENCE, Axis, Columns, Flags, Floats, Rows, Value


class Best(NamedTuple):
    """The best feasible design of a curve; `gain` is how many times it betters the best without technique, or NaN."""

    x: float
    value: float
    gain: float
    row: int


class Curve(NamedTuple):
    """One curve of one panel: for each x the best feasible value, or NaN and then the best infeasible one."""

    name: CurveName
    x: Floats
    value: Floats
    infeasible: Floats
    rows: Rows
    best: Best | None


def best_rows(merit: Floats, ok: Flags, split: Facets, curves: CurveAxes, across: Axis) -> Rows:
    """For each panel, curve and x the row of the best design, a feasible one if there is any; -1 if none at all.

    The best has the largest `merit`; the first row where several do.
    """
    shape = (len(split.settings), len(curves.names), len(across.values))
    cells = np.where(split.codes < 0, -1, (split.codes * shape[1] + curves.codes) * shape[2] + across.codes)
    order = np.lexsort((np.where(np.isnan(merit), np.inf, -merit), ~ok, cells))
    seen, first = np.unique(cells[order], return_index=True)
    rows = np.full(shape[0] * shape[1] * shape[2], -1, dtype=np.intp)
    rows[seen[seen >= 0]] = order[first[seen >= 0]]
    return rows.reshape(shape)


def best_curve(name: CurveName, rows: Rows, across: Axis, values: Floats, better: float, ok: Flags) -> Curve:
    """The curve through the designs `rows`, one a value of `across`; gains are not yet known.

    `better` is 1 where more is better, -1 where less is.
    """
    there = rows >= 0
    rows = rows[there]
    x = np.asarray(across.values, dtype=np.float64)[there]
    value, infeasible = np.where(ok[rows], values[rows], np.nan), np.where(ok[rows], np.nan, values[rows])
    if not ok[rows].any():
        return Curve(name, x, value, infeasible, rows, None)
    top = int(np.nanargmax(better * value))
    return Curve(name, x, value, infeasible, rows, Best(float(x[top]), float(value[top]), np.nan, int(rows[top])))


def with_gain(curve: Curve, reference: float, better: float) -> Curve:
    """The curve with the gain of its best design over the value `reference`."""
    best = curve.best
    if best is None:
        return curve
    gain = best.value / reference if better > 0.0 else reference / best.value
    return curve._replace(best=best._replace(gain=gain))


def marked_values(columns: Columns, merit: Floats, ok: Flags, split: Facets,
                  having: Mapping[str, Value]) -> list[float]:
    """Largest merit in each panel of the feasible designs without a technique that have all of `having`; NaN if none.

    Without anything to have, no design is marked.
    """
    same = ok & np.equal(np.asarray(columns[TECHNIQUE]).astype(np.str_), REFERENCE) & bool(having)
    for key, value in having.items():
        if key in columns:
            column = np.asarray(columns[key])  # of words where one of the axis is, as in traffic.batch=8,max
            same = same & (column == (str(value) if column.dtype.kind == "U" else value))
    found = [merit[same & (split.codes == place)] for place in range(len(split.settings))]
    return [float(part.max()) if part.size else np.nan for part in found]
