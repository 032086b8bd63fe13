"""Which share of the dies is good: four laws for an area, and harvesting of cores, L2 slices and HBM sites."""

from __future__ import annotations

import math

from dse.cost.area import Silicon
from dse.cost.cache import L2
from dse.cost.core import Core
from dse.cost.package import Package
from dse.cost.process import Process
from dse.cost.wafer import LEAST_GOOD_SHARE, MURPHY, POISSON, SEEDS, DieYield
from dse.hardware import Accelerator

SMALLEST = 1e-300  # stands for 0 where 0 cannot be divided by
NEGLIGIBLE = 1e-18  # a term below this share of the sum no longer changes it


def share_without_defect(defects: float, dies: DieYield) -> float:
    """Share of areas with no defect where x = `defects` are expected.

    Poisson e^-x; Murphy ((1 - e^-x) / x)^2; Seeds 1 / (1 + x); negative binomial (1 + x / alpha)^-alpha, which is
    Seeds at alpha = 1 and Poisson as alpha grows.
    """
    x = max(defects, 1e-12)
    exponent = x if dies.law == POISSON else dies.alpha * math.log1p(x / dies.alpha)
    if dies.law == MURPHY:
        root = -math.expm1(-x) / x
        share = root * root
    elif dies.law == SEEDS:
        share = 1.0 / (1.0 + x)
    else:
        share = math.exp(-exponent)
    return share


def perfect_share(area_mm2: float, process: Process, dies: DieYield) -> float:
    """Share of areas of this size without a defect."""
    return share_without_defect(area_mm2 * process.defects_per_mm2, dies)


def enough_share(count: float, spares: float, part_mm2: float, process: Process, dies: DieYield) -> float:
    """Share of dies on which at most `spares` of `count` equal parts have a defect: the binomial survival.

    The only loop of the cost model. It ends when the terms no longer count, after about ten of them: the mean number
    of bad parts is that of the defects on a die.
    """
    good = max(perfect_share(part_mm2, process, dies), SMALLEST)
    odds = (1.0 - good) / good
    term = math.pow(good, count)
    total = term
    bad = 0.0
    while bad < spares and term > NEGLIGIBLE * total:
        term = term * (count - bad) / (bad + 1.0) * odds
        total = total + term
        bad = bad + 1.0
    return min(1.0, total)


def defects_that_count(enabled: float, spares: float, enabled_mm2: float, process: Process, dies: DieYield) -> float:
    """Expected defects that a kind of block with spares adds to those that kill a die: -ln P[enough parts].

    Without a spare all its defects count, and never more than those of the enabled area.
    """
    whole = enabled_mm2 * process.defects_per_mm2
    enough = enough_share(enabled + spares, spares, enabled_mm2 / enabled, process, dies) if spares >= 1.0 else SMALLEST
    return min(whole, -math.log(max(enough, SMALLEST)))


def good_share(device: Accelerator, stacks: float, made: Silicon, core: Core, l2: L2, process: Process,
               package: Package, dies: DieYield) -> float:
    """Share of the compute dies that can be sold: law(x of the critical area + what cores, slices and sites add).

    With Poisson this is Y(critical) x P[enough cores] x P[enough L2 slices] x P[enough HBM sites], and with the other
    laws nearly so; their clustering then holds for the parts too, and without spares it is the law of the whole die.
    Critical is what has no spare. A spare brings network and other area with it that nobody needs when it is off, so
    these two count as the enabled design has them: more spares never yield less. Spares are shared out in whole ones.
    """
    count, area, sites = package.compute_dies, made.area, stacks + device.spare_hbm_sites
    cores = area.cores / (device.cores + device.spare_cores) * device.cores / count
    cache = made.cache_mm2 / (1.0 + device.spare_l2_share) / count
    hbm = (area.hbm_phy + area.hbm_controller) / sites * stacks / count
    enabled = (cores + cache + hbm + made.fixed_mm2 / count) / (1.0 - core.network_share - core.other_share)
    defects = (enabled - cores - cache - hbm) * process.defects_per_mm2
    spare_cores = whole(device.spare_cores / count)
    spare_slices = whole(device.spare_l2_share * l2.slices / count)
    spare_sites = whole(device.spare_hbm_sites / count)
    defects = defects + defects_that_count(device.cores / count, spare_cores, cores, process, dies)
    defects = defects + defects_that_count(l2.slices / count, spare_slices, cache, process, dies)
    defects = defects + defects_that_count(stacks / count, spare_sites, hbm, process, dies)
    return max(LEAST_GOOD_SHARE, share_without_defect(defects, dies))


def whole(number: float) -> float:
    """The whole part; a number that rounding left a hair below a whole one is that one."""
    return float(math.floor(number + 1e-9))


def side_good_share(area_mm2: float, package: Package, dies: DieYield) -> float:
    """Share of IO or cache dies of this size that are good; they have no spares."""
    return max(LEAST_GOOD_SHARE, share_without_defect(area_mm2 * package.side_defects_per_mm2, dies))
