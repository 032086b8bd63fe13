"""A grid of designs: a base row of numbers and the axes along which some of them vary."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dse.errors import InputError


@dataclass(frozen=True)
class Axis:
    """The values, in SI, that the number at `index` of the flat row takes."""

    index: int
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError(f"the axis of slot {self.index} has no value: an axis takes at least one")
        if any(math.isnan(value) for value in self.values):
            raise InputError(f"the axis of slot {self.index} has a value that is not a number: an axis takes numbers")


@dataclass(frozen=True)
class Grid:
    """All combinations of the axes' values on a base row, in C order: the last axis varies fastest."""

    base: tuple[float, ...]
    axes: tuple[Axis, ...] = ()

    def __post_init__(self) -> None:
        taken: set[int] = set()
        for axis in self.axes:
            if not 0 <= axis.index < len(self.base):
                raise InputError(f"the axis of slot {axis.index} is not allowed: the row has slots 0 to "
                                 f"{len(self.base) - 1}")
            if axis.index in taken:
                raise InputError(f"the axis of slot {axis.index} is there twice: a slot takes one axis")
            taken.add(axis.index)

    @property
    def shape(self) -> tuple[int, ...]:
        """Values on each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def size(self) -> int:
        """Designs of the grid."""
        return math.prod(self.shape)

    def design(self, position: int) -> tuple[float, ...]:
        """The row of the design at `position` in C order."""
        numbers = list(self.base)
        for axis in reversed(self.axes):
            position, place = divmod(position, len(axis.values))
            numbers[axis.index] = axis.values[place]
        return tuple(numbers)
