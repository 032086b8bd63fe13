"""A case, its flat row of numbers, and the slots that a sweep may vary."""

from __future__ import annotations

from typing import Any

import pytest

from dse.case import GROUPS, case, paths, row, slots
from dse.cli.hydra_run import composed
from dse.errors import InputError
from dse.units import MEBI


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return composed([])


def test_a_row_has_a_path_for_each_number(config: dict[str, Any]) -> None:
    numbers = row(case(config))
    assert len(numbers) == len(paths()) == len(set(paths()))
    assert numbers[paths().index("setting.device.l2_bytes")] == 192 * MEBI


def test_a_slot_sets_what_its_key_sets(config: dict[str, Any]) -> None:
    """Every slot, by a value other than the configured one: the slot and the configuration give the same row."""
    places = slots(config)
    base = row(case(config))
    for key, slot in places.items():
        group, _, name = key.rpartition(".")
        value = _other(slot.field, base[slot.index] / slot.field.scale)
        changed: dict[str, Any] = {one: dict(config[one]) for one in GROUPS}
        target = changed
        for part in group.split("."):
            target[part] = dict(target[part])
            target = target[part]
        target[name] = value
        if group == "traffic" and name in ("prompt_tokens", "output_tokens"):
            changed["traffic"] |= {"prompt_tokens": 10923, "output_tokens": 5461} | {name: value}
        expected = list(base)
        expected[slot.index] = slot.si(value)
        assert row(case(changed)) == tuple(expected), key


def _other(field: Any, current: float) -> Any:
    if field.boolean:
        return not current
    if field.integer:
        return 3 if current == 2 else 2
    inside = (field.minimum + min(field.maximum, field.minimum + 1.0)) / 2.0
    return inside if inside != current else inside * 1.5


def test_what_is_checked_together_has_no_slot(config: dict[str, Any]) -> None:
    assert not {"model.query_heads", "model.kv_heads", "hardware.topology", "hardware.in_switch_reduction"} & set(
        slots(config))


def test_a_missing_group_is_named(config: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="traffic is missing: a configuration has the groups hardware"):
        case({key: value for key, value in config.items() if key != "traffic"})
