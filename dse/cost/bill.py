"""The bill of a device and of a group of them: area, yield, items, violations."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.area import Area, die_area
from dse.cost.assumptions import CostAssumptions
from dse.cost.die_yield import good_share
from dse.cost.memory import hbm_stacks, hbm_usd
from dse.cost.package import package_usd, shoreline_violation
from dse.cost.system import network_usd
from dse.cost.wafer import dies_per_wafer, good_die_usd
from dse.hardware import Accelerator


class Items(NamedTuple):
    """USD per device."""

    die: float
    hbm: float
    package: float
    test: float
    board: float
    host_share: float
    network: float


class Bill(NamedTuple):
    """What a device and its group cost to make, in nominal USD of the constants' dates, and what forbids it."""

    area: Area
    items: Items
    hbm_stacks: float
    die_yield: float
    dies_per_wafer: float
    die_usd: float
    device_usd: float
    group_usd: float
    reticle: float
    shoreline: float


def bill(device: Accelerator, devices: float, assumptions: CostAssumptions) -> Bill:
    """The bill of `devices` devices.

    die_usd = wafer / (dies per wafer x yield) x (1 + test); device_usd = die + HBM + package + test and assembly +
    board; group_usd = devices x (device + host share + network share). `reticle` and `shoreline` are met where <= 0.
    """
    a = assumptions
    stacks = hbm_stacks(device, a.memory)
    sites = stacks + device.spare_hbm_sites
    area = die_area(device, sites, a.memory, a.core, a.l2, a.link, a.process)
    good = good_share(device, stacks, area, a.core, a.l2, a.process, a.die_yield)
    gross = dies_per_wafer(area.die_mm2, a.die_yield)
    die_usd = good_die_usd(a.process.wafer_usd, gross, good, a.die_yield)
    memory_usd = hbm_usd(device, stacks, a.memory)
    carrier_usd = package_usd(area.die_mm2, sites, a.memory, a.package)
    fabric_usd = network_usd(device, a.system)
    items = Items(die_usd, memory_usd, carrier_usd, a.package.test_usd, a.system.board_usd, a.system.host_usd,
                  fabric_usd)
    device_usd = die_usd + memory_usd + carrier_usd + a.package.test_usd + a.system.board_usd
    group_usd = devices * (device_usd + a.system.host_usd + fabric_usd)
    return Bill(area, items, stacks, good, gross, die_usd, device_usd, group_usd,
                area.die_mm2 / a.die_yield.reticle_mm2 - 1.0,
                shoreline_violation(area.die_mm2, sites, a.memory, a.die_yield))
