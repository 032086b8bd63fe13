"""What `explain` says enters a number is what changes it, no less and no more."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from cost.chips import H100, TABLES, raw_cost

from dse.cost.assumptions import cost_assumptions
from dse.cost.bill import bill
from dse.cost.energy import Work, energy
from dse.cost.equations import EQUATIONS
from dse.cost.explain import bill_numbers, explain
from dse.cost.ownership import usd_per_hour, usd_per_million_tokens
from dse.errors import InputError
from dse.hardware import ACCELERATOR, Accelerator

FACTORS = (0.05, 0.3, 0.6, 0.97, 1.03, 1.7, 4.0, 300.0)
KEYS = [f"{table.group}.{field.key}" for table in TABLES.values() for field in table.fields]
# Spares of every kind, links on two IO dies, half of the L2 stacked, a volume, cables and switches: all terms count.
DEVICE = H100._replace(domain_devices=72.0, hbm_bytes=90e9, spare_hbm_sites=4.0, spare_cores=8.0)


def whole_raw(io_dies: int = 2) -> dict[str, dict[str, Any]]:
    raw = raw_cost(H100)
    raw["package"] |= {"compute_dies": 2, "io_dies": io_dies, "stacked_l2_share": 0.5, "hbm_bridge_usd": 40.0}
    raw["system"] |= {"volume_devices": 100000}
    raw["die_yield"] |= {"alpha": 5.0}
    return raw


def numbers(device: Accelerator, raw: dict[str, dict[str, Any]]) -> dict[str, float]:
    assumptions = cost_assumptions(raw)
    found = bill_numbers(bill(device, 8.0, assumptions))
    power = energy(Work(1e14, 1e12, 1e12, 1e11), 1.0, device, assumptions).total_j
    hour = usd_per_hour(found["group_usd"], 8.0 * power, assumptions.ownership)
    return found | {"device_power_w": power, "usd_per_hour": hour,
                    "usd_per_million_tokens": usd_per_million_tokens(hour, 1000.0)}


def base_value(key: str) -> Any:
    _, group, word = key.split(".")
    value = whole_raw()[group][word]
    return value["base"] if isinstance(value, dict) else value


def changes(key: str) -> list[Any]:
    base = base_value(key)
    if key == "cost.die_yield.law":
        return ["poisson", "murphy", "seeds"]
    if key in ("cost.package.compute_dies", "cost.package.io_dies", "cost.system.server_devices"):
        return [1, 3, 4, 100]
    return [int(base * factor) if key.endswith("_devices") else base * factor for factor in FACTORS]


@cache
def moved() -> dict[str, frozenset[str]]:
    """For each key, the numbers that change when it does, with IO dies or without."""
    found = dict.fromkeys([*KEYS, *(f"hardware.{field.key}" for field in ACCELERATOR.fields)], frozenset[str]())
    for io_dies in (0, 2):
        before = numbers(DEVICE, whole_raw(io_dies))
        for key, device, raw in [*changed_assumptions(io_dies), *changed_devices(io_dies)]:
            try:
                after = numbers(device, raw)
            except InputError:
                continue  # not an allowed value
            found[key] |= {name for name, number in after.items() if number != before[name]}
    return found


def changed_assumptions(io_dies: int) -> Iterator[tuple[str, Accelerator, dict[str, dict[str, Any]]]]:
    for key in KEYS:
        _, group, word = key.split(".")
        for value in changes(key):
            raw = whole_raw(io_dies)
            raw[group][word] = value
            yield key, DEVICE, raw


def changed_devices(io_dies: int) -> Iterator[tuple[str, Accelerator, dict[str, dict[str, Any]]]]:
    for field in ACCELERATOR.fields:
        for factor in FACTORS:
            value = getattr(DEVICE, field.attribute) * factor
            yield f"hardware.{field.key}", DEVICE._replace(**{field.attribute: value}), whole_raw(io_dies)


def said(name: str) -> set[str]:
    """All keys that the explanation of a number names."""
    steps = explain(name, {}, whole_raw())
    return {key for step in steps for key in (*step.hardware, *dict(step.settings), *dict(step.constants))}


def test_every_number_of_the_bill_has_an_equation() -> None:
    assert set(EQUATIONS) == set(numbers(DEVICE, whole_raw()))


@pytest.mark.parametrize("name", EQUATIONS)
def test_whatever_changes_a_number_is_named(name: str) -> None:
    assert {key for key, names in moved().items() if name in names} <= said(name)


@pytest.mark.parametrize("name", EQUATIONS)
def test_what_is_named_directly_changes_the_number(name: str) -> None:
    step = explain(name, {}, whole_raw())[0]
    named = {*step.hardware, *dict(step.settings), *dict(step.constants)}
    assert named <= {key for key, names in moved().items() if name in names}


def test_the_chain_of_a_die_goes_down_to_its_sources() -> None:
    raw = raw_cost(H100)
    values = bill_numbers(bill(H100, 8.0, cost_assumptions(raw)))
    steps = explain("die_usd", values, raw)
    assert steps[0].name == "die_usd"
    assert steps[0].value == values["die_usd"]
    assert len({step.name for step in steps}) == len(steps)
    constants = {key: constant for step in steps for key, constant in step.constants}
    assert constants["cost.process.wafer_usd"].base == 13400.0
    assert "H100 bill" in constants["cost.process.wafer_usd"].source
    assert "cost.l2.mm2_per_mib" in constants
    assert "cost.system.host_usd" not in constants


def test_a_users_own_number_is_marked_so() -> None:
    raw = raw_cost(H100)
    raw["process"]["wafer_usd"] = 16000
    constants = {key: constant for step in explain("die_usd", {}, raw) for key, constant in step.constants}
    assert constants["cost.process.wafer_usd"].mark == "user"


def test_a_number_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match=r"colour is not a number of the bill.*die_usd"):
        explain("colour", {}, raw_cost(H100))
