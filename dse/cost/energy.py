"""Joules of an amount of work, average power, and whether the package may draw it."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.assumptions import CostAssumptions
from dse.hardware import Accelerator


class Work(NamedTuple):
    """What one device does in a time: 16-bit equivalent FLOPs, and bytes through L2, HBM and links."""

    flops: float
    l2_bytes: float
    hbm_bytes: float
    link_bytes: float


class Energy(NamedTuple):
    """Joules of a device's work by where they go, `static` being what it draws anyway."""

    compute_j: float
    l2_j: float
    hbm_j: float
    link_j: float
    static_j: float
    total_j: float


def energy(work: Work, time_s: float, device: Accelerator, assumptions: CostAssumptions) -> Energy:
    """Energy of `work` done in `time_s` by one device.

    FLOPs and L2 bytes scale with the node's energy; HBM and links do not, their constants are those of the generation;
    the static part is a share of the thermal design power for as long as the work takes.
    """
    compute_j = work.flops * assumptions.core.joules_per_flop * assumptions.process.energy
    l2_j = work.l2_bytes * assumptions.l2.joules_per_byte * assumptions.process.energy
    hbm_j = work.hbm_bytes * assumptions.memory.joules_per_byte
    link_j = work.link_bytes * assumptions.link.joules_per_byte
    static_j = device.tdp_w * assumptions.core.static_share * time_s
    return Energy(compute_j, l2_j, hbm_j, link_j, static_j, compute_j + l2_j + hbm_j + link_j + static_j)


def average_power_w(energy_j: float, time_s: float) -> float:
    """Average power of `energy_j` spent in `time_s`."""
    return energy_j / time_s


def power_violation(power_w: float, device: Accelerator) -> float:
    """Power over the thermal design power, less 1; met where <= 0."""
    return power_w / device.tdp_w - 1.0
