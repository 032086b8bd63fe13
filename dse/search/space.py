"""The space of a search: what may vary, between which values, and under which condition."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dse.errors import InputError

Point = dict[str, Any]
PointKey = tuple[tuple[str, Any], ...]
ROUNDING = 1e-9


@dataclass(frozen=True)
class Interval:
    """Numbers from `low` to `high`, both allowed; whole ones if `integer`, in steps if `step`, log-scaled if `log`."""

    low: float
    high: float
    log: bool = False
    integer: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise InputError(f"{self} is not allowed: give a finite lower and upper end, the lower one first")
        if self.log and self.low <= 0.0:
            raise InputError(f"{self} is not allowed: a log scale takes positive numbers")
        if self.log and self.step not in (None, 1):
            raise InputError(f"{self} is not allowed: a log scale takes no step; give the values one by one instead")

    def __str__(self) -> str:
        inner = f"interval({self.low:.15g}, {self.high:.15g})"
        if self.step is not None:
            inner = f"range({self.low:.15g}, {self.high:.15g}, step {self.step:.15g})"
        elif self.integer:
            inner = f"int({inner})"
        return f"tag(log, {inner})" if self.log else inner

    @property
    def size(self) -> float:
        """Count of values; infinite for a continuous interval."""
        width = 1.0 if self.integer and self.step is None else self.step
        return math.inf if width is None else math.floor((self.high - self.low) / width + ROUNDING) + 1

    def at(self, share: float) -> Any:
        """The value at `share` of the way from low to high, 0 to 1, on the interval's own scale."""
        if math.isfinite(self.size) and not self.log:
            return self._number(self.low + (self.step or 1.0) * min(self.size - 1, math.floor(share * self.size)))
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return self.nearest(value)

    def nearest(self, value: float) -> Any:
        """The allowed value that is nearest to `value`."""
        inside = min(max(value, self.low), self.high)
        if math.isinf(self.size):
            return float(inside)
        width = self.step or 1.0
        steps = min(self.size - 1, max(0, round((inside - self.low) / width)))
        return self._number(self.low + width * steps)

    def values(self, most: int) -> list[Any]:
        """At most `most` values, evenly on the interval's scale with both ends; all where they are few."""
        if self.size <= most:
            width = self.step or 1.0
            return [self._number(self.low + width * place) for place in range(int(self.size))]
        if most == 1:
            return [self.nearest(self.low)]
        return list(dict.fromkeys(self._spread(place / (most - 1)) for place in range(most)))

    def _spread(self, share: float) -> Any:
        if self.log:
            return self.nearest(math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low))))
        return self.nearest(self.low + share * (self.high - self.low))

    def _number(self, value: float) -> Any:
        return round(value) if self.integer else float(f"{value:.12g}")


@dataclass(frozen=True)
class Choice:
    """One of the listed values: numbers, names of options, true and false."""

    choices: tuple[Any, ...]

    def __post_init__(self) -> None:
        if any(isinstance(value, (list, tuple, dict)) for value in self.choices):
            raise InputError(f"{self} is not allowed: a value of a choice is a number, a word, true or false")
        if not self.choices or len(set(self.choices)) != len(self.choices):
            raise InputError(f"{self} is not allowed: a choice takes at least one value, each of them once")

    def __str__(self) -> str:
        return f"choice({', '.join(str(value) for value in self.choices)})"

    @property
    def size(self) -> float:
        """Count of values."""
        return len(self.choices)

    @property
    def numeric(self) -> bool:
        """All values are numbers."""
        return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in self.choices)

    def at(self, share: float) -> Any:
        """The value at `share` of the list, 0 to 1."""
        return self.choices[min(len(self.choices) - 1, math.floor(share * len(self.choices)))]

    def nearest(self, value: Any) -> Any:
        """The listed value that is nearest to `value`; the first where there is no distance."""
        if value in self.choices:
            return self.choices[self.choices.index(value)]
        if not self.numeric or isinstance(value, (str, bool)) or value is None:
            return self.choices[0]
        return min(self.choices, key=lambda choice: abs(choice - value))

    def values(self, most: int) -> list[Any]:
        """At most `most` values, evenly out of the list."""
        if len(self.choices) <= most:
            return list(self.choices)
        if most == 1:
            return [self.choices[0]]
        last = len(self.choices) - 1
        return list(dict.fromkeys(self.choices[round(place * last / (most - 1))] for place in range(most)))


Domain = Interval | Choice


@dataclass(frozen=True)
class Dimension:
    """A key, what it may be, and when it is there: `when` maps other keys to the values under which it is."""

    key: str
    domain: Domain
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def active(self, chosen: Mapping[str, Any]) -> bool:
        """This dimension is there beside the values in `chosen`."""
        return all(key in chosen and chosen[key] in allowed for key, allowed in self.when.items())


