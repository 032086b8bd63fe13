"""A kind of scale-up link, with the host interface of its time."""

from __future__ import annotations

from typing import NamedTuple

from dse.fields import Field, Table
from dse.hardware import Accelerator
from dse.units import BITS_PER_BYTE, GIGA, PICO


class Link(NamedTuple):
    """What links take of the die, per byte/s of both directions together, and their energy."""

    phy_mm2_per_byte_per_s: float
    controller_mm2_per_byte_per_s: float
    host_interface_mm2: float
    joules_per_byte: float


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
        Field("pj_per_bit", "joules_per_byte", "energy of a bit sent and received", BITS_PER_BYTE * PICO, closed=True,
              constant=True, unit="pJ/bit"),
    ),
    choices=("name",),
).checked()


def both_ways_bytes_per_s(device: Accelerator) -> float:
    """Link bandwidth as areas and prices count it: all links together, both directions added."""
    return 2.0 * device.link_bytes_per_s
