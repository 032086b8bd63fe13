"""A search space with the model behind it: points to metrics, many at a time, by the compiled model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.case import Slot, case, row, slots
from dse.errors import InputError
from dse.objective import Metrics
from dse.search.space import Choice, Dimension, Interval, Point, PointKey, Space, point_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Compose = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Structure(NamedTuple):
    """One choice of all that is settled before numbers: the base row, and the dimensions that are numbers in it."""

    labels: Mapping[str, Any]
    base: tuple[float, ...]
    dimensions: tuple[Dimension, ...]
    slots: tuple[Slot, ...]

    @property
    def indices(self) -> tuple[int, ...]:
        """Places of the dimensions in the row."""
        return tuple(slot.index for slot in self.slots)

    def si(self, points: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """The dimensions' numbers in SI: (dimensions, points)."""
        import numpy as np

        found = [[slot.si(point[slot.key]) for point in points] for slot in self.slots]
        return np.array(found, dtype=float).reshape(len(self.slots), len(points))


@dataclass
class Problem:
    """What is searched. `compose` gives the configuration for values of the keys in `settled`.

    `settled` are the dimensions that are not one number of the compiled model: options of a group, names, and numbers
    that other values are derived from.
    """

    space: Space
    settled: tuple[str, ...]
    compose: Compose
    assumptions: Mapping[str, Any] = field(default_factory=dict)
    _structures: dict[PointKey, Structure | InputError] = field(default_factory=dict, repr=False)

    @cached_property
    def settled_dimensions(self) -> tuple[Dimension, ...]:
        """Dimensions that are settled by a configuration of their own."""
        return tuple(one for one in self.space.dimensions if one.key in self.settled)

    def labels(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """The settled part of a point."""
        return {key: point[key] for key in self.settled if key in point}

    def structure(self, point: Mapping[str, Any]) -> Structure:
        """The structure that a point belongs to; InputError where its settled values do not go together."""
        labels = self.labels(point)
        key = point_key(labels)
        if key not in self._structures:
            try:
                self._structures[key] = self._structure(labels)
            except InputError as error:
                self._structures[key] = error
        found = self._structures[key]
        if isinstance(found, InputError):
            raise found
        return found

    def possible(self, point: Mapping[str, Any]) -> bool:
        """The settled values of the point go together."""
        try:
            self.structure(point)
        except InputError:
            return False
        return True

    def _structure(self, labels: Mapping[str, Any]) -> Structure:
        config = self.compose(labels)
        places = slots(config)
        numbers = tuple(one for one in self.space.active(labels) if one.key not in self.settled)
        for one in numbers:
            if one.key not in places:
                raise InputError(f"{one.key} is not a number of this configuration ({_said(labels)})")
            _check(one, places[one.key])
        return Structure(dict(labels), row(case(config)), numbers, tuple(places[one.key] for one in numbers))

    def metrics(self, points: Sequence[Point]) -> NDArray[np.float64]:
        """(metrics, points), by the compiled model, one call a structure."""
        import numpy as np

        out = np.empty((len(Metrics._fields), len(points)))
        members: dict[PointKey, list[int]] = {}
        for place, point in enumerate(points):
            members.setdefault(point_key(self.labels(point)), []).append(place)
        for places in members.values():
            chosen = [points[place] for place in places]
            structure = self.structure(chosen[0])
            out[:, places] = evaluated(structure, structure.si(chosen))
        return out


def evaluated(structure: Structure, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """(metrics, designs) for the dimensions' numbers in SI, (dimensions, designs)."""
    from dse.grid.evaluate import evaluate, evaluate_columns
    from dse.grid.grid import Grid

    if not structure.slots:
        return evaluate(Grid(structure.base)).repeat(numbers.shape[1], axis=1)
    return evaluate_columns(structure.base, structure.indices, numbers)


def _check_ends(dimension: Dimension, slot: Slot) -> None:
    """InputError where the ends of the domain are not allowed for the key."""
    domain = dimension.domain
    for value in (domain.low, domain.high) if isinstance(domain, Interval) else domain.choices:
        if not (slot.field.integer and isinstance(value, float) and isinstance(domain, Interval)):
            slot.si(value)
        else:
            slot.si(float(math.floor(value)))


def _check(dimension: Dimension, slot: Slot) -> None:
    """InputError where the domain's values are not allowed for the key."""
    domain = dimension.domain
    _check_ends(dimension, slot)
    if slot.field.integer and isinstance(domain, Interval) and not domain.integer:
        raise InputError(f"{dimension.key}={domain} is not allowed: {slot.key} takes whole numbers")


def whole(dimension: Dimension, places: Mapping[str, Slot]) -> Dimension:
    """The dimension in whole numbers, where its key takes no others; InputError where its values are not allowed."""
    domain, slot = dimension.domain, places.get(dimension.key)
    if isinstance(domain, Interval) and slot is not None and slot.field.boolean:
        raise InputError(f"{dimension.key}={domain} is not allowed: {dimension.key} takes {slot.field.allowed()}; list "
                         "its values")
    if slot is not None and (isinstance(domain, Interval) or domain.numeric):
        _check_ends(dimension, slot)
    if slot is None or not slot.field.integer or isinstance(domain, Choice) or domain.integer or domain.step:
        return dimension
    if domain.low != int(domain.low) or domain.high != int(domain.high):
        raise InputError(f"{dimension.key}={domain} is not allowed: {dimension.key} takes {slot.field.allowed()}, so "
                         "that both ends must be whole")
    return Dimension(dimension.key, Interval(domain.low, domain.high, domain.log, True), dimension.when)


def _said(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "as configured"
