"""The bill of a device and of a group of them: area, yield, items, violations."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.area import Area, silicon
from dse.cost.assumptions import CostAssumptions
from dse.cost.die_yield import good_share
from dse.cost.dies import DieDollars, die_dollars, nre_usd
from dse.cost.memory import hbm_stacks, hbm_usd
from dse.cost.package import assembly_loss_usd, package_usd, reticle_violation, shoreline_violation
from dse.cost.system import network_usd, nre_share_usd
from dse.cost.wafer import dies_per_wafer
from dse.hardware import Accelerator


class Items(NamedTuple):
    """USD per device. `die` is all its dies, `test` test, assembly and what is lost in it, `nre` masks and design."""

    die: float
    hbm: float
    package: float
    test: float
    board: float
    host_share: float
    network: float
    nre: float


class Bill(NamedTuple):
    """What a device and its group cost to make, in nominal USD of the constants' dates, and what forbids it.

    `die_yield`, `dies_per_wafer` and `compute_die_mm2` are those of a compute die; `reticle` and `shoreline` are met
    where <= 0.
    """

    area: Area
    items: Items
    dies: DieDollars
    hbm_stacks: float
    compute_die_mm2: float
    die_yield: float
    dies_per_wafer: float
    die_usd: float
    device_usd: float
    group_usd: float
    reticle: float
    shoreline: float


def bill(device: Accelerator, devices: float, assumptions: CostAssumptions) -> Bill:
    """The bill of `devices` devices.

    die_usd = wafer / (dies per wafer x yield) x (1 + test), over all dies; test and assembly = share x (die + HBM +
    package) and the losses of further dies; device_usd = die + HBM + package + test and assembly + board; group_usd =
    devices x (device + host share + network share + share of the design).
    """
    a = assumptions
    stacks = hbm_stacks(device, a.memory)
    sites = stacks + device.spare_hbm_sites
    made = silicon(device, sites, a.memory, a.core, a.l2, a.link, a.process, a.package)
    compute_mm2, io_mm2, cache_mm2 = made.compute_die_mm2, made.io_die_mm2, made.cache_die_mm2
    good = good_share(device, stacks, made, a.core, a.l2, a.process, a.package, a.die_yield)
    dies = die_dollars(made, good, a.process, a.package, a.die_yield)
    die_usd = dies.compute + dies.io + dies.cache
    memory_usd = hbm_usd(device, stacks, a.memory)
    flat_mm2 = a.package.compute_dies * compute_mm2 + a.package.io_dies * io_mm2
    carrier_usd = package_usd(flat_mm2, sites, a.package.compute_dies * cache_mm2, a.memory, a.package)
    parts_usd = die_usd + memory_usd + carrier_usd
    test_usd = a.package.test_share * parts_usd + assembly_loss_usd(parts_usd, a.package)
    items = Items(die_usd, memory_usd, carrier_usd, test_usd, a.system.board_usd, a.system.host_usd,
                  network_usd(device, a.system), nre_share_usd(nre_usd(made, a.process, a.package), a.system))
    device_usd = die_usd + memory_usd + carrier_usd + test_usd + items.board
    group_usd = devices * (device_usd + items.host_share + items.network + items.nre)
    return Bill(made.area, items, dies, stacks, compute_mm2, good, dies_per_wafer(compute_mm2, a.die_yield), die_usd,
                device_usd, group_usd, reticle_violation(compute_mm2, io_mm2, cache_mm2, a.die_yield),
                shoreline_violation(compute_mm2, sites, a.memory, a.package, a.die_yield))