@dataclass(frozen=True)
class Space:
    """All dimensions; one that others depend on stands before them."""

    dimensions: tuple[Dimension, ...]

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise InputError("the space is empty: give at least one axis, as in hardware.l2_mib=interval(8,256), or "
                             "space=NAME")
        known: dict[str, Domain] = {}
        for dimension in self.dimensions:
            for key, allowed in dimension.when.items():
                domain = known.get(key)
                if not isinstance(domain, Choice) or not set(allowed) <= set(domain.choices):
                    raise InputError(f"{dimension.key} depends on {key} in {', '.join(map(str, allowed))}, and that is "
                                     "not a choice of this space with these values")
            known[dimension.key] = dimension.domain

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys in order."""
        return tuple(dimension.key for dimension in self.dimensions)

    @property
    def conditional(self) -> bool:
        """Some dimension is not always there."""
        return any(dimension.when for dimension in self.dimensions)

    def domain(self, key: str) -> Domain:
        """What `key` may be."""
        return next(dimension.domain for dimension in self.dimensions if dimension.key == key)

    def active(self, chosen: Mapping[str, Any]) -> list[Dimension]:
        """The dimensions that are there beside the values in `chosen`, in order."""
        return [dimension for dimension in self.dimensions if dimension.active(chosen)]

    def point(self, shares: Sequence[float]) -> Point:
        """The point at the place `shares` of the unit cube, one share a dimension; inactive ones are left out."""
        found: Point = {}
        for dimension, share in zip(self.dimensions, shares, strict=True):
            if dimension.active(found):
                found[dimension.key] = dimension.domain.at(share)
        return found

    def nearest(self, values: Mapping[str, Any]) -> Point:
        """The point of the space that is nearest to `values`, key by key.

        A key that is not given takes its middle, and so does a word where numbers are, as in traffic.batch=max.
        """
        found: Point = {}
        for dimension in self.dimensions:
            if dimension.active(found):
                given = values.get(dimension.key)
                if isinstance(dimension.domain, Interval) and isinstance(given, (str, bool)):
                    given = None
                found[dimension.key] = dimension.domain.at(0.5) if given is None else dimension.domain.nearest(given)
        return found

    def holds(self, point: Mapping[str, Any]) -> bool:
        """`point` has exactly the active keys, each with an allowed value."""
        return point == self.nearest(point) and set(point) == {one.key for one in self.active(point)}

    @property
    def size(self) -> float:
        """Count of points; infinite where a dimension is continuous."""
        if any(math.isinf(dimension.domain.size) for dimension in self.dimensions):
            return math.inf
        if not self.conditional:
            return math.prod(dimension.domain.size for dimension in self.dimensions)
        return self._count({}, 0)

    def _count(self, chosen: Point, place: int) -> float:
        """Points that go on from `chosen`; only what others depend on is enumerated."""
        if place == len(self.dimensions):
            return 1.0
        dimension = self.dimensions[place]
        if not dimension.active(chosen):
            return self._count(chosen, place + 1)
        if not any(dimension.key in other.when for other in self.dimensions):
            return dimension.domain.size * self._count(chosen, place + 1)
        assert isinstance(dimension.domain, Choice)
        return sum(self._count({**chosen, dimension.key: value}, place + 1) for value in dimension.domain.choices)

    def points(self) -> Iterator[Point]:
        """Every point of a finite space, in order."""
        yield from self._points({}, 0)

    def _points(self, chosen: Point, place: int) -> Iterator[Point]:
        if place == len(self.dimensions):
            yield dict(chosen)
            return
        dimension = self.dimensions[place]
        if not dimension.active(chosen):
            yield from self._points(chosen, place + 1)
            return
        for value in dimension.domain.values(int(dimension.domain.size)):
            yield from self._points({**chosen, dimension.key: value}, place + 1)

    def described(self) -> dict[str, Any]:
        """The space as plain data, for the study's record: one line a key."""
        return {dimension.key: _described(dimension) for dimension in self.dimensions}


def _described(dimension: Dimension) -> str:
    text = str(dimension.domain)
    if dimension.when:
        conditions = (f"{key} in {'|'.join(map(str, allowed))}" for key, allowed in dimension.when.items())
        text += f" when {' and '.join(conditions)}"
    return text


def point_key(point: Mapping[str, Any]) -> PointKey:
    """What makes two points the same."""
    return tuple(sorted((key, float(value) if _number(value) else value) for key, value in point.items()))


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
