"""How a group of the configuration becomes a record of floats: names, units, bounds, one table per group.

A table is the only place that knows how a key (`hardware.l2_mib`, in the unit people use) maps to an attribute
(`Accelerator.l2_bytes`, SI). Reading a configuration, checking the values of a sweep and listing what may be swept all
go through it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from dse.constants import Constant, read_constant
from dse.errors import InputError

Record = TypeVar("Record", bound=tuple[float, ...])

# Far beyond anything real in any unit, and near enough that no product or quotient of an equation leaves the floats.
SMALLEST, LARGEST = 1e-9, 1e9
LARGEST_WHOLE = 1e12  # every whole number up to it is a float


@dataclass(frozen=True)
class Field:
    """One number of the configuration.

    `key` is its name there, `attribute` its name in the record, `scale` the exact factor from the key's unit to SI.
    `minimum` is excluded unless `closed`; `maximum` is allowed. Where they leave it open, `least` and `most` end what
    the field takes: a number so far out that equations would overflow is a slip of the hand. `joint` marks what is
    checked together with other keys or needs more than a factor, so that it cannot be an axis by itself. `constant`
    marks an assumption that carries low, base, high and a source in the unit `unit`. Where `default` is given, the key
    may be left out.
    """

    key: str
    attribute: str
    meaning: str
    scale: float = 1.0
    minimum: float = 0.0
    closed: bool = False
    maximum: float = math.inf
    integer: bool = False
    boolean: bool = False
    joint: bool = False
    constant: bool = False
    unit: str = ""
    default: float | None = None

    @property
    def least(self) -> float:
        """The smallest number that the field takes."""
        return self.minimum if self.closed else max(self.minimum, SMALLEST)

    @property
    def most(self) -> float:
        """The largest number that the field takes."""
        return min(self.maximum, LARGEST_WHOLE if self.integer else LARGEST)

    def allowed(self) -> str:
        """What the field takes, in words, for error messages and help."""
        if self.boolean:
            return "true or false"
        kind = "a whole number" if self.integer else "a number"
        return f"{kind} >= {self.least:g} and <= {self.most:g}" + (f" in {self.unit}" if self.unit else "")

    def si(self, key: str, value: Any) -> float:
        """`value`, given under the full name `key` in the key's own unit, in SI; InputError where it is not allowed."""
        if self.boolean and isinstance(value, bool):
            return float(value)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and not self.boolean
        inside = number and self.least <= value <= self.most
        if not inside or (self.integer and value != int(value)):
            raise InputError(f"{key}={value!r} is not allowed: {key} takes {self.allowed()}".replace("'", ""))
        return float(value) * self.scale


class Table(NamedTuple):
    """A group of the configuration: its name, its record type and its fields, in the record's order."""

    group: str
    record: type[Any]
    fields: tuple[Field, ...]
    choices: tuple[str, ...] = ()  # keys of the group that are not numbers of the record

    def checked(self) -> Table:
        """This table; ValueError where its fields are not the record's, in order (a slip of ours, not of a user)."""
        if tuple(field.attribute for field in self.fields) != self.record._fields:
            raise ValueError(f"the fields of {self.group} do not match {self.record.__name__}")
        return self

    def read(self, raw: Mapping[str, Any], given: Mapping[str, float] | None = None) -> Any:
        """The record that the mapping `raw` of this group describes, in SI.

        `given` holds attributes that are not read but worked out by the caller. Raises InputError for an unknown,
        missing or impossible value.
        """
        return self.record(*self.values(raw, given).values())

    def values(self, raw: Mapping[str, Any], given: Mapping[str, float] | None = None) -> dict[str, float]:
        """The same values by their attributes, in the order of the fields."""
        self.refuse_unknown(raw)
        return {field.attribute: self._value(field, raw, given or {}) for field in self.fields}

    def refuse_unknown(self, raw: Mapping[str, Any]) -> None:
        """InputError for the first key of `raw` that the group does not have."""
        known = {field.key for field in self.fields} | set(self.choices)
        for key in raw:
            if key not in known:
                raise InputError(f"{self.group}.{key} is unknown: {self.group} has {', '.join(sorted(known))}")

    def constants(self, raw: Mapping[str, Any]) -> dict[str, Constant]:
        """Every constant of the group by its full key, with interval and source."""
        named = ((f"{self.group}.{field.key}", field) for field in self.fields if field.constant)
        return {key: read_constant(key, raw[field.key], field.unit) for key, field in named}

    def _value(self, field: Field, raw: Mapping[str, Any], given: Mapping[str, float]) -> float:
        if field.attribute in given:
            return given[field.attribute]
        key = f"{self.group}.{field.key}"
        if raw.get(field.key) is None and field.default is not None:
            return field.default
        if raw.get(field.key) is None:
            raise InputError(f"{key} is missing: it takes {field.allowed()}")
        value = raw[field.key]
        if field.constant:
            constant = read_constant(key, value, field.unit)
            for part in (constant.low, constant.high):
                field.si(key, part)
            value = constant.base
        return field.si(key, value)


def count(key: str, attribute: str, meaning: str, joint: bool = False) -> Field:
    """A field that takes a whole number from 1 on."""
    return Field(key, attribute, meaning, minimum=1.0, closed=True, integer=True, joint=joint)
