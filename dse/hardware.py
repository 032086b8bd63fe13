"""One accelerator as its data sheet gives it, and the devices it is wired to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.errors import InputError
from dse.fields import Field, Table
from dse.units import GIGA, MEBI, MICRO

TOPOLOGIES = ("full_mesh", "switch", "torus")  # their place here is Accelerator.topology
FULL_MESH, SWITCH, TORUS = 0.0, 1.0, 2.0


class Accelerator(NamedTuple):
    """A device: enabled resources make its speed, enabled plus spare ones make its area. SI units."""

    cores: float
    spare_cores: float
    clock_hz: float
    matrix_flops_per_cycle: float
    vector_flops_per_cycle: float
    l2_bytes: float
    spare_l2_share: float
    l2_bytes_per_s: float
    hbm_bytes: float
    hbm_bytes_per_s: float
    spare_hbm_sites: float
    link_bytes_per_s: float
    link_latency_s: float
    domain_devices: float
    topology: float
    in_switch_reduction: float
    tdp_w: float


ACCELERATOR = Table(
    "hardware",
    Accelerator,
    (
        Field("cores", "cores", "enabled cores", 1.0, 1.0, closed=True, integer=True),
        Field("spare_cores", "spare_cores", "cores on the die that are not enabled", closed=True, integer=True),
        Field("clock_ghz", "clock_hz", "sustained clock", GIGA, unit="GHz"),
        Field("matrix_flops_per_cycle", "matrix_flops_per_cycle", "dense 16-bit matrix FLOPs per core and cycle"),
        Field("vector_flops_per_cycle", "vector_flops_per_cycle", "vector FLOPs per core and cycle"),
        Field("l2_mib", "l2_bytes", "enabled on-chip L2", MEBI, unit="MiB"),
        Field("spare_l2_share", "spare_l2_share", "L2 on the die beyond the enabled, as a share of it", closed=True),
        Field("l2_gb_per_s", "l2_bytes_per_s", "L2 read bandwidth", GIGA, unit="GB/s"),
        Field("hbm_gb", "hbm_bytes", "HBM capacity", GIGA, unit="GB"),
        Field("hbm_gb_per_s", "hbm_bytes_per_s", "HBM bandwidth", GIGA, unit="GB/s"),
        Field("spare_hbm_sites", "spare_hbm_sites", "HBM interfaces without a stack", closed=True, integer=True),
        Field("link_gb_per_s", "link_bytes_per_s", "all links together, one direction", GIGA, unit="GB/s"),
        Field("link_latency_us", "link_latency_s", "one hop between two devices", MICRO, closed=True, unit="us"),
        Field("domain_devices", "domain_devices", "devices wired together", 1.0, 1.0, closed=True, integer=True),
        Field("topology", "topology", "how they are wired", closed=True, maximum=2.0, joint=True),
        Field("in_switch_reduction", "in_switch_reduction", "the switch can add", boolean=True, joint=True),
        Field("tdp_w", "tdp_w", "thermal design power of the device", unit="W"),
    ),
    choices=("name", "matrix_rate", "note"),
).checked()


def accelerator(raw: Mapping[str, Any]) -> Accelerator:
    """The accelerator that the group `hardware` of a configuration describes; InputError where it is impossible."""
    topology = raw.get("topology")
    if topology not in TOPOLOGIES:
        raise InputError(f"hardware.topology={topology} is not allowed: choose one of {', '.join(TOPOLOGIES)}")
    words = dict(raw)
    words["topology"] = TOPOLOGIES.index(topology)
    read: Accelerator = ACCELERATOR.read(words)
    if read.in_switch_reduction and read.topology != SWITCH:
        raise InputError(f"hardware.in_switch_reduction=true is not allowed with hardware.topology={topology}: "
                         "only a switch can add")
    return read


def matrix_flops_per_s(device: Accelerator) -> float:
    """Dense 16-bit matrix FLOP/s of the enabled cores."""
    return device.cores * device.clock_hz * device.matrix_flops_per_cycle


def vector_flops_per_s(device: Accelerator) -> float:
    """Vector FLOP/s of the enabled cores."""
    return device.cores * device.clock_hz * device.vector_flops_per_cycle
