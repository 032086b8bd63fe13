"""Designs and their metrics as columns: what a sweep tabulates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dse.grid.evaluate import evaluate
from dse.grid.grid import Grid
from dse.objective import Metrics

Columns = dict[str, npt.NDArray[Any]]


class Part(NamedTuple):
    """A grid whose designs share `labels`; `values` names its axes and their values in the keys' own units."""

    labels: Mapping[str, Any]
    values: Mapping[str, Sequence[Any]]
    grid: Grid


def tabulate(parts: Sequence[Part], keys: Sequence[str]) -> Columns:
    """One row a design, parts one after the other: the columns `keys` (axes and labels), then every metric.

    Values stand in the units of their keys, metrics in SI; `feasible` is 0 or 1.
    """
    found = [_columns(part, keys) for part in parts]
    return {name: np.concatenate([columns[name] for columns in found]) for name in (*keys, *Metrics._fields)}


def _columns(part: Part, keys: Sequence[str]) -> Columns:
    metrics = evaluate(part.grid)
    shape = [len(values) for values in part.values.values()]
    columns: Columns = {}
    for key in keys:
        if key in part.labels:
            columns[key] = np.full(part.grid.size, part.labels[key])
        else:
            columns[key] = _spread(np.asarray(part.values[key]), list(part.values).index(key), shape)
    return {**columns, **dict(zip(Metrics._fields, metrics, strict=True))}


def _spread(values: npt.NDArray[Any], place: int, shape: Sequence[int]) -> npt.NDArray[Any]:
    """`values` of axis `place` at every design of a grid of `shape` in C order."""
    inner = math.prod(shape[place + 1:])
    outer = math.prod(shape[:place])
    return np.tile(np.repeat(values, inner), outer)
