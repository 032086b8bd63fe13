"""The package: its price by area, the losses in it, and what a device needs of its die's edge."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.memory import Memory
from dse.cost.wafer import DieYield, long_edge_mm
from dse.fields import Field, Table


class Package(NamedTuple):
    """A kind of package: price by the silicon that it carries, test and assembly of the whole."""

    usd_per_mm2: float
    test_usd: float


PACKAGE = Table(
    "cost.package",
    Package,
    (
        Field("usd_per_mm2", "usd_per_mm2", "price by the footprint of dies and HBM sites", closed=True, constant=True,
              unit="USD/mm2"),
        Field("test_usd", "test_usd", "test and assembly of a package", closed=True, constant=True,
              unit="USD/package"),
    ),
    choices=("name",),
).checked()


def package_usd(die_mm2: float, sites: float, memory: Memory, package: Package) -> float:
    """Price of the package, USD: linear in the footprint of the die and of all HBM sites.

    It comes from prices of whole packages, so the losses of the interposer are in it and no defect density is applied.
    """
    return package.usd_per_mm2 * (die_mm2 + sites * memory.footprint_mm2)


def shoreline_violation(die_mm2: float, sites: float, memory: Memory, dies: DieYield) -> float:
    """Die edge that the HBM sites need over the long edges beside which they can stand, less 1; met where <= 0."""
    return sites * memory.shoreline_mm / (dies.hbm_sides * long_edge_mm(die_mm2, dies)) - 1.0
