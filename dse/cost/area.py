"""Die area by block: physical resources are counted, logic and SRAM shrink with the node, PHYs do not."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.memory import Memory
from dse.cost.process import Process
from dse.fields import Field, Table
from dse.hardware import Accelerator
from dse.units import BITS_PER_BYTE, GIGA, MEBI, PICO


class Core(NamedTuple):
    """A style of core (GPU multiprocessor, NPU core): areas in N7, shares of the die, energies."""

    matrix_mm2_per_flop: float
    vector_mm2_per_flop: float
    local_bytes: float
    local_mm2_per_byte: float
    network_share: float
    other_share: float
    joules_per_flop: float
    static_share: float


class L2(NamedTuple):
    """A style of L2: area in N7 by capacity and by width, slices for harvesting, energy."""

    mm2_per_byte: float
    mm2_per_byte_per_cycle: float
    slices: float
    joules_per_byte: float


class Link(NamedTuple):
    """A kind of scale-up link with the host interface of its time; per byte/s of both directions together."""

    phy_mm2_per_byte_per_s: float
    controller_mm2_per_byte_per_s: float
    host_interface_mm2: float
    joules_per_byte: float


def _share(key: str, meaning: str) -> Field:
    return Field(key, key, meaning, closed=True, maximum=0.5, constant=True, unit="share")


def _energy(key: str, meaning: str) -> Field:
    return Field(key, "joules_per_byte", meaning, BITS_PER_BYTE * PICO, closed=True, constant=True, unit="pJ/bit")


CORE = Table(
    "cost.core",
    Core,
    (
        Field("matrix_mm2_per_flop", "matrix_mm2_per_flop", "area of a dense 16-bit matrix FLOP per cycle, N7",
              closed=True, constant=True, unit="mm2 per FLOP/cycle"),
        Field("vector_mm2_per_flop", "vector_mm2_per_flop", "area of a vector FLOP per cycle, control included, N7",
              closed=True, constant=True, unit="mm2 per FLOP/cycle"),
        Field("local_mib", "local_bytes", "registers and local memory of a core", MEBI, closed=True, constant=True,
              unit="MiB"),
        Field("local_mm2_per_mib", "local_mm2_per_byte", "area of local memory, N7", 1.0 / MEBI, closed=True,
              constant=True, unit="mm2/MiB"),
        _share("network_share", "share of the die that the network on chip takes"),
        _share("other_share", "share of the die that is none of the other blocks"),
        Field("pj_per_flop", "joules_per_flop", "energy of a 16-bit matrix FLOP, N7", PICO, closed=True, constant=True,
              unit="pJ/FLOP"),
        _share("static_share", "power drawn when idle, as a share of the thermal design power"),
    ),
    choices=("name",),
).checked()

L2_TABLE = Table(
    "cost.l2",
    L2,
    (
        Field("mm2_per_mib", "mm2_per_byte", "area of L2 by capacity, N7", 1.0 / MEBI, constant=True, unit="mm2/MiB"),
        Field("mm2_per_byte_per_cycle", "mm2_per_byte_per_cycle", "area of L2 by width, N7", closed=True,
              constant=True, unit="mm2 per byte/cycle"),
        Field("slices", "slices", "slices of the enabled L2, for harvesting", 1.0, 1.0, closed=True, constant=True,
              unit="slices"),
        _energy("pj_per_bit", "energy of a bit read or written"),
    ),
    choices=("name",),
).checked()

LINK = Table(
    "cost.link",
    Link,
    (
        Field("phy_mm2_per_gb_per_s", "phy_mm2_per_byte_per_s", "PHY, both directions counted, any node", 1.0 / GIGA,
              closed=True, constant=True, unit="mm2 per GB/s"),
        Field("controller_mm2_per_gb_per_s", "controller_mm2_per_byte_per_s", "controller, both directions, N7",
              1.0 / GIGA, closed=True, constant=True, unit="mm2 per GB/s"),
        Field("host_interface_mm2", "host_interface_mm2", "host interface, any node", closed=True, constant=True,
              unit="mm2"),
        _energy("pj_per_bit", "energy of a bit sent and received"),
    ),
    choices=("name",),
).checked()


class Area(NamedTuple):
    """Blocks of the die and their sum, mm2."""

    cores: float
    l2: float
    hbm_phy: float
    hbm_controller: float
    link_phy: float
    link_controller: float
    host_interface: float
    network_on_chip: float
    other: float
    die_mm2: float


def core_mm2(device: Accelerator, core: Core, process: Process) -> float:
    """One core: matrix and vector units by their width, which shrink as logic, and local memory as SRAM."""
    matrix = core.matrix_mm2_per_flop * device.matrix_flops_per_cycle
    vector = core.vector_mm2_per_flop * device.vector_flops_per_cycle
    local = core.local_bytes * core.local_mm2_per_byte
    return (matrix + vector) * process.logic_area + local * process.sram_area


def enabled_l2_mm2(device: Accelerator, l2: L2, process: Process) -> float:
    """The enabled L2: capacity, which shrinks as SRAM, and bytes per cycle (ports, tags), which shrink as logic."""
    bytes_per_cycle = device.l2_bytes_per_s / device.clock_hz
    width = l2.mm2_per_byte_per_cycle * bytes_per_cycle * process.logic_area
    return l2.mm2_per_byte * device.l2_bytes * process.sram_area + width


def link_bytes_per_s_both_ways(device: Accelerator) -> float:
    """Link bandwidth as areas and prices count it: all links together, both directions added."""
    return 2.0 * device.link_bytes_per_s


def die_area(device: Accelerator, sites: float, memory: Memory, core: Core, l2: L2, link: Link,
             process: Process) -> Area:
    """Blocks of the die with `sites` HBM interfaces; spare cores, L2 and sites count.

    die = blocks / (1 - network share - other share), so that both shares are shares of the die.
    """
    both_ways = link_bytes_per_s_both_ways(device)
    cores = core_mm2(device, core, process) * (device.cores + device.spare_cores)
    cache = enabled_l2_mm2(device, l2, process) * (1.0 + device.spare_l2_share)
    hbm_phy = memory.phy_mm2 * sites
    hbm_controller = memory.controller_mm2 * process.logic_area * sites
    link_phy = link.phy_mm2_per_byte_per_s * both_ways
    link_controller = link.controller_mm2_per_byte_per_s * process.logic_area * both_ways
    blocks = cores + cache + hbm_phy + hbm_controller + link_phy + link_controller + link.host_interface_mm2
    die_mm2 = blocks / (1.0 - core.network_share - core.other_share)
    return Area(cores, cache, hbm_phy, hbm_controller, link_phy, link_controller, link.host_interface_mm2,
                die_mm2 * core.network_share, die_mm2 * core.other_share, die_mm2)
