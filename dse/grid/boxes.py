"""Boxes of a grid: a range of places on each axis, many of them side by side."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Boxes(NamedTuple):
    """Ranges of places on each axis, both ends inside: (axes, boxes)."""

    low: Integers
    high: Integers

    @property
    def number(self) -> int:
        """How many boxes."""
        return int(self.low.shape[1])

    def designs(self) -> Integers:
        """Designs in each box."""
        return np.asarray(np.prod(self.high - self.low + 1, axis=0))

    def of(self, which: Mask | Integers | slice) -> Boxes:
        """Some of the boxes."""
        return Boxes(self.low[:, which], self.high[:, which])

    def members(self) -> Integers:
        """The places on each axis of all designs in the boxes: (axes, designs)."""
        counts = self.designs()
        owner = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        found = np.empty((len(self.low), len(owner)), dtype=np.int64)
        for axis in range(len(self.low) - 1, -1, -1):
            number, place = np.divmod(number, (self.high - self.low + 1)[axis, owner])
            found[axis] = self.low[axis, owner] + place
        return found

    def halves(self, axis: Integers) -> Boxes:
        """Each box cut in two on the axis given for it."""
        own = np.arange(len(axis))
        middle = (self.low[axis, own] + self.high[axis, own]) // 2
        first, second = self.high.copy(), self.low.copy()
        first[axis, own], second[axis, own] = middle, middle + 1
        return Boxes(np.concatenate([self.low, second], axis=1), np.concatenate([first, self.high], axis=1))


def range_minima(places: Integers) -> list[Integers]:
    """A sparse table: in row k the least of each 2**k neighbours."""
    rows = [places]
    while 2 ** len(rows) <= len(places):
        half = 2 ** (len(rows) - 1)
        rows.append(np.minimum(rows[-1][:-half], rows[-1][half:]))
    return rows


def least_within(minima: list[Integers], low: Integers, high: Integers) -> Integers:
    """The least of `range_minima` between `low` and `high`, both inside."""
    found = np.empty(len(low), dtype=np.int64)
    step = np.frexp(high - low + 1.0)[1] - 1
    for row in np.unique(step):
        own = step == row
        found[own] = np.minimum(minima[row][low[own]], minima[row][high[own] - 2**row + 1])
    return found
