"""Which axes of a table tell curves apart: the technique, and what is set about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from dse.figures.labels import group, option_name, setting_text
from dse.figures.table import REFERENCE, Axis, Columns, Rows, Value, techniques, varying

TECHNIQUE = "technique"
MOST_CURVES = 6


class CurveName(NamedTuple):
    """What a curve stands for: a technique, and its settings as (key, value) pairs where they vary."""

    technique: str
    settings: tuple[tuple[str, Value], ...] = ()

    def key(self) -> str:
        """The technique's own name where nothing is set about it: what curve styles go by."""
        return ", ".join([self.technique, *(f"{key}={value}" for key, value in self.settings)])

    def text(self) -> str:
        """As people write it."""
        return ", ".join([option_name(self.technique), *(setting_text(key, value) for key, value in self.settings)])


class CurveAxes(NamedTuple):
    """The curves of a figure, the reference first; `codes`: that of each row; `keys`: axes that became curves."""

    keys: tuple[str, ...]
    names: tuple[CurveName, ...]
    codes: Rows


def curve_axes(columns: Columns, leave_out: Sequence[str]) -> CurveAxes:
    """A curve for each technique and for each value of its own axes (`technique.*`), as far as there is room for them.

    The reference has one curve, whatever is set about techniques. Axes in `leave_out` make no curves.
    """
    named = techniques(columns)
    about = [axis for axis in varying(columns, (*leave_out, TECHNIQUE)) if group(axis.key) == TECHNIQUE]
    own = _with_room(named, about)
    names: list[CurveName] = []
    codes = np.zeros(named.codes.size, dtype=np.intp)
    for name, here in _parts(named, own):
        codes[here] = len(names)
        names.append(name)
    return CurveAxes(tuple(axis.key for axis in own), tuple(names), codes)


def _with_room(named: Axis, axes: Sequence[Axis]) -> list[Axis]:
    """Those axes, in the table's order, whose values times the techniques stay within the curves that there may be."""
    count = sum(name != REFERENCE for name in named.values)
    kept = []
    for axis in axes:
        if count * len(axis.values) <= MOST_CURVES:
            count *= len(axis.values)
            kept.append(axis)
    return kept


def _parts(named: Axis, axes: Sequence[Axis]) -> Iterator[tuple[CurveName, Rows]]:
    """Each curve that has rows, with these."""
    for place, technique in enumerate(named.values):
        mine = np.flatnonzero(named.codes == place)
        if technique == REFERENCE or not axes:
            yield CurveName(str(technique)), mine
            continue
        for chosen in product(*(range(len(axis.values)) for axis in axes)):
            same = [axis.codes[mine] == code for axis, code in zip(axes, chosen, strict=True)]
            rows = mine[np.logical_and.reduce(same)]
            if rows.size:
                yield CurveName(str(technique), tuple((axis.key, axis.values[code])
                                                      for axis, code in zip(axes, chosen, strict=True))), rows
