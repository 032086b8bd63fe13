"""Reading a results table: columns by name, one row a design and technique."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.figures.labels import GROUPS, group

Columns: TypeAlias = Mapping[str, NDArray[Any]]
Value: TypeAlias = float | str
Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
Flags: TypeAlias = NDArray[np.bool_]

REFERENCE = "none"
"""The technique that every other is set against."""

FEW = 64


class Axis(NamedTuple):
    """An axis of the table: its distinct values in ascending order, and the place of each row's value among them."""

    key: str
    values: tuple[Value, ...]
    codes: Rows


def column(columns: Columns, key: str) -> NDArray[Any]:
    """The column `key`: float64, or str for options. InputError where it is missing or empty."""
    if key not in columns:
        raise InputError(f"the results have no column {key}: it must be one of {', '.join(sorted(columns))}")
    found = np.asarray(columns[key])
    if found.size == 0:
        raise InputError(f"the results have no rows in column {key}: a figure needs at least one")
    if found.dtype.kind in "biuf":
        return found.astype(np.float64)
    return found.astype(np.str_)


def numbers(columns: Columns, key: str) -> Floats:
    """The column `key`, which must hold numbers; InputError where it holds options."""
    found = column(columns, key)
    if found.dtype.kind != "f":
        raise InputError(f"column {key} holds {found[0]}: the figure needs numbers there")
    return found


def feasible(columns: Columns) -> Flags:
    """Whether each row meets all of its limits."""
    return np.equal(numbers(columns, "feasible"), 1.0)


def axis(columns: Columns, key: str) -> Axis:
    """The axis `key` of the table."""
    found = column(columns, key)
    if found.dtype.kind == "f":
        values, codes = np.unique(found, return_inverse=True)
        return Axis(key, tuple(float(value) for value in values), codes.astype(np.intp))
    return _options(key, found)


def varying(columns: Columns, leave_out: Iterable[str] = ()) -> tuple[Axis, ...]:
    """The axes with more than one value, in the table's order, but for those to leave out."""
    skip = set(leave_out)
    keys = [key for key in columns if group(key) in GROUPS and key not in skip]
    return tuple(found for found in (axis(columns, key) for key in keys) if len(found.values) > 1)


def where(columns: Columns, fixed: Mapping[str, Value]) -> dict[str, NDArray[Any]]:
    """The rows that have the values `fixed`; InputError where none has."""
    size = len(next(iter(columns.values())))
    keep = np.ones(size, dtype=np.bool_)
    for key, value in fixed.items():
        keep &= column(columns, key) == value
    if not keep.any():
        wanted = ", ".join(f"{key}={value}" for key, value in fixed.items())
        raise InputError(f"no row of the results has {wanted}")
    return {key: np.asarray(values)[keep] for key, values in columns.items()}


def techniques(columns: Columns) -> Axis:
    """The techniques of the table, the reference first, the others by name."""
    found = axis(columns, "technique")
    if REFERENCE not in found.values:
        return found
    place = found.values.index(REFERENCE)
    order = [place, *(other for other in range(len(found.values)) if other != place)]
    moved = np.argsort(np.asarray(order, dtype=np.intp))
    return Axis("technique", tuple(found.values[old] for old in order), moved[found.codes].astype(np.intp))


def _options(key: str, found: NDArray[Any]) -> Axis:
    """Distinct words by one comparison of the column for each, which for few of them is far quicker than a sort."""
    left = np.ones(found.size, dtype=np.bool_)
    values: list[str] = []
    while left.any() and len(values) < FEW:
        values.append(str(found[int(np.argmax(left))]))
        left &= found != values[-1]
    if left.any():
        words, codes = np.unique(found, return_inverse=True)
        return Axis(key, tuple(str(word) for word in words), codes.astype(np.intp))
    values.sort()
    codes = np.zeros(found.size, dtype=np.intp)
    for place, word in enumerate(values):
        codes[found == word] = place
    return Axis(key, tuple(values), codes)
