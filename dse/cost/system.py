"""What a device needs around it: board, share of a host, switches and cables by topology, share of the design."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.link import both_ways_bytes_per_s
from dse.fields import Field, Table
from dse.hardware import SWITCH, Accelerator
from dse.units import GIGA


class System(NamedTuple):
    """Prices beside the device; link prices per byte/s of both directions together."""

    server_devices: float
    volume_devices: float
    board_usd: float
    host_usd: float
    switch_usd_per_byte_per_s: float
    cable_usd_per_byte_per_s: float


SYSTEM = Table(
    "cost.system",
    System,
    (
        Field("server_devices", "server_devices", "devices whose links are traces of one board", 1.0, 1.0, closed=True,
              integer=True),
        Field("volume_devices", "volume_devices", "devices over which masks and design are spread, 0: not counted",
              closed=True, integer=True),
        Field("board_usd", "board_usd", "board of a device", closed=True, constant=True, unit="USD/device"),
        Field("host_usd", "host_usd", "share of the host: processors, memory, storage, network cards, power",
              closed=True, constant=True, unit="USD/device"),
        Field("switch_usd_per_gb_per_s", "switch_usd_per_byte_per_s", "switches, both directions counted", 1.0 / GIGA,
              closed=True, constant=True, unit="USD per GB/s"),
        Field("cable_usd_per_gb_per_s", "cable_usd_per_byte_per_s", "cables, both directions counted", 1.0 / GIGA,
              closed=True, constant=True, unit="USD per GB/s"),
    ),
    choices=("name",),
).checked()


def network_usd(device: Accelerator, system: System) -> float:
    """A device's share of its scale-up network, USD: switches where the topology has them, cables beyond one server."""
    both_ways = both_ways_bytes_per_s(device)
    switches = system.switch_usd_per_byte_per_s * both_ways if device.topology == SWITCH else 0.0
    cables = system.cable_usd_per_byte_per_s * both_ways if device.domain_devices > system.server_devices else 0.0
    return switches + cables


def nre_share_usd(design_usd: float, system: System) -> float:
    """A device's share of masks and design, USD; 0 where no volume is given, as in published bills."""
    return design_usd / max(1.0, system.volume_devices) if system.volume_devices >= 1.0 else 0.0
