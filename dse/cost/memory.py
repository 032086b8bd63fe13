"""HBM of one generation: how many stacks a device needs, what they cost, take of the die and burn."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.fields import Field, Table
from dse.hardware import Accelerator
from dse.units import BITS_PER_BYTE, GIGA, PICO


class Memory(NamedTuple):
    """One generation of HBM. SI units; mm2 and USD as named."""

    usd_per_byte: float
    stack_bytes: float
    smallest_stack_bytes: float
    stack_bytes_per_s: float
    phy_mm2: float
    controller_mm2: float
    shoreline_mm: float
    footprint_mm2: float
    joules_per_byte: float


MEMORY = Table(
    "cost.memory",
    Memory,
    (
        Field("usd_per_gb", "usd_per_byte", "price of HBM", 1.0 / GIGA, constant=True, unit="USD/GB"),
        Field("stack_gb", "stack_bytes", "largest capacity of a stack", GIGA, constant=True, unit="GB"),
        Field("smallest_stack_gb", "smallest_stack_bytes", "smallest capacity that a stack is sold with", GIGA,
              closed=True, constant=True, unit="GB"),
        Field("stack_gb_per_s", "stack_bytes_per_s", "bandwidth of a stack in products", GIGA, constant=True,
              unit="GB/s"),
        Field("phy_mm2", "phy_mm2", "PHY of a stack on the die, any node", closed=True, constant=True, unit="mm2"),
        Field("controller_mm2", "controller_mm2", "controller of a stack, in N7", closed=True, constant=True,
              unit="mm2"),
        Field("shoreline_mm", "shoreline_mm", "die edge that a stack needs", closed=True, constant=True, unit="mm"),
        Field("footprint_mm2", "footprint_mm2", "a stack on the package", closed=True, constant=True, unit="mm2"),
        Field("pj_per_bit", "joules_per_byte", "energy of a bit read or written, PHY included", BITS_PER_BYTE * PICO,
              closed=True, constant=True, unit="pJ/bit"),
    ),
    choices=("name",),
).checked()


def hbm_stacks(device: Accelerator, memory: Memory) -> float:
    """Stacks that the device needs: the larger of ceil(bandwidth / stack's) and ceil(capacity / largest stack's)."""
    by_bandwidth = float(math.ceil(device.hbm_bytes_per_s / memory.stack_bytes_per_s))
    by_capacity = float(math.ceil(device.hbm_bytes / memory.stack_bytes))
    return max(by_bandwidth, by_capacity)


def hbm_usd(device: Accelerator, stacks: float, memory: Memory) -> float:
    """Price of the device's HBM, USD: its capacity, but no stack below the smallest one sold."""
    return max(device.hbm_bytes, stacks * memory.smallest_stack_bytes) * memory.usd_per_byte
