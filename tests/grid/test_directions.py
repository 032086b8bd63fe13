"""The table of docs/sweep.md: what each axis of a chip can do to each metric holds for random designs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from designs import spread, whole
from grid.cases import SLOTS, case, cases
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.grid.compiled import model_graph
from dse.hardware import ACCELERATOR
from dse.objective import Case, Metrics, metrics
from dse.technique.terms import OFF

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sweep.md"
RISES, FALLS, STAYS, EITHER = "+", "-", "0", "±"
ROUNDING = 1e-9  # a yield is found from logarithms, of which some are of numbers all but 1
Laws = dict[str, dict[str, str]]  # by field of the accelerator and metric


def laws() -> Laws:
    """The table."""
    lines = [line.strip("|\n").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines()
             if line.startswith("| ") and line.count("|") == 9]
    columns = [[name for name in re.findall(r"`(\w+)`", cell) if name in Metrics._fields] for cell in lines[0][1:]]
    fields = {field.key: field.attribute for field in ACCELERATOR.fields}
    return {fields[key.strip(" `")]: {name: sign.strip() for names, sign in zip(columns, signs, strict=True)
                                      for name in names} for key, *signs in lines[1:]}


LAWS = laws()


def test_the_table_is_of_all_axes_that_are_numbers() -> None:
    assert set(LAWS) == {field.attribute for field in ACCELERATOR.fields if not field.joint and not field.boolean}
    assert {len(row) for row in LAWS.values()} == {9}
    assert {sign for row in LAWS.values() for sign in row.values()} == {RISES, FALLS, STAYS, EITHER}


def test_what_stays_and_nothing_else_is_independent_of_the_axis() -> None:
    graph, found = model_graph()
    for axis, row in LAWS.items():
        for name, sign in row.items():
            depends = graph.depends[int(getattr(found, name))] >> SLOTS[f"setting.device.{axis}"] & 1
            assert bool(depends) == (sign != STAYS), (axis, name)


@settings(max_examples=40)
@given(cases(), spread(1.001, 30.0), whole(1, 20), st.floats(0.01, 1.0))
def test_a_metric_goes_where_the_table_says(drawn: Case, factor: float, more: float, share: float) -> None:
    """Every axis is moved in turn: whole numbers and shares, which may be 0, by a sum, the others by a factor."""
    at = drawn.setting._replace(technique=OFF)
    before = metrics(drawn._replace(setting=at))
    integers = {field.attribute for field in ACCELERATOR.fields if field.integer}
    for axis, row in LAWS.items():
        value = getattr(at.device, axis)
        grown = value + more if axis in integers else value + share if axis == "spare_l2_share" else value * factor
        after = metrics(drawn._replace(setting=at._replace(device=at.device._replace(**{axis: grown}))))
        for name, sign in row.items():
            one, other = getattr(before, name), getattr(after, name)
            slack = ROUNDING * abs(one)
            assert sign not in (RISES, STAYS) or other >= one - slack, (axis, name)
            assert sign not in (FALLS, STAYS) or other <= one + slack, (axis, name)


@pytest.mark.parametrize(("defects_per_mm2", "pays"), [(1e-6, False), (1e-2, True)])
def test_a_spare_core_pays_where_defects_are_many(defects_per_mm2: float, pays: bool) -> None:
    """An example of ±: next to no defect leaves a spare core its area alone, 1 per cm2 the dies that it saves."""
    at = case()
    usd = []
    for spares in (0.0, 1.0):
        device = at.setting.device._replace(spare_cores=spares)
        process = at.cost.process._replace(defects_per_mm2=defects_per_mm2)
        usd.append(metrics(Case(at.setting._replace(device=device), at.cost._replace(process=process))).device_usd)
    assert (usd[1] < usd[0]) == pays
