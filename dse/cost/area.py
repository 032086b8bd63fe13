"""Silicon by block and by die: physical resources are counted, logic and SRAM shrink with the node, PHYs do not."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.cache import L2, enabled_l2_mm2
from dse.cost.core import Core, core_mm2
from dse.cost.link import Link, both_ways_bytes_per_s
from dse.cost.memory import Memory
from dse.cost.package import Package, die_to_die_bytes_per_s, has_io_dies
from dse.cost.process import Process
from dse.hardware import Accelerator


class Area(NamedTuple):
    """Blocks of all dies of a device and their sum, mm2. With one die, `die_mm2` is that die."""

    cores: float
    l2: float
    hbm_phy: float
    hbm_controller: float
    link_phy: float
    link_controller: float
    host_interface: float
    die_to_die: float
    network_on_chip: float
    other: float
    die_mm2: float


class Silicon(NamedTuple):
    """The blocks, and how they lie on dies: one compute die, one IO die, one cache die; zero where there is none.

    `cache_mm2` is the L2 on the compute dies and `fixed_mm2` what stands there and has no spare, over all of them.
    """

    area: Area
    compute_die_mm2: float
    io_die_mm2: float
    cache_die_mm2: float
    cache_mm2: float
    fixed_mm2: float


def silicon(device: Accelerator, sites: float, memory: Memory, core: Core, l2: L2, link: Link, process: Process,
            package: Package) -> Silicon:
    """Blocks and dies of a device with `sites` HBM interfaces; spare cores, L2 and sites count.

    compute or IO dies = their blocks / (1 - network share - other share), so that both are shares of the die. IO dies
    take links and host interface, in their own process; cache dies take the stacked share of the L2.
    """
    both_ways = both_ways_bytes_per_s(device)
    on_io = has_io_dies(package)
    cores = core_mm2(device, core, process) * (device.cores + device.spare_cores)
    cache = enabled_l2_mm2(device, 1.0 - package.stacked_l2_share, l2, process) * (1.0 + device.spare_l2_share)
    stacked = package.cache_mm2_per_byte * device.l2_bytes * package.stacked_l2_share * (1.0 + device.spare_l2_share)
    hbm_phy = memory.phy_mm2 * sites
    hbm_controller = memory.controller_mm2 * process.logic_area * sites
    link_phy = link.phy_mm2_per_byte_per_s * both_ways
    logic_area = package.side_logic_area if on_io > 0.0 else process.logic_area
    link_controller = link.controller_mm2_per_byte_per_s * logic_area * both_ways
    outside = link_phy + link_controller + link.host_interface_mm2
    to_io = package.die_to_die_mm2_per_byte_per_s * both_ways * on_io
    to_dies = package.die_to_die_mm2_per_byte_per_s * die_to_die_bytes_per_s(device, package) + to_io
    off_io = 1.0 - on_io
    fixed = outside * off_io + to_dies
    rest = 1.0 - core.network_share - core.other_share
    compute = (cores + cache + hbm_phy + hbm_controller + link_phy * off_io + link_controller * off_io
               + link.host_interface_mm2 * off_io + to_dies) / rest
    io = (outside + to_io) * on_io / rest
    area = Area(cores, cache + stacked, hbm_phy, hbm_controller, link_phy, link_controller, link.host_interface_mm2,
                to_dies + to_io, (compute + io) * core.network_share, (compute + io) * core.other_share,
                compute + io + stacked)
    return Silicon(area, compute / package.compute_dies, io / max(1.0, package.io_dies),
                   stacked / package.compute_dies, cache, fixed)
