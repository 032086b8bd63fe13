"""Every shipped option of the cost groups loads, is ordered and sourced; what is refused is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from cost.chips import A100, CONF, GROUPS, TABLES, cost_of, raw_cost, raw_option

from dse.constants import read_constant
from dse.cost.assumptions import cost_assumptions
from dse.errors import InputError

OPTIONS = sorted((path.parent.name, path.stem) for path in CONF.glob("*/*.yaml"))
NAMED = {
    "process": {"n16", "n7", "n7_plus", "n6", "n5", "n4", "n3", "n2", "smic_n7"},
    "memory": {"hbm2", "hbm2e", "hbm3", "hbm3e", "hbm4"}, "core": {"gpu", "npu"}, "l2": {"gpu_like", "slab"},
    "link": {"nvlink3", "nvlink4", "serdes"},
    "package": {"interposer", "bridge", "organic", "stacked_l2", "chiplets", "two_dies"},
}


def test_every_group_has_options_and_the_named_ones_are_there() -> None:
    assert {group for group, _ in OPTIONS} == set(GROUPS)
    for group, names in NAMED.items():
        assert {name for at, name in OPTIONS if at == group} >= names


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_option_loads_and_every_constant_is_ordered_and_sourced(group: str, name: str) -> None:
    raw = raw_option(group, name)
    assert raw["name"] == name
    cost_assumptions({**raw_cost(A100), group: raw})
    constants = TABLES[group].constants(raw)
    assert constants
    for constant in constants.values():
        assert constant.low <= constant.base <= constant.high
        assert len(constant.source) > 15
        assert constant.date


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_the_ends_of_every_interval_are_usable(group: str, name: str) -> None:
    """Each end is read, and the record of the low ends is nowhere above that of the high ends."""
    ends = []
    for part in ("low", "high"):
        raw = raw_option(group, name)
        for key, value in raw.items():
            raw[key] = value[part] if isinstance(value, dict) else value
        ends.append(getattr(cost_assumptions({**raw_cost(A100), group: raw}), group))
    assert all(low <= high for low, high in zip(*ends, strict=True))


def test_a_plain_number_is_the_users_own_assumption() -> None:
    raw = raw_cost(A100)
    raw["process"]["wafer_usd"] = 12000
    assert cost_assumptions(raw).process == cost_of(A100).process._replace(wafer_usd=12000.0)
    constant = read_constant("cost.process.wafer_usd", 12000, "USD/wafer")
    assert (constant.low, constant.high, constant.mark) == (12000.0, 12000.0, "user")


def changed(group: str, key: str, **parts: Any) -> dict[str, Any]:
    raw: dict[str, Any] = raw_cost(A100)
    raw[group][key] = {name: value for name, value in {**raw[group][key], **parts}.items() if value is not None}
    return raw


@pytest.mark.parametrize(("raw", "words"), [
    ({**raw_cost(A100), "colour": {}}, ["cost.colour is unknown", "process, memory"]),
    ({key: value for key, value in raw_cost(A100).items() if key != "memory"}, ["cost.memory", "cost/memory"]),
    ({**raw_cost(A100), "memory": 7}, ["cost.memory=7", "cost/memory"]),
    ({**raw_cost(A100), "l2": {**raw_option("l2", "slab"), "colour": 1}}, ["cost.l2.colour is unknown"]),
    ({**raw_cost(A100), "l2": {"name": "x"}}, ["cost.l2.mm2_per_mib is missing"]),
    ({**raw_cost(A100), "die_yield": {**raw_option("die_yield", "negative_binomial"), "law": "guess"}},
     ["cost.die_yield.law=guess", "poisson, murphy, seeds, negative_binomial"]),
    (changed("process", "wafer_usd", source=None), ["cost.process.wafer_usd lacks source"]),
    (changed("process", "wafer_usd", unit="EUR/wafer"), ["cost.process.wafer_usd.unit", "USD/wafer"]),
    (changed("process", "wafer_usd", low=99999), ["cost.process.wafer_usd", "low <= base <= high"]),
    (changed("process", "wafer_usd", mark="hearsay"), ["cost.process.wafer_usd.mark", "published"]),
    ({**raw_cost(A100), "core": {**raw_option("core", "gpu"), "network_share": 0.7}}, ["cost.core.network_share=0.7"]),
])
def test_what_cannot_be_used_is_refused_in_one_sentence(raw: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        cost_assumptions(raw)
    for word in words:
        assert word in str(refused.value)
    assert "\n" not in str(refused.value)
