"""Which axes of a table become panels, which are reduced to their best, and which a figure must refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.labels import is_chosen, quantity, setting_text, uncapital
from dse.figures.table import Axis, Columns, Rows, Value, column, varying

PREFERRED = ("hardware.hbm_gb_per_s", "hardware.link_gb_per_s")
MOST_OPTIONS = {1: (9,), 2: (6, 4)}
MOST_NUMBERS = {1: (6,), 2: (4, 4)}


class Facets(NamedTuple):
    """The panels of a figure, row by row, and what is to be said of the axes that are not seen.

    `settings`: for each panel its values as (key, value) pairs. `codes`: the panel of each row of the table, -1 for
    none. `notes`: a sentence for each axis that is reduced to its best, or of which some values are left out.
    """

    rows: int
    columns: int
    settings: tuple[tuple[tuple[str, Value], ...], ...]
    codes: Rows
    notes: tuple[str, ...]


def facets(columns: Columns, leave_out: Sequence[str], chosen: Sequence[str] | None = None) -> Facets:
    """Panels over at most two of the axes that vary beside those in `leave_out`.

    `chosen` names them; else they are what no designer chooses (model, traffic, assumptions: the best over these would
    mean nothing), then HBM and link bandwidth, then the table's order. The axes that remain are a designer's to choose,
    and the best over them is shown. InputError where an axis that must be a panel cannot be one.
    """
    free = {axis.key: axis for axis in varying(columns, leave_out)}
    axes = [free[key] for key in _panel_keys(free, chosen)]
    kept = [_kept(axis, place, len(axes)) for place, axis in enumerate(axes)]
    settings = tuple(tuple((axis.key, axis.values[place]) for axis, place in zip(axes, places, strict=True))
                     for places in product(*kept))
    size = len(next(iter(columns.values())))
    notes = [*(_best_over(axis) for key, axis in free.items() if axis not in axes),
             *(_left_out(axis, len(places)) for axis, places in zip(axes, kept, strict=True)
               if len(places) < len(axis.values))]
    return Facets(*_grid([len(places) for places in kept]), settings, _codes(axes, kept, size), tuple(notes))


def _panel_keys(free: Mapping[str, Axis], chosen: Sequence[str] | None) -> list[str]:
    """Keys of the panels' axes: none, one, or that of the rows and that of the columns."""
    must = [key for key in free if not is_chosen(key)]
    if chosen is None:
        first = [key for key in PREFERRED if key in free]
        chosen = [*must, *first, *(key for key in free if key not in must and key not in first)][:2]
    missing = [key for key in must if key not in chosen]
    if missing:
        raise InputError(f"{', '.join(missing)} varies and the best over it would mean nothing: make it one of at most "
                         f"two panel axes, or fix it, as in {missing[0]}={free[missing[0]].values[0]}")
    if len(chosen) > 2:
        raise InputError(f"panels={','.join(chosen)} names {len(chosen)} axes: at most two can be panels")
    keys = [key for key in chosen if key in free]
    # Across, then down; options go down, where there is more room.
    return keys if len(keys) == 2 and isinstance(free[keys[0]].values[0], str) else keys[::-1]


def _kept(axis: Axis, place: int, axes: int) -> tuple[int, ...]:
    """Places of the values that are shown: all options; of numbers lowest, highest and some evenly between."""
    count, options = len(axis.values), isinstance(axis.values[0], str)
    most = (MOST_OPTIONS if options else MOST_NUMBERS)[axes][place]
    if count <= most:
        return tuple(range(count))
    if options:
        raise InputError(f"{axis.key} has {count} values and there is room for {most} panels: fix it, as in "
                         f"{axis.key}={axis.values[0]}, or choose fewer")
    return tuple(round(step * (count - 1) / (most - 1)) for step in range(most))


def _codes(axes: Sequence[Axis], kept: Sequence[tuple[int, ...]], size: int) -> Rows:
    codes = np.zeros(size, dtype=np.intp)
    for axis, places in zip(axes, kept, strict=True):
        place_of = np.full(len(axis.values), -1, dtype=np.intp)
        place_of[list(places)] = np.arange(len(places))
        here = place_of[axis.codes]
        codes = np.where((codes < 0) | (here < 0), -1, codes * len(places) + here)
    return codes


def _grid(counts: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of panels; a single axis is wrapped."""
    if len(counts) == 2:
        return counts[0], counts[1]
    count = counts[0] if counts else 1
    across = 2 if count == 4 else min(3, count)
    return -(-count // across), across


def _best_over(axis: Axis) -> str:
    of = quantity(axis.key)
    if isinstance(axis.values[0], str):
        return f"each point: the best of {len(axis.values)} options of {uncapital(of.name)}"
    low, high = axis.values[0], axis.values[-1]
    if of.switch:
        return f"each point: the better of {setting_text(axis.key, low)} and {setting_text(axis.key, high)}"
    return f"each point: the best of {setting_text(axis.key, low)} to {setting_text(axis.key, high, named=False)}"


def _left_out(axis: Axis, kept: int) -> str:
    return f"{kept} of {len(axis.values)} values of {uncapital(quantity(axis.key).name.split(',')[0])} shown"


def situations(columns: Columns, given: Sequence[str], most: int) -> list[tuple[Value, ...]]:
    """The combinations of the keys `given` that are in a table, in its order; one without a value where none is given.

    InputError where there are more than `most`, the panels that there is room for.
    """
    found = list(dict.fromkeys(zip(*(column(columns, key).tolist() for key in given), strict=True))) or [()]
    if len(found) > most:
        raise InputError(f"{', '.join(given)} have {len(found)} combinations and there is room for {most} panels: fix "
                         f"one, as in {given[0]}={found[0][0]}")
    return found
