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
    found, last = np.empty((len(Metrics._fields), sum(part.grid.size for part in parts))), 0
    for part in parts:
        evaluate(part.grid, out=found[:, last:last + part.grid.size])
        last += part.grid.size
    return {**design_columns(parts, keys), **dict(zip(Metrics._fields, found, strict=True))}


def design_columns(parts: Sequence[Part], keys: Sequence[str]) -> Columns:
    """One row a design, parts one after the other: the columns `keys` (axes and labels) alone."""
    return {key: np.concatenate([_column(part, key) for part in parts]) for key in keys}


def _column(part: Part, key: str) -> npt.NDArray[Any]:
    if key in part.labels:
        return np.full(part.grid.size, part.labels[key])
    shape = [len(values) for values in part.values.values()]
    return _spread(np.asarray(part.values[key]), list(part.values).index(key), shape)


def _spread(values: npt.NDArray[Any], place: int, shape: Sequence[int]) -> npt.NDArray[Any]:
    """`values` of axis `place` at every design of a grid of `shape` in C order."""
    inner = math.prod(shape[place + 1:])
    outer = math.prod(shape[:place])
    return np.tile(np.repeat(values, inner), outer)
