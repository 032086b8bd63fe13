"""Dollars of the dies of a device: compute dies, IO dies and stacked cache dies."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.area import Silicon
from dse.cost.die_yield import side_good_share
from dse.cost.package import Package, extra_dies, has_cache_dies, has_io_dies
from dse.cost.process import Process
from dse.cost.wafer import DieYield, dies_per_wafer, good_die_usd


class DieDollars(NamedTuple):
    """USD per device, by kind of die."""

    compute: float
    io: float
    cache: float


def die_test_share(package: Package, dies: DieYield) -> float:
    """Test of a die, as a share of its cost; a die that is bonded to others has to be known good before."""
    return dies.test_share + (package.known_good_test_share if extra_dies(package) > 0.0 else 0.0)


def side_die_usd(area_mm2: float, package: Package, dies: DieYield) -> float:
    """Dollars of a good IO or cache die; one that is not there counts as a square millimetre and is not bought."""
    made_mm2 = max(1.0, area_mm2)
    gross, good = dies_per_wafer(made_mm2, dies), side_good_share(made_mm2, package, dies)
    return good_die_usd(package.side_wafer_usd, gross, good, die_test_share(package, dies))


def die_dollars(made: Silicon, good: float, process: Process, package: Package, dies: DieYield) -> DieDollars:
    """Dollars of a device's dies, `good` being the yield of a compute die."""
    gross = dies_per_wafer(made.compute_die_mm2, dies)
    one = good_die_usd(process.wafer_usd, gross, good, die_test_share(package, dies))
    io = package.io_dies * side_die_usd(made.io_die_mm2, package, dies)
    cache = package.compute_dies * has_cache_dies(package) * side_die_usd(made.cache_die_mm2, package, dies)
    return DieDollars(package.compute_dies * one, io, cache)


def nre_usd(made: Silicon, process: Process, package: Package) -> float:
    """Masks and design of each kind of die, once: design grows with the area of the die."""
    compute = process.mask_set_usd + process.design_usd_per_mm2 * made.compute_die_mm2
    io = package.side_mask_set_usd + package.side_design_usd_per_mm2 * made.io_die_mm2
    cache = package.side_mask_set_usd + package.side_design_usd_per_mm2 * made.cache_die_mm2
    return compute + io * has_io_dies(package) + cache * has_cache_dies(package)
