"""From a configuration to a case, and from a case to the flat row of numbers that the compiled model takes.

A slot is the place of one number in that row. Sweeping `hardware.l2_mib` over a million values changes one slot; all
that is not a number (a topology, a format, a technique's method) is settled here, once, in plain Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

from dse.cost.assumptions import COST_TABLES, cost_assumptions
from dse.errors import InputError
from dse.fields import Field, Table
from dse.hardware import ACCELERATOR, accelerator
from dse.latency.setting import Setting
from dse.latency.style import STYLE, latency_style
from dse.model.language_model import MODEL, language_model
from dse.objective import Case
from dse.technique.registry import parameters, technique_terms
from dse.workload import PARALLELISM, TRAFFIC, parallelism, precision, traffic

NAMED = ("hardware", "model", "technique")  # reports call these by their name
GROUPS = ("hardware", "latency", "model", "traffic", "precision", "parallelism", "technique", "cost")


@dataclass(frozen=True)
class Slot:
    """The place of a key's number in the flat row, and the field that checks and converts it."""

    index: int
    key: str
    field: Field

    def si(self, value: Any) -> float:
        """`value`, in the key's unit, in SI; InputError where it is not allowed."""
        return self.field.si(self.key, value)


def case(config: Mapping[str, Any]) -> Case:
    """The case that a configuration (plain mappings, one per group) describes; InputError where it is impossible."""
    for group in GROUPS:
        if not isinstance(config.get(group), Mapping):
            raise InputError(f"{group} is missing: a configuration has the groups {', '.join(GROUPS)}")
    _refuse_odd_names(config)
    hardware = config["hardware"]
    rates = hardware.get("matrix_rate")
    setting = Setting(
        accelerator(hardware),
        latency_style(config["latency"]),
        language_model(config["model"]),
        traffic(config["traffic"]),
        precision(config["precision"], {} if rates is None else rates, str(hardware["name"])),
        parallelism(config["parallelism"]),
        technique_terms(config["technique"]),
    )
    read = Case(setting, cost_assumptions(config["cost"]))
    _refuse_no_numbers(config)
    return read


def row(of: Case) -> tuple[float, ...]:
    """The numbers of a case, flat, in the order of `paths`."""
    return tuple(_leaves(of))


@cache
def paths() -> tuple[str, ...]:
    """Dotted path of each number of a case, in the order of `row`."""
    return tuple(_paths(Case, ""))


def slots(config: Mapping[str, Any]) -> dict[str, Slot]:
    """The numbers of this configuration that may be an axis of a sweep, by key.

    What is checked together with another key (the heads of a model, say) and what is not a number has no slot.
    """
    places = {path: index for index, path in enumerate(paths())}
    tables = {"setting.device": ACCELERATOR, "setting.style": STYLE, "setting.model": MODEL,
              "setting.traffic": TRAFFIC, "setting.parallelism": PARALLELISM,
              "setting.technique": parameters(config["technique"]),
              **{f"cost.{table.group.removeprefix('cost.')}": table for table in COST_TABLES}}
    return {slot.key: slot for place, table in tables.items() for slot in _slots(place, table, places)}


def _refuse_odd_names(config: Mapping[str, Any]) -> None:
    """InputError where a name or a note is no text, or what reports call by its name has none."""
    for group in GROUPS:
        for key in ("name", "note"):
            value = config[group].get(key)
            if value is None and key == "name" and group in NAMED:
                raise InputError(f"{group}.name is missing: give a word")
            if value is not None and not isinstance(value, str):
                raise InputError(f"{group}.{key}={value!r} is not allowed: give a word, in quotes if it is a number")


def _refuse_no_numbers(raw: Mapping[str, Any], prefix: str = "") -> None:
    """InputError for a nan or an infinite number among what is shown and enters no equation."""
    for key, value in raw.items():
        if isinstance(value, Mapping):
            _refuse_no_numbers(value, f"{prefix}{key}.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{prefix}{key}={value} is not allowed: give a finite number")


def _slots(place: str, table: Table, places: Mapping[str, int]) -> Iterator[Slot]:
    for field in table.fields:
        if not field.joint:
            yield Slot(places[f"{place}.{field.attribute}"], f"{table.group}.{field.key}", field)


def _leaves(value: Any) -> Iterator[float]:
    for part in value:
        if isinstance(part, tuple):
            yield from _leaves(part)
        else:
            yield part


def _paths(record: type[Any], prefix: str) -> Iterator[str]:
    for name, kind in get_type_hints(record).items():
        if kind is float:
            yield prefix + name
        else:
            yield from _paths(kind, f"{prefix}{name}.")
