"""Which designs compete with which: those of one situation with one technique."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from dse.grid.table import Columns
from dse.uncertainty.ensemble import Places

TECHNIQUE = "technique"


class Kind(NamedTuple):
    """A class of designs that compete: the situation (values of what no designer chooses) and the technique."""

    situation: tuple[Any, ...]
    technique: str


class Competition(NamedTuple):
    """The designs' columns, and the numbers of class and group of each design, by first appearance.

    `given`: keys of the situation; `chosen`: axes that are a designer's to choose; `along`: the one that is asked
    about. A group holds the designs of one class with one value of it; without it a class is one group.
    """

    columns: Columns
    given: tuple[str, ...]
    chosen: tuple[str, ...]
    along: str | None
    kinds: tuple[Kind, ...]
    classes: Places
    groups: Places

    def situations(self) -> Iterator[tuple[tuple[Any, ...], dict[str, int]]]:
        """Each situation and its classes by technique."""
        for situation in dict.fromkeys(kind.situation for kind in self.kinds):
            yield situation, {kind.technique: place for place, kind in enumerate(self.kinds)
                              if kind.situation == situation}

    def members(self, kind: int) -> Places:
        """The designs of a class."""
        return np.flatnonzero(self.classes == kind)


def competition(columns: Columns, given: Sequence[str], chosen: Sequence[str], along: str | None) -> Competition:
    """The competition among designs with these columns, one of which is the technique."""
    situations = zip(*(columns[key].tolist() for key in given), strict=True) if given else ((),) * len(
        columns[TECHNIQUE])
    kinds = [Kind(tuple(situation), technique) for situation, technique in
             zip(situations, columns[TECHNIQUE].tolist(), strict=True)]
    distinct, classes = _numbered(kinds)
    values = columns[along].tolist() if along else [None] * len(kinds)
    _, groups = _numbered(zip(classes.tolist(), values, strict=True))
    return Competition(columns, tuple(given), tuple(chosen), along, tuple(distinct), classes, groups)


def _numbered(keys: Iterable[Hashable]) -> tuple[list[Any], Places]:
    """The distinct keys by first appearance, and the number of each."""
    numbers: dict[Hashable, int] = {}
    codes = [numbers.setdefault(key, len(numbers)) for key in keys]
    return list(numbers), np.array(codes, dtype=np.intp)
