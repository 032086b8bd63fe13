"""What a device needs around it: board, share of a host, switches and cables by topology."""

from __future__ import annotations

from typing import NamedTuple

from dse.fields import Field, Table
from dse.hardware import SWITCH, Accelerator
from dse.units import GIGA


class System(NamedTuple):
    """Prices beside the device; link prices per byte/s of both directions together."""

    board_usd: float
    host_usd: float
    switch_usd_per_byte_per_s: float
    cable_usd_per_byte_per_s: float


SYSTEM = Table(
    "cost.system",
    System,
    (
        Field("board_usd", "board_usd", "board of a device", closed=True, constant=True,
              unit="USD/device"),
        Field("host_usd", "host_usd", "share of the host: processors, memory, storage, network cards, power",
              closed=True, constant=True, unit="USD/device"),
        Field("switch_usd_per_gb_per_s", "switch_usd_per_byte_per_s", "switches, both directions counted", 1.0 / GIGA,
              closed=True, constant=True, unit="USD per GB/s"),
        Field("cable_usd_per_gb_per_s", "cable_usd_per_byte_per_s", "cables or traces, both directions counted",
              1.0 / GIGA, closed=True, constant=True, unit="USD per GB/s"),
    ),
    choices=("name",),
).checked()


def network_usd(device: Accelerator, system: System) -> float:
    """A device's share of its scale-up network, USD: cables everywhere, switches where the topology has them."""
    both_ways = 2.0 * device.link_bytes_per_s
    cables = system.cable_usd_per_byte_per_s * both_ways
    switches = system.switch_usd_per_byte_per_s * both_ways
    return cables + (switches if device.topology == SWITCH else 0.0)
