"""Dies in a package: the null case, chiplets, IO dies, stacked L2, design cost, a published two-die bill."""

from __future__ import annotations

from typing import Any

import pytest
from cost.chips import ASCEND_910B, B200, H100, TPU_V4, cost_of
from hypothesis import given
from hypothesis import strategies as st

from dse.cost.assumptions import CostAssumptions
from dse.cost.bill import Bill, bill
from dse.cost.package import assembly_loss_usd, die_to_die_bytes_per_s, extra_dies
from dse.hardware import Accelerator
from dse.units import GIGA, MEBI

IDLE_WITHOUT_CHIPLETS = ["known_good_test_share", "bonding_yield", "die_to_die_headroom",
                         "die_to_die_mm2_per_byte_per_s", "cache_mm2_per_byte", "bond_usd_per_mm2", "side_wafer_usd",
                         "side_defects_per_mm2", "side_logic_area", "side_mask_set_usd", "side_design_usd_per_mm2"]


def with_package(device: Accelerator, kind: str = "interposer", **changes: float) -> CostAssumptions:
    base = cost_of(device, package=kind)
    return base._replace(package=base.package._replace(**changes))


def of(device: Accelerator, kind: str = "interposer", **changes: float) -> Bill:
    return bill(device, 1.0, with_package(device, kind, **changes))


@given(st.sampled_from(IDLE_WITHOUT_CHIPLETS), st.floats(0.1, 1.0))
def test_one_die_does_not_know_of_chiplets(name: str, factor: float) -> None:
    value = getattr(cost_of(H100).package, name) * factor
    assert of(H100, **{name: value}) == of(H100)


def test_two_dies_halve_the_blocks_and_talk_to_each_other() -> None:
    # H100's HBM: 3,350 GB/s. Uniform reads over two dies: 2 x 1/2 x 3,350 in and out; headroom 2.5: 8,375 GB/s;
    # x 0.00158 mm2 = 13.23 mm2 over both, which the shares enlarge by 1 / 0.891 to 14.85.
    one, two = of(H100), of(H100, compute_dies=2.0)
    assert die_to_die_bytes_per_s(H100, with_package(H100, compute_dies=2.0).package) == pytest.approx(8375 * GIGA)
    assert two.area.die_to_die == pytest.approx(13.23, abs=0.01)
    assert two.area.die_mm2 == pytest.approx(one.area.die_mm2 + 14.85, abs=0.01)
    assert two.compute_die_mm2 == pytest.approx(two.area.die_mm2 / 2.0, rel=1e-12)


def test_small_dies_yield_more_but_are_tested_twice_and_bonded() -> None:
    # Bonding one die after the first at 0.98: 1 / 0.98 - 1 = 2.04 % of dies, HBM and package on top of 38.3 % of them.
    one, two = of(ASCEND_910B), of(ASCEND_910B, compute_dies=2.0)
    assert two.die_yield > one.die_yield
    assert two.items.die < one.items.die
    parts = two.items.die + two.items.hbm + two.items.package
    assert two.items.test == pytest.approx(parts * (0.383 + 1.0 / 0.98 - 1.0), rel=1e-12)
    good = 14500.0 / (two.dies_per_wafer * two.die_yield)
    assert two.items.die == pytest.approx(2.0 * good * (1.0 + 0.01 + 0.01), rel=1e-12)


def test_io_dies_take_links_and_host_interface() -> None:
    # 910B: 392 GB/s both ways. IO die: 392 x (0.0284 + 0.0155) + 11.1 + 392 x 0.00158 = 28.93, / 0.891 = 32.47 mm2;
    # compute die: 17.21 + 11.1 less and the interface, 0.62, more, / 0.891.
    one, split = of(ASCEND_910B), of(ASCEND_910B, io_dies=1.0)
    assert split.area.die_mm2 - split.compute_die_mm2 == pytest.approx(32.47, abs=0.01)
    assert one.compute_die_mm2 - split.compute_die_mm2 == pytest.approx((17.21 + 11.1 - 0.62) / 0.891, abs=0.01)
    assert split.dies.io > 0.0
    assert split.items.die == split.dies.compute + split.dies.io


def test_stacked_l2_leaves_the_compute_die_for_a_cache_die() -> None:
    # 910B: 192 MiB x 0.875 = 168 mm2 leave the die, which shrinks by that / 0.891 and keeps the ports; a cache die of
    # data alone is denser: 192 x 0.641 = 123.07.
    flat, stacked = of(ASCEND_910B), of(ASCEND_910B, "stacked_l2")
    assert flat.compute_die_mm2 - stacked.compute_die_mm2 == pytest.approx(168.0 / 0.891, abs=0.01)
    assert stacked.area.die_mm2 - stacked.compute_die_mm2 == pytest.approx(123.07, abs=0.01)
    assert flat.area.l2 - stacked.area.l2 == pytest.approx(168.0 - 123.07, abs=0.01)
    assert stacked.dies.compute < flat.dies.compute
    assert stacked.dies.cache == pytest.approx(24.7, abs=0.1)  # 10,000 / 461 / 0.8956 x 1.02
    assert extra_dies(with_package(ASCEND_910B, "stacked_l2").package) == 1.0


def test_a_cache_die_cannot_be_larger_than_the_die_under_it() -> None:
    assert of(ASCEND_910B, "stacked_l2").reticle <= 0.0
    huge = ASCEND_910B._replace(l2_bytes=1024 * MEBI)
    base = cost_of(ASCEND_910B, package="stacked_l2")
    assert bill(huge, 1.0, base).reticle > 0.0


