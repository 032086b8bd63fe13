"""A style of core: what its units take of the die, what a FLOP takes of power."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.process import Process
from dse.fields import Field, Table
from dse.hardware import Accelerator
from dse.units import MEBI, PICO


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


def _share(key: str, meaning: str) -> Field:
    return Field(key, key, meaning, closed=True, maximum=0.4, constant=True, unit="share")


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


def core_mm2(device: Accelerator, core: Core, process: Process) -> float:
    """One core: matrix and vector units by their width, which shrink as logic, and local memory as SRAM."""
    matrix = core.matrix_mm2_per_flop * device.matrix_flops_per_cycle
    vector = core.vector_mm2_per_flop * device.vector_flops_per_cycle
    local = core.local_bytes * core.local_mm2_per_byte
    return (matrix + vector) * process.logic_area + local * process.sram_area
