"""The constants of a configuration that are not certain: interval, form, and which of them move together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dse.case import slots
from dse.constants import Constant
from dse.cost.assumptions import COST_TABLES
from dse.errors import InputError
from dse.fields import Field, Table
from dse.latency.style import STYLE
from dse.uncertainty.shapes import COUNTED, LINEAR, LOGARITHMIC

GROUPS = ("cost", "latency")
COUNTS = ("elements", "kernels", "slices")
LARGEST_LINEAR_RATIO = 4.0  # beyond it the middle of an interval lies a quarter above the geometric mean of its ends


class Interval(NamedTuple):
    """One uncertain constant: its support in its own unit, the slot and factor that carry it into the model.

    `unknown` names what is drawn: constants with the same unknown are at the same share of their distributions.
    """

    key: str
    unknown: str
    low: float
    base: float
    high: float
    form: str
    slot: int
    scale: float


def constants(config: Mapping[str, Any]) -> dict[str, tuple[Field, Constant]]:
    """Every constant of the groups cost and latency by its full key."""
    found: dict[str, tuple[Field, Constant]] = {}
    for table, raw in _tables(config):
        fields = {f"{table.group}.{field.key}": field for field in table.fields}
        found |= {key: (fields[key], constant) for key, constant in table.constants(raw).items()}
    return found


def intervals(config: Mapping[str, Any], of: Sequence[str] = GROUPS, fixed: Iterable[str] = ()) -> tuple[Interval, ...]:
    """The intervals of the constants of `of` (keys, or groups as `cost.process`), without those in `fixed`.

    A constant with low = base = high is certain and not among them, and neither is one that the user set to a plain
    number. Raises InputError where a name in `of` is none of this configuration's.
    """
    known = constants(config)
    _refuse_unknown(of, known)
    places, left_out = slots(config), set(fixed)
    taken = {key: pair for key, pair in known.items()
             if pair[1].low < pair[1].high and key not in left_out and any(_within(key, name) for name in of)}
    unknowns = _unknowns({key: constant for key, (_, constant) in taken.items()})
    return tuple(Interval(key, unknowns[key], constant.low, constant.base, constant.high, form(field, constant),
                          places[key].index, field.scale) for key, (field, constant) in taken.items())


def form(field: Field, constant: Constant) -> str:
    """On which scale a constant varies.

    Counts (tile edges, kernels, slices) take one of their three values, since what lies between may not exist. A
    quantity with a natural zero whose ends are more than a factor of 4 apart varies on a logarithmic scale: there the
    middle of the interval would lie more than a quarter above the geometric mean of its ends, and draws would crowd at
    the high end. All else, shares above all, varies on a linear scale.
    All else, shares above all, varies on a linear scale.
    """
    if constant.unit in COUNTS:
        return COUNTED
    wide = constant.low > 0.0 and constant.high > LARGEST_LINEAR_RATIO * constant.low
    return LOGARITHMIC if wide and math.isinf(field.maximum) else LINEAR


def _tables(config: Mapping[str, Any]) -> Iterator[tuple[Table, Mapping[str, Any]]]:
    for table in COST_TABLES:
        yield table, config["cost"][table.group.removeprefix("cost.")]
    yield STYLE, config["latency"]


def _unknowns(found: Mapping[str, Constant]) -> dict[str, str]:
    """The unknown behind each constant: the word that it shares, else the first key that holds the same constant."""
    first: dict[Constant, str] = {}
    return {key: constant.shared or first.setdefault(constant, key) for key, constant in found.items()}


def _refuse_unknown(of: Sequence[str], known: Iterable[str]) -> None:
    keys = list(known)
    for name in of:
        if not any(_within(key, name) for key in keys):
            raise InputError(f"uncertainty.of={name} is not allowed: name constants or their groups, as cost, latency, "
                             "cost.process, latency.hbm_share")


def _within(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")
