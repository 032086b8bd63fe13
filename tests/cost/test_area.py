"""Die area: blocks worked by hand, the dies used for fitting, and dies that were not."""

from __future__ import annotations

import pytest
from cost.chips import A100, ASCEND_910, ASCEND_910B, H100, H200, MI210, TABLES, cost_of, raw_cost
from hypothesis import given
from hypothesis import strategies as st

from dse.cost.area import Area, silicon
from dse.cost.assumptions import COST_TABLES, CostAssumptions, cost_assumptions
from dse.cost.bill import bill
from dse.cost.cache import enabled_l2_mm2
from dse.cost.core import core_mm2
from dse.cost.memory import hbm_stacks, hbm_usd
from dse.hardware import Accelerator
from dse.units import GIGA, MEBI


def area(device: Accelerator, **options: str) -> Area:
    return bill(device, 1.0, cost_of(device, **options)).area


def test_core_of_a100_by_hand() -> None:
    # 2048 x 7.56e-4 = 1.5483 matrix, 128 x 0.00951 = 1.2173 vector, 0.47 MiB x 2.369 = 1.1134 local.
    at = cost_of(A100)
    assert core_mm2(A100, at.core, at.process) == pytest.approx(1.5483 + 1.2173 + 1.1134, abs=1e-4)


def test_core_shrinks_by_node_logic_and_sram_apart() -> None:
    # N4: logic x 0.512, SRAM x 0.778: (1.5483 + 1.2173) x 0.512 + 1.1134 x 0.778 = 2.2822.
    at = cost_of(A100, process="n4")
    assert core_mm2(A100, at.core, at.process) == pytest.approx(2.2822, abs=1e-4)


def test_l2_of_a100_by_hand() -> None:
    # Enabled: 40 x 2.06 = 82.4, and 7,219.2 / 1.41 = 5,120 byte/cycle x 0.00336 = 17.2; physical: 1.2 x 99.6 = 119.5.
    at = cost_of(A100)
    assert enabled_l2_mm2(A100, 1.0, at.l2, at.process) == pytest.approx(82.4 + 17.2, abs=0.01)
    assert area(A100).l2 == pytest.approx(119.31, abs=0.5)


def test_phys_do_not_shrink_and_controllers_do() -> None:
    seven, four = area(A100), area(A100, process="n4")
    assert (seven.hbm_phy, seven.link_phy, seven.host_interface) == (four.hbm_phy, four.link_phy, four.host_interface)
    assert four.hbm_controller == pytest.approx(0.512 * seven.hbm_controller, rel=1e-12)
    assert seven.hbm_phy == pytest.approx(58.0, abs=0.1)  # 6 sites x 9.67
    assert seven.link_phy == pytest.approx(22.68, abs=0.01)  # 600 GB/s both ways x 0.0378


def test_blocks_add_up_to_the_die() -> None:
    at = area(H100)
    assert sum(at[:-1]) == pytest.approx(at.die_mm2, rel=1e-12)
    assert at.network_on_chip == pytest.approx(0.069 * at.die_mm2, rel=1e-12)


def test_stacks_follow_from_bandwidth_and_capacity() -> None:
    assert [hbm_stacks(chip, cost_of(chip).memory) for chip in (A100, H100, H200, MI210, ASCEND_910, ASCEND_910B)] == [
        5.0, 5.0, 6.0, 4.0, 4.0, 4.0]


def test_hbm_is_paid_by_capacity_and_no_stack_is_below_the_smallest() -> None:
    # 80 GB x 16.9 = 1,352; 20 GB at the same bandwidth still takes five stacks of 16 GB.
    memory = cost_of(H100).memory
    assert hbm_usd(H100, 5.0, memory) == pytest.approx(1352.0)
    assert hbm_usd(H100._replace(hbm_bytes=20 * GIGA), 5.0, memory) == pytest.approx(1352.0)


