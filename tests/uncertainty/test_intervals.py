"""Which constants are uncertain, which move together, and how they enter the model."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import numpy as np
import pytest

from dse.case import case, row
from dse.cli.hydra_run import composed
from dse.constants import read_constant
from dse.errors import InputError
from dse.uncertainty.intervals import constants, intervals
from dse.uncertainty.sampling import base_point, drawn, end_points, unit_points, unknowns


@cache
def _config() -> dict[str, Any]:
    return composed([])


@pytest.fixture
def config() -> dict[str, Any]:
    return copy.deepcopy(_config())


def test_every_constant_with_a_width_is_uncertain_and_no_other(config: dict[str, Any]) -> None:
    known = constants(config)
    assert {one.key for one in intervals(config)} == {
        key for key, (_, constant) in known.items() if constant.low < constant.high}
    assert "cost.process.wafer_usd" in known
    assert "latency.hbm_share" in known
    assert "cost.die_yield.wafer_mm" not in {one.key for one in intervals(config)}  # 300 mm, low = high


def test_a_number_of_the_user_is_certain(config: dict[str, Any]) -> None:
    config["cost"]["process"]["wafer_usd"] = 12000
    assert "cost.process.wafer_usd" not in {one.key for one in intervals(config)}


def test_groups_and_keys_choose_what_is_drawn(config: dict[str, Any]) -> None:
    assert {one.key for one in intervals(config, ["cost.process.wafer_usd", "latency"])} == {
        "cost.process.wafer_usd", *(one.key for one in intervals(config) if one.key.startswith("latency."))}
    assert "latency.hbm_share" not in {one.key for one in intervals(config, fixed=["latency.hbm_share"])}
    with pytest.raises(InputError, match=r"uncertainty\.of=hardware is not allowed"):
        intervals(config, ["hardware"])


def test_the_base_values_are_those_of_the_case_bit_for_bit(config: dict[str, Any]) -> None:
    found = intervals(config)
    numbers = row(case(config))
    names = unknowns([found])
    at_base = drawn(found, names, base_point(len(names)), "triangular")[:, 0]
    assert at_base.tolist() == [numbers[one.slot] for one in found]


def test_ends_are_reached_one_at_a_time(config: dict[str, Any]) -> None:
    found = intervals(config, ["cost.process.wafer_usd", "latency.hbm_share"])
    names = unknowns([found])
    ends = drawn(found, names, end_points(len(names)), "triangular")
    wafer, share = (next(one for one in found if one.key == key) for key in names)
    np.testing.assert_allclose(ends, [[wafer.low, wafer.base, wafer.high, wafer.base],
                                      [share.base, share.low, share.base, share.high]])


def test_the_same_constant_under_two_keys_is_one_unknown(config: dict[str, Any]) -> None:
    process = config["cost"]["process"]
    process["sram_area"] = dict(process["logic_area"])
    named = {one.key: one.unknown for one in intervals(config)}
    assert named["cost.process.sram_area"] == named["cost.process.logic_area"] == "cost.process.logic_area"
    process["sram_area"] = {**process["logic_area"], "source": "another"}
    assert len({one.unknown for one in intervals(config)} & {"cost.process.sram_area", "cost.process.logic_area"}) == 2


def test_constants_that_share_a_word_are_high_together(config: dict[str, Any]) -> None:
    keys = ("latency.hbm_share", "latency.matmul_share")
    for key in keys:
        config["latency"][key.removeprefix("latency.")]["shared"] = "quality of kernels"
    found = intervals(config, keys)
    assert unknowns([found]) == ("quality of kernels",)
    both = drawn(found, unknowns([found]), unit_points(64, 1, [1]), "triangular")
    assert np.corrcoef(np.argsort(np.argsort(both)))[0, 1] == pytest.approx(1.0)


def test_a_part_that_no_constant_has_is_refused() -> None:
    raw = {"low": 1, "base": 1, "high": 2, "unit": "us", "date": 2026, "mark": "estimate", "source": "a", "with": "b"}
    with pytest.raises(InputError, match="has the unknown part with"):
        read_constant("latency.x", raw, "us")


def test_points_repeat_with_their_seed_and_fill_the_cube_evenly() -> None:
    first, again, other = (unit_points(1024, 5, [seed]) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    counts = [np.histogram(one, bins=16, range=(0.0, 1.0))[0] for one in first]
    assert (np.array(counts) == 64).all()  # 1024 points of a Sobol sequence: as many in each sixteenth
    assert unit_points(1000, 5, [1]).tolist() == first[:, :1000].tolist()
