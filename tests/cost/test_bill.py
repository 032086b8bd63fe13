"""The bill: H100 item by item beside published ones, totals by hand, monotony, violations."""

from __future__ import annotations

import pytest
from cost.chips import A100, ASCEND_910B, H100, H200, cost_of
from hypothesis import given
from hypothesis import strategies as st

from dse.cost.bill import Bill, bill
from dse.hardware import FULL_MESH, Accelerator
from dse.units import GIGA

chips = st.sampled_from([A100, H100, ASCEND_910B])


def of(device: Accelerator, devices: float = 1.0) -> Bill:
    return bill(device, devices, cost_of(device))


# Raymond James 2023 and later digests, USD: die 200-300, HBM 1,350-1,500, packaging 723-750, test and assembly 920,
# 38.3 % of its 2,400 of parts: of ours, 2,364, it is 905.
@pytest.mark.parametrize(("item", "low", "high"), [
    ("die", 200.0, 300.0), ("hbm", 1350.0, 1500.0), ("package", 723.0, 750.0), ("test", 900.0, 920.0),
])
def test_h100_item_by_item(item: str, low: float, high: float) -> None:
    assert low <= getattr(of(H100).items, item) <= high


def test_h100_total_is_the_published_one() -> None:
    items = of(H100).items
    assert items.die + items.hbm + items.package + items.test == pytest.approx(3320.0, rel=0.02)


def test_h200_total_is_within_a_tenth() -> None:
    items = of(H200).items
    assert items.die + items.hbm + items.package + items.test == pytest.approx(4800.0, rel=0.10)


def test_die_dollars_by_hand() -> None:
    at = of(H100)
    assert at.die_usd == pytest.approx(13400.0 / (at.dies_per_wafer * at.die_yield) * 1.01, rel=1e-12)
    assert at.die_yield == pytest.approx(0.86, abs=0.05)  # 80-85 % is implied by quoted bills, where L2 and HBM spare


def test_totals_add_up() -> None:
    at = of(H100, 8.0)
    items = at.items
    assert at.device_usd == pytest.approx(items.die + items.hbm + items.package + items.test + items.board, rel=1e-12)
    assert at.group_usd == pytest.approx(8.0 * (at.device_usd + items.host_share + items.network), rel=1e-12)


def test_network_share_by_hand() -> None:
    # H100: 900 GB/s both ways x 0.36 USD per GB/s = 324; a full mesh has no switch.
    assert of(H100).items.network == pytest.approx(324.0)
    assert bill(H100._replace(topology=FULL_MESH), 1.0, cost_of(H100)).items.network == 0.0


def test_package_by_hand() -> None:
    # (die + 6 sites x 120.5 mm2) x 0.470 USD.
    at = of(H100)
    assert at.items.package == pytest.approx((at.area.die_mm2 + 723.0) * 0.470, rel=1e-12)


def test_test_and_assembly_by_hand() -> None:
    # 0.383 of die, HBM and package; with one die no bond is lost.
    for chip in (A100, H100, H200, ASCEND_910B):
        items = of(chip).items
        assert items.test == pytest.approx(0.383 * (items.die + items.hbm + items.package), rel=1e-12)


def test_chips_that_exist_can_be_made() -> None:
    for chip in (A100, H100, H200, ASCEND_910B):
        assert of(chip).reticle <= 0.0
        assert of(chip).shoreline <= 0.0


def test_violations_by_hand() -> None:
    at = of(A100)
    assert at.reticle == pytest.approx(at.area.die_mm2 / 858.0 - 1.0, rel=1e-12)
    # 6 sites x 9.5 mm over two long edges of sqrt(837.4 x 1.27) = 32.61 mm.
    assert at.shoreline == pytest.approx(57.0 / 65.22 - 1.0, abs=1e-3)
    assert bill(A100._replace(hbm_bytes_per_s=8000 * GIGA), 1.0, cost_of(A100)).shoreline > 0.0


@given(chips, st.floats(1.0, 3.0), st.sampled_from(["cores", "l2_bytes", "matrix_flops_per_cycle", "hbm_bytes",
                                                    "hbm_bytes_per_s", "link_bytes_per_s", "l2_bytes_per_s"]))
def test_more_never_costs_less_or_yields_more(device: Accelerator, factor: float, what: str) -> None:
    less, more = of(device), bill(device._replace(**{what: getattr(device, what) * factor}), 1.0, cost_of(device))
    assert more.area.die_mm2 >= less.area.die_mm2
    assert more.die_yield <= less.die_yield * (1 + 1e-12)
    assert more.die_usd >= less.die_usd * (1 - 1e-12)
    assert more.device_usd >= less.device_usd * (1 - 1e-12)
    assert more.items.hbm >= less.items.hbm


@given(chips, st.floats(1.0, 3.0), st.sampled_from([
    ("process", "wafer_usd"), ("process", "defects_per_mm2"), ("memory", "usd_per_byte"), ("l2", "mm2_per_byte"),
    ("package", "usd_per_mm2"), ("package", "test_share"), ("system", "host_usd"), ("core", "vector_mm2_per_flop")]))
def test_dearer_assumptions_never_make_it_cheaper(device: Accelerator, factor: float, which: tuple[str, str]) -> None:
    base = cost_of(device)
    group = getattr(base, which[0])
    dearer = base._replace(**{which[0]: group._replace(**{which[1]: getattr(group, which[1]) * factor})})
    assert bill(device, 8.0, dearer).group_usd >= bill(device, 8.0, base).group_usd * (1 - 1e-12)


@given(chips, st.integers(1, 64))
def test_a_group_is_so_many_devices(device: Accelerator, devices: int) -> None:
    assert of(device, float(devices)).group_usd == pytest.approx(devices * of(device).group_usd, rel=1e-12)
