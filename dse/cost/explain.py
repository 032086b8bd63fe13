"""What stands behind a number of the bill: its equation, and the chain of constants with interval and source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.constants import Constant, read_constant
from dse.cost.assumptions import COST_TABLES
from dse.cost.bill import Bill
from dse.cost.equations import EQUATIONS
from dse.errors import InputError
from dse.fields import Field


class Step(NamedTuple):
    """One number: its value where known, its equation, and what enters it, by full key or by the name of a number."""

    name: str
    value: float | None
    unit: str
    equation: str
    numbers: tuple[str, ...]
    hardware: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...]
    constants: tuple[tuple[str, Constant], ...]


def bill_numbers(found: Bill) -> dict[str, float]:
    """Every number of a bill by its name: `die_usd`, `area.l2`, `items.hbm`."""
    numbers: dict[str, float] = {}
    for name, value in found._asdict().items():
        if isinstance(value, tuple):
            numbers |= {f"{name}.{part}": one for part, one in value._asdict().items()}  # type: ignore[attr-defined]
        else:
            numbers[name] = value
    return numbers


def explain(name: str, values: Mapping[str, float], raw: Mapping[str, Any]) -> tuple[Step, ...]:
    """The number `name` and, after it, each number that enters it, directly or not, once.

    `values` holds the numbers that are known (`bill_numbers`), `raw` is the group `cost` of the configuration. Raises
    InputError where there is no such number.
    """
    if name not in EQUATIONS:
        raise InputError(f"{name} is not a number of the bill: choose one of {', '.join(EQUATIONS)}")
    chain = [name]
    for one in chain:  # grows while it is walked
        chain.extend(other for other in EQUATIONS[one].numbers if other not in chain)
    fields = {f"{table.group}.{field.key}": field for table in COST_TABLES for field in table.fields}
    return tuple(_step(one, values.get(one), raw, fields) for one in chain)


def _step(name: str, value: float | None, raw: Mapping[str, Any], fields: Mapping[str, Field]) -> Step:
    equation = EQUATIONS[name]
    constants, settings = [], []
    for key in equation.assumptions:
        _, group, word = key.split(".")
        if fields[key].constant:
            constants.append((key, read_constant(key, raw[group][word], fields[key].unit)))
        else:
            settings.append((key, raw[group][word]))
    hardware = tuple(f"hardware.{key}" for key in equation.hardware)
    return Step(name, value, equation.unit, equation.text, equation.numbers, hardware, tuple(settings),
                tuple(constants))
