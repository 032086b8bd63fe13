"""Energy of an amount of work and the power limit."""

from __future__ import annotations

import pytest
from cost.chips import A100, H100, cost_of

from dse.cost.energy import Work, average_power_w, energy, power_violation
from dse.hardware import Accelerator, matrix_flops_per_s


def busy(device: Accelerator) -> float:
    """Watts with every unit at its peak for a second."""
    work = Work(matrix_flops_per_s(device), device.l2_bytes_per_s, device.hbm_bytes_per_s, 2 * device.link_bytes_per_s)
    return average_power_w(energy(work, 1.0, device, cost_of(device)).total_j, 1.0)


def test_a100_by_hand() -> None:
    # 10^12 FLOP x 0.65 pJ = 0.65 J; 10^9 byte x 8 x 0.13 pJ = 1.04 mJ; x 8 x 4.5 pJ = 36 mJ; x 8 x 5.5 pJ = 44 mJ;
    # 0.01 s x 0.092 x 400 W = 0.368 J.
    spent = energy(Work(1e12, 1e9, 1e9, 1e9), 0.01, A100, cost_of(A100))
    assert spent == pytest.approx((0.65, 0.00104, 0.036, 0.044, 0.368, 1.09904), rel=1e-9)
    assert average_power_w(spent.total_j, 0.01) == pytest.approx(109.904, rel=1e-9)


def test_node_lowers_compute_and_sram_but_not_hbm_or_links() -> None:
    work = Work(1e12, 1e9, 1e9, 1e9)
    seven, four = (energy(work, 0.01, A100, cost_of(A100, process=node)) for node in ("n7", "n4"))
    assert (four.compute_j, four.l2_j) == pytest.approx((0.7 * seven.compute_j, 0.7 * seven.l2_j))
    assert (four.hbm_j, four.link_j, four.static_j) == (seven.hbm_j, seven.link_j, seven.static_j)


@pytest.mark.parametrize("device", [A100, H100])
def test_a_chip_with_every_unit_busy_draws_about_its_design_power(device: Accelerator) -> None:
    assert busy(device) == pytest.approx(device.tdp_w, rel=0.15)


def test_violation_is_relative_to_the_design_power() -> None:
    assert power_violation(300.0, A100) == pytest.approx(-0.25)
    assert power_violation(500.0, A100) == pytest.approx(0.25)