def test_cutting_meets_the_reticle() -> None:
    double = H100._replace(cores=264.0, spare_cores=24.0)
    base = cost_of(H100)
    assert bill(double, 1.0, base).reticle > 0.0
    cut = base._replace(package=base.package._replace(compute_dies=2.0))
    assert bill(double, 1.0, cut).reticle <= 0.0


def test_a_package_that_is_never_bonded_well_still_has_a_price() -> None:
    # 0.99^(100,000 - 1) is far below 1e-9, which stands for it: all parts are lost 1e9 times over.
    package = with_package(ASCEND_910B, compute_dies=100_000.0).package._replace(bonding_yield=0.99)
    assert assembly_loss_usd(5.0, package) == pytest.approx(5.0 * (1e9 - 1.0), rel=1e-9)


def test_package_kinds_by_hand() -> None:
    # H100: six sites of 120.5 mm2. Organic: (842.09 + 723) x 0.073 + 6 x 43; bridge: x 0.429.
    footprint = of(H100).area.die_mm2 + 723.0
    assert of(H100, "organic").items.package == pytest.approx(footprint * 0.073 + 258.0, rel=1e-12)
    assert of(H100, "bridge").items.package == pytest.approx(footprint * 0.429, rel=1e-12)
    assert of(H100, "organic", compute_dies=2.0).area.die_to_die > of(H100, compute_dies=2.0).area.die_to_die


def test_design_over_a_volume_by_hand() -> None:
    # H100: (18.1 M + 842.09 mm2 x 1.81 M) / 500,000 devices = 3,084.6 USD; none without a volume.
    base = cost_of(H100)
    counted = base._replace(system=base.system._replace(volume_devices=500000.0))
    assert bill(H100, 1.0, counted).items.nre == pytest.approx((18.1e6 + 842.093 * 1.81e6) / 5e5, rel=1e-5)
    assert bill(H100, 8.0, counted).group_usd == pytest.approx(
        bill(H100, 8.0, base).group_usd + 8.0 * bill(H100, 1.0, counted).items.nre, rel=1e-12)
    assert of(H100).items.nre == 0.0


def test_links_beyond_a_server_need_cables() -> None:
    # TPU v4: 540 GB/s both ways x 0.7; eight devices in a mesh are wired by their board.
    pod = TPU_V4._replace(domain_devices=4096.0)
    assert bill(pod, 1.0, cost_of(TPU_V4)).items.network == pytest.approx(378.0)
    assert of(ASCEND_910B).items.network == 0.0


# Epoch, USD, 2025: two logic dies 720-1,200, HBM 2,800-3,100, packaging 1,000-1,200, packaging loss 1,000-1,100,
# auxiliary 480, all 5,700-7,300. The wafer is priced as in 2025, 19,000 USD;
# at the base price of 2023 the dies are 529.
@pytest.mark.parametrize(("item", "low", "high"), [
    ("die", 720.0, 1200.0), ("hbm", 2800.0, 3100.0), ("package", 1000.0, 1200.0),
])
def test_b200_item_by_item(item: str, low: float, high: float) -> None:
    assert low <= getattr(b200().items, item) <= high


def test_b200_total() -> None:
    at = b200()
    assert 5700.0 <= at.device_usd <= 7300.0
    # 0.383 and one bond of 0.98; Epoch's packaging loss and auxiliary are 1,480-1,580, its dies dearer than ours
    assert at.items.test == pytest.approx((0.383 + 1.0 / 0.98 - 1.0) * (750.0 + 2880.0 + 1019.0), rel=0.001)
    assert at.reticle <= 0.0


def b200() -> Bill:
    at = with_package(B200, "bridge", compute_dies=2.0)
    return bill(B200, 1.0, at._replace(process=at.process._replace(wafer_usd=19000.0)))


@given(st.sampled_from([H100, ASCEND_910B]), st.integers(1, 4), st.integers(0, 2), st.sampled_from([0.0, 0.5, 1.0]),
       st.floats(1.0, 3.0), st.sampled_from(["cores", "l2_bytes", "hbm_bytes", "hbm_bytes_per_s", "link_bytes_per_s"]))
def test_more_never_costs_less_in_any_package(device: Accelerator, dies: int, io: int, stacked: float, factor: float,
                                              what: str) -> None:
    changes: dict[str, Any] = {"compute_dies": float(dies), "io_dies": float(io), "stacked_l2_share": stacked}
    at = with_package(device, **changes)
    less = bill(device, 1.0, at)
    more = bill(device._replace(**{what: getattr(device, what) * factor}), 1.0, at)
    assert more.area.die_mm2 >= less.area.die_mm2
    assert more.die_yield <= less.die_yield * (1 + 1e-12)
    assert more.device_usd >= less.device_usd * (1 - 1e-12)


@given(st.integers(1, 6), st.floats(0.01, 1.0))
def test_more_defects_never_make_chiplets_cheaper(dies: int, density: float) -> None:
    at = with_package(H100, compute_dies=float(dies))
    worse = at._replace(process=at.process._replace(defects_per_mm2=density / 100.0 * 1.5))
    better = at._replace(process=at.process._replace(defects_per_mm2=density / 100.0))
    assert bill(H100, 1.0, worse).device_usd >= bill(H100, 1.0, better).device_usd
