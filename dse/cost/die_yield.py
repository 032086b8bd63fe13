"""Which share of the dies is good: four laws for an area, and harvesting of cores, L2 slices and HBM sites."""

from __future__ import annotations

import math

from dse.cost.area import L2, Area, Core
from dse.cost.process import Process
from dse.cost.wafer import MURPHY, POISSON, SEEDS, DieYield
from dse.hardware import Accelerator

LEAST_GOOD_SHARE = 1e-9  # a die that is never good still has a price
NEGLIGIBLE = 1e-18  # a term below this share of the sum no longer changes it


def perfect_share(area_mm2: float, process: Process, dies: DieYield) -> float:
    """Share of areas without a defect, x = area times defect density.

    Poisson e^-x; Murphy ((1 - e^-x) / x)^2; Seeds 1 / (1 + x); negative binomial (1 + x / alpha)^-alpha, which is
    Seeds at alpha = 1 and Poisson as alpha grows.
    """
    defects = max(area_mm2 * process.defects_per_mm2, 1e-12)
    if dies.law == POISSON:
        share = math.exp(-defects)
    elif dies.law == MURPHY:
        root = -math.expm1(-defects) / defects
        share = root * root
    elif dies.law == SEEDS:
        share = 1.0 / (1.0 + defects)
    else:
        share = math.exp(-dies.alpha * math.log1p(defects / dies.alpha))
    return share


def enough_share(count: float, spares: float, part_mm2: float, process: Process, dies: DieYield) -> float:
    """Share of dies on which at most `spares` of `count` equal parts have a defect: the binomial survival.

    The only loop of the cost model. It ends when the terms no longer count, after about ten of them: the mean number
    of bad parts is that of the defects on a die.
    """
    good = max(perfect_share(part_mm2, process, dies), 1e-300)
    odds = (1.0 - good) / good
    term = math.pow(good, count)
    total = term
    bad = 0.0
    while bad < spares and term > NEGLIGIBLE * total:
        term = term * (count - bad) / (bad + 1.0) * odds
        total = total + term
        bad = bad + 1.0
    return min(1.0, total)


def harvest_share(enabled: float, spares: float, enabled_mm2: float, process: Process, dies: DieYield) -> float:
    """`enough_share` of a kind of block with spares; 1 where it has none, for then its area counts as critical."""
    return enough_share(enabled + spares, spares, enabled_mm2 / enabled, process, dies) if spares >= 1.0 else 1.0


def good_share(device: Accelerator, stacks: float, area: Area, core: Core, l2: L2, process: Process,
               dies: DieYield) -> float:
    """Share of the dies that can be sold: Y(critical) x P[enough cores] x P[enough L2 slices] x P[enough HBM sites].

    Critical is what has no spare. A spare brings network and other area with it that nobody needs when it is off, so
    these two count as the enabled design has them: more spares never yield less. Defects cluster but the parts are
    taken as independent, which can undershoot; a die is good at least when one set of enabled parts is.
    """
    sites = stacks + device.spare_hbm_sites
    spare_slices = math.floor(device.spare_l2_share * l2.slices + 1e-9)
    cores = area.cores / (device.cores + device.spare_cores) * device.cores
    cache = area.l2 / (1.0 + device.spare_l2_share)
    hbm = (area.hbm_phy + area.hbm_controller) / sites * stacks
    fixed = area.link_phy + area.link_controller + area.host_interface
    enabled = (cores + cache + hbm + fixed) / (1.0 - core.network_share - core.other_share)
    critical = enabled
    critical = critical - (cores if device.spare_cores >= 1.0 else 0.0)
    critical = critical - (cache if spare_slices >= 1.0 else 0.0)
    critical = critical - (hbm if device.spare_hbm_sites >= 1.0 else 0.0)
    harvest = perfect_share(critical, process, dies)
    harvest = harvest * harvest_share(device.cores, device.spare_cores, cores, process, dies)
    harvest = harvest * harvest_share(l2.slices, float(spare_slices), cache, process, dies)
    harvest = harvest * harvest_share(stacks, device.spare_hbm_sites, hbm, process, dies)
    return max(LEAST_GOOD_SHARE, max(harvest, perfect_share(enabled, process, dies)))