# Total, mm2, and the tolerance. A100 and MI210 were used for fitting: A100 by all its blocks; of MI210 cores, L2 and
# network only, since the labels of its HBM and link blocks are doubtful, and that is what its total lacks.
@pytest.mark.parametrize(("device", "published", "tolerance"), [(A100, 826.0, 0.02), (MI210, 724.0, 0.18)])
def test_dies_used_for_fitting(device: Accelerator, published: float, tolerance: float) -> None:
    assert area(device).die_mm2 == pytest.approx(published, rel=tolerance)


# Dies that were not: within 10 %.
@pytest.mark.parametrize(("device", "published", "tolerance"), [
    (H100, 814.0, 0.10), (H200, 814.0, 0.10), (ASCEND_910, 456.25, 0.10), (ASCEND_910B, 665.61, 0.10),
])
def test_dies_held_out(device: Accelerator, published: float, tolerance: float) -> None:
    assert area(device).die_mm2 == pytest.approx(published, rel=tolerance)


def test_the_interval_of_every_held_out_die_holds_the_published_area() -> None:
    for device, published in ((H100, 814.0), (ASCEND_910, 456.25), (ASCEND_910B, 665.61)):
        ends = [bill(device, 1.0, _at(device, part)).area.die_mm2 for part in ("low", "high")]
        assert ends[0] < published < ends[1]


def _at(device: Accelerator, part: str) -> CostAssumptions:
    """All areas of the assumptions at one end; a stack's size and speed stay, for a better stack needs fewer sites."""
    raw = raw_cost(device)
    for group in ("process", "memory", "core", "l2", "link"):
        for field in TABLES[group].fields:
            if not field.key.startswith("stack_"):
                raw[group][field.key] = raw[group][field.key][part]
    return cost_assumptions(raw)


@pytest.mark.parametrize(("block", "published", "ours"), [
    ("cores", 476.25, 496.5), ("network_on_chip", 76.44, 57.8), ("l2", 119.31, 119.5), ("hbm_phy", 58.0, 58.0),
    ("hbm_controller", 31.77, 31.7), ("link_phy", 20.95, 22.7),
])
def test_blocks_of_a100_beside_the_photo(block: str, published: float, ours: float) -> None:
    assert getattr(area(A100), block) == pytest.approx(ours, abs=0.1)
    assert getattr(area(A100), block) == pytest.approx(published, rel=0.25)


@given(st.sampled_from([A100, H100, ASCEND_910B]), st.floats(1.0, 4.0), st.sampled_from([
    "cores", "spare_cores", "matrix_flops_per_cycle", "vector_flops_per_cycle", "l2_bytes", "l2_bytes_per_s",
    "hbm_bytes", "hbm_bytes_per_s", "spare_hbm_sites", "link_bytes_per_s"]))
def test_more_of_anything_never_takes_less_area(device: Accelerator, factor: float, what: str) -> None:
    more = device._replace(**{what: getattr(device, what) * factor})
    assert area_of(more, device) >= area_of(device, device)


def area_of(device: Accelerator, options_of: Accelerator) -> float:
    return bill(device, 1.0, cost_of(options_of)).area.die_mm2


def test_a_mebibyte_of_slab_costs_less_than_half_of_one_of_a_gpu() -> None:
    at = {name: cost_of(ASCEND_910B, l2=name) for name in ("slab", "gpu_like")}
    grown = ASCEND_910B._replace(l2_bytes=193 * MEBI)
    step = {name: bill(grown, 1.0, a).area.l2 - bill(ASCEND_910B, 1.0, a).area.l2 for name, a in at.items()}
    assert step["slab"] == pytest.approx(0.28 * 400.0 / 128.0, rel=1e-6)  # TPUv4i: 28 % of 400 mm2 for 128 MiB
    assert step["gpu_like"] == pytest.approx(2.06, rel=1e-6)


def test_tables_are_in_the_order_of_the_record() -> None:
    assert [table.group for table in COST_TABLES] == [f"cost.{name}" for name in TABLES]
    sites = hbm_stacks(A100, cost_of(A100).memory) + 1.0
    a = cost_of(A100)
    made = silicon(A100, sites, a.memory, a.core, a.l2, a.link, a.process, a.package)
    assert made.area == area(A100)
