"""The package: its price by area, the dies in it, the losses of putting them together, the edge that HBM needs."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.cost.memory import Memory
from dse.cost.wafer import LEAST_GOOD_SHARE, DieYield, long_edge_mm
from dse.fields import Field, Table
from dse.hardware import Accelerator
from dse.units import GIGA, MEBI, MM2_PER_CM2


class Package(NamedTuple):
    """A kind of package and how a device is cut into dies; one compute die and nothing else is the null case.

    IO dies and cache dies are made in a side process of their own.
    """

    compute_dies: float
    io_dies: float
    stacked_l2_share: float
    usd_per_mm2: float
    hbm_bridge_usd: float
    test_share: float
    known_good_test_share: float
    bonding_yield: float
    die_to_die_headroom: float
    die_to_die_mm2_per_byte_per_s: float
    cache_mm2_per_byte: float
    bond_usd_per_mm2: float
    side_wafer_usd: float
    side_defects_per_mm2: float
    side_logic_area: float
    side_mask_set_usd: float
    side_design_usd_per_mm2: float


def _usd_per_mm2(key: str, meaning: str) -> Field:
    return Field(key, key, meaning, closed=True, constant=True, unit="USD/mm2")


PACKAGE = Table(
    "cost.package",
    Package,
    (
        Field("compute_dies", "compute_dies", "equal dies that share cores, L2 and HBM", 1.0, 1.0, closed=True,
              integer=True),
        Field("io_dies", "io_dies", "dies that take links and host interface", closed=True, integer=True),
        Field("stacked_l2_share", "stacked_l2_share", "share of the L2 on cache dies, one on each compute die",
              closed=True, maximum=1.0),
        _usd_per_mm2("usd_per_mm2", "price by the footprint of dies and HBM sites"),
        Field("hbm_bridge_usd", "hbm_bridge_usd", "wiring to an HBM site where the package itself is too coarse",
              closed=True, constant=True, unit="USD/site"),
        Field("test_share", "test_share", "test and assembly, as a share of dies, HBM and package", closed=True,
              constant=True, unit="share"),
        Field("known_good_test_share", "known_good_test_share", "test that makes a die known good before bonding",
              closed=True, constant=True, unit="share"),
        Field("bonding_yield", "bonding_yield", "yield of bonding a die after the first", maximum=1.0, constant=True,
              unit="share"),
        Field("die_to_die_headroom", "die_to_die_headroom", "bandwidth between dies over that of uniform HBM reads",
              closed=True, constant=True, unit="x"),
        Field("die_to_die_mm2_per_gb_per_s", "die_to_die_mm2_per_byte_per_s", "die-to-die interface, both directions",
              1.0 / GIGA, closed=True, constant=True, unit="mm2 per GB/s"),
        Field("cache_mm2_per_mib", "cache_mm2_per_byte", "cache die by capacity, in the side process", 1.0 / MEBI,
              constant=True, unit="mm2/MiB"),
        _usd_per_mm2("bond_usd_per_mm2", "bonding of a cache die on a compute die"),
        Field("side_wafer_usd", "side_wafer_usd", "wafer of the side process", constant=True, unit="USD/wafer"),
        Field("side_defects_per_cm2", "side_defects_per_mm2", "defect density of the side process", 1.0 / MM2_PER_CM2,
              closed=True, constant=True, unit="1/cm2"),
        Field("side_logic_area", "side_logic_area", "area of logic in the side process", constant=True, unit="x N7"),
        Field("side_mask_set_usd", "side_mask_set_usd", "masks of the side process", closed=True, constant=True,
              unit="USD/design"),
        _usd_per_mm2("side_design_usd_per_mm2", "design in the side process, by area"),
    ),
    choices=("name",),
).checked()


def has_io_dies(package: Package) -> float:
    """1 where links and host interface are on dies of their own, else 0."""
    return 1.0 if package.io_dies >= 1.0 else 0.0


def has_cache_dies(package: Package) -> float:
    """1 where L2 is stacked on the compute dies, else 0."""
    return 1.0 if package.stacked_l2_share > 0.0 else 0.0


def extra_dies(package: Package) -> float:
    """Dies after the first: compute, IO and cache dies; HBM is not counted."""
    return package.compute_dies - 1.0 + package.io_dies + package.compute_dies * has_cache_dies(package)


def die_to_die_bytes_per_s(device: Accelerator, package: Package) -> float:
    """Bandwidth that all die-to-die interfaces of the compute dies have together, both directions; 0 for one die.

    With HBM read uniformly by N dies each fetches (N - 1) / N of its share from the others: 2 (N - 1) / N times the
    HBM bandwidth over all dies, in and out, times the headroom.
    """
    dies = package.compute_dies
    return package.die_to_die_headroom * (2.0 * (dies - 1.0) / dies) * device.hbm_bytes_per_s


def package_usd(flat_mm2: float, sites: float, stacked_mm2: float, memory: Memory, package: Package) -> float:
    """Price of the package, USD: linear in the footprint of the dies side by side and of all HBM sites.

    It comes from prices of whole packages, so the losses of the interposer are in it and no defect density is applied.
    """
    carrier = package.usd_per_mm2 * (flat_mm2 + sites * memory.footprint_mm2)
    return carrier + package.hbm_bridge_usd * sites + package.bond_usd_per_mm2 * stacked_mm2


def assembly_loss_usd(parts_usd: float, package: Package) -> float:
    """What is lost with packages in which a die after the first was bonded badly: parts x (1 / yield - 1).

    The losses of the first die and of HBM are in the share of test and assembly.
    """
    good = max(LEAST_GOOD_SHARE, math.pow(package.bonding_yield, extra_dies(package)))
    return parts_usd * (1.0 / good - 1.0)


def reticle_violation(compute_mm2: float, io_mm2: float, cache_mm2: float, dies: DieYield) -> float:
    """Largest die over the exposure field, or cache die over the die under it, less 1; met where <= 0."""
    flat = max(compute_mm2, io_mm2) / dies.reticle_mm2 - 1.0
    return max(flat, cache_mm2 / compute_mm2 - 1.0)


def shoreline_violation(compute_mm2: float, sites: float, memory: Memory, package: Package, dies: DieYield) -> float:
    """Die edge that the HBM sites need over the long edges beside which they can stand, less 1; met where <= 0."""
    edge_mm = package.compute_dies * dies.hbm_sides * long_edge_mm(compute_mm2, dies)
    return sites * memory.shoreline_mm / edge_mm - 1.0
