"""A style of L2: what capacity and width take of the die."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.process import Process
from dse.fields import Field, Table
from dse.hardware import Accelerator
from dse.units import BITS_PER_BYTE, MEBI, PICO


class L2(NamedTuple):
    """A style of L2: area in N7 by capacity and by width, slices for harvesting, energy."""

    mm2_per_byte: float
    mm2_per_byte_per_cycle: float
    slices: float
    joules_per_byte: float


L2_TABLE = Table(
    "cost.l2",
    L2,
    (
        Field("mm2_per_mib", "mm2_per_byte", "area of L2 by capacity, N7", 1.0 / MEBI, constant=True, unit="mm2/MiB"),
        Field("mm2_per_byte_per_cycle", "mm2_per_byte_per_cycle", "area of L2 by width, N7", closed=True,
              constant=True, unit="mm2 per byte/cycle"),
        Field("slices", "slices", "slices of the enabled L2, for harvesting", 1.0, 1.0, closed=True, constant=True,
              unit="slices"),
        Field("pj_per_bit", "joules_per_byte", "energy of a bit read or written, N7", BITS_PER_BYTE * PICO,
              closed=True, constant=True, unit="pJ/bit"),
    ),
    choices=("name",),
).checked()


def enabled_l2_mm2(device: Accelerator, on_die_share: float, l2: L2, process: Process) -> float:
    """The enabled L2 on the compute dies: capacity, of which `on_die_share` is there and shrinks as SRAM, and width.

    Ports, tags and controls go with the bytes per cycle, shrink as logic and stay when the capacity is stacked.
    """
    bytes_per_cycle = device.l2_bytes_per_s / device.clock_hz
    width = l2.mm2_per_byte_per_cycle * bytes_per_cycle * process.logic_area
    return l2.mm2_per_byte * device.l2_bytes * process.sram_area * on_die_share + width
