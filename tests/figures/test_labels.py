"""Labels: every metric and every shipped option has one."""

from __future__ import annotations

import pytest
from builders import CONF

from dse.cost.area import Area
from dse.cost.bill import Items
from dse.figures.labels import (
    BLOCKS,
    BOUNDS,
    OPERATORS,
    OPTIONS,
    QUANTITIES,
    axis_label,
    is_chosen,
    number,
    setting_text,
    uncapital,
    value_text,
)
from dse.latency.attention_block import AttentionBlock
from dse.latency.expert_block import ExpertBlock
from dse.latency.mlp_block import MlpBlock
from dse.latency.phases import Ends
from dse.objective import VIOLATIONS, Metrics
from dse.technique.preserve import PARAMETERS

GROUPS = ("hardware", "model", "technique", "precision")
SHIPPED = sorted(path.stem for group in GROUPS for path in (CONF / group).glob("*.yaml"))


@pytest.mark.parametrize("metric", [name for name in Metrics._fields if name not in (*VIOLATIONS, "feasible", "batch")])
def test_every_metric_has_a_label_and_a_direction(metric: str) -> None:
    assert QUANTITIES[metric].better in (-1.0, 1.0)
    assert axis_label(metric) != metric


@pytest.mark.parametrize("option", [name for name in SHIPPED if name != "accelerator"])
def test_every_shipped_option_has_a_name(option: str) -> None:
    assert option in OPTIONS


def test_every_switch_of_a_technique_says_what_it_does() -> None:
    assert all(QUANTITIES[key].switch for key in (f"technique.{field.key}" for field in PARAMETERS.fields
                                                  if field.boolean))


def test_every_operator_block_and_item_has_a_name() -> None:
    operators = (*AttentionBlock._fields, *MlpBlock._fields, *ExpertBlock._fields,
                 *(name.removesuffix("_s") for name in Ends._fields))
    assert set(operators) <= set(OPERATORS)
    assert {*Area._fields, *Items._fields} - {"die_mm2"} <= set(BLOCKS)
    assert {"compute", "hbm", "l2", "link", "floor"} <= set(BOUNDS)


def test_labels_carry_the_unit_that_people_use() -> None:
    assert axis_label("hardware.hbm_gb_per_s") == "HBM bandwidth (TB/s)"
    assert axis_label("cost.memory.usd_per_gb") == "cost.memory.usd_per_gb"
    assert value_text("hardware.hbm_gb_per_s", 1600.0) == "1.6 TB/s"
    assert value_text("hardware.l2_mib", 104.0) == "104 MiB"
    assert value_text("model", "llama3_70b") == "Llama3-70B"
    assert setting_text("parallelism.tensor_parallel", 8.0) == "TP 8"
    assert setting_text("hardware.link_gb_per_s", 196.0) == "links 196 GB/s"
    assert setting_text("technique.managed_l2", 0.0) == value_text("technique.managed_l2", 0.0) == "limit obeyed"
    assert setting_text("parallelism.all_to_all", True) == "all-to-all"
    assert uncapital("Request time") == "request time"
    assert uncapital("L2 size") == "L2 size"


def test_numbers_have_three_digits() -> None:
    assert [number(value) for value in (0.01234, 0.5, 11.99, 104.6, 8.0, 1234.5, 2e6)] == [
        "0.0123", "0.500", "12.0", "105", "8.00", "1,234", "2,000,000"]
    assert number(float("nan")) == "nan"


def test_a_designer_chooses_hardware_but_not_the_model_or_an_assumption() -> None:
    assert all(is_chosen(key) for key in ("hardware.l2_mib", "hardware", "parallelism.tensor_parallel",
                                          "technique.limit_mib", "traffic.batch"))
    assert not any(is_chosen(key) for key in ("model", "traffic.prompt_tokens", "precision", "cost.l2.mm2_per_mib"))
