"""Whatever the fields take, alone or together, the model answers with numbers: nothing overflows, nothing divides by 0.

Each example moves some fields to an end of what they take, or anywhere between on a logarithmic scale.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dse.case import case
from dse.cli.hydra_run import composed
from dse.cost.assumptions import COST_TABLES
from dse.errors import InputError
from dse.fields import LARGEST, LARGEST_WHOLE, SMALLEST, Field
from dse.hardware import ACCELERATOR
from dse.latency.style import STYLE
from dse.model.language_model import MODEL
from dse.objective import metrics
from dse.technique.registry import parameters
from dse.workload import PARALLELISM, TRAFFIC

DESIGNS = ("", "model=mixtral_8x7b", "model=deepseek_v3 technique=none", "hardware=h100 technique=overlap",
           "hardware=a100 precision=bf16 cost/package=stacked_l2")


@cache
def started(design: str) -> dict[str, Any]:
    """The configuration of a design, with traffic in tokens."""
    config = composed(design.split())
    config["traffic"].update(total_tokens=None, prompt_share=None, prompt_tokens=1000, output_tokens=100)
    return config


def fields(config: dict[str, Any]) -> Iterator[tuple[str, Field, dict[str, Any]]]:
    """Every number of a configuration that may be an axis: its key, its field and the group that holds it."""
    groups = {"hardware": ACCELERATOR, "latency": STYLE, "model": MODEL, "traffic": TRAFFIC,
              "parallelism": PARALLELISM, "technique": parameters(config["technique"])}
    of_cost = [(table, config["cost"][table.group.removeprefix("cost.")]) for table in COST_TABLES]
    for table, raw in [*((table, config[group]) for group, table in groups.items()), *of_cost]:
        yield from ((f"{table.group}.{field.key}", field, raw) for field in table.fields if not field.joint)


def moved(config: dict[str, Any]) -> list[tuple[str, Field, dict[str, Any]]]:
    """Those of `fields` that no other key bounds: a model has more layers than dense ones."""
    return [one for one in fields(config) if one[0] != "model.layers"]


def values(field: Field) -> st.SearchStrategy[Any]:
    """An end of what the field takes, or a number between."""
    if field.boolean:
        return st.booleans()
    low, high = max(field.least, SMALLEST), field.most
    between = st.floats(math.log(low), math.log(high)).map(lambda power: min(high, max(low, math.exp(power))))
    if field.integer:
        between = between.map(lambda number: max(field.least, float(round(number))))
    return st.one_of(st.just(field.least), st.just(field.most), between)


@pytest.mark.parametrize("design", DESIGNS)
@given(st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_extreme_designs_have_finite_metrics(design: str, data: st.DataObject) -> None:
    config = copy.deepcopy(started(design))
    every = moved(config)
    for place in data.draw(st.sets(st.integers(0, len(every) - 1), max_size=12)):
        _, field, raw = every[place]
        raw[field.key] = data.draw(values(field))
    for name, value in metrics(case(config))._asdict().items():
        assert math.isfinite(value), name


def test_the_ends_are_refused_by_name() -> None:
    config = copy.deepcopy(started(""))
    for key, field, raw in fields(config):
        beyond = math.nextafter(field.most, math.inf)
        before, raw[field.key] = raw.get(field.key), 2 if field.boolean else beyond
        with pytest.raises(InputError) as refused:
            case(config)
        assert str(refused.value).startswith(f"{key}={raw[field.key]}")
        assert str(refused.value).endswith(field.allowed())
        assert field.most <= max(LARGEST, LARGEST_WHOLE)
        raw[field.key] = before
