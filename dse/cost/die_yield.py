"""Which share of the dies is good: four laws for an area, and harvesting of cores, L2 slices and HBM sites."""

from __future__ import annotations

import math

from dse.cost.area import L2, Area, Core
from dse.cost.process import Process
from dse.cost.wafer import MURPHY, POISSON, SEEDS, DieYield
from dse.hardware import Accelerator

LEAST_GOOD_SHARE = 1e-9  # a die that is never good still has a price
SMALLEST = 1e-300  # stands for 0 where 0 cannot be divided by
NEGLIGIBLE = 1e-18  # a term below this share of the sum no longer changes it


def share_without_defect(defects: float, dies: DieYield) -> float:
    """Share of areas with no defect where x = `defects` are expected.

    Poisson e^-x; Murphy ((1 - e^-x) / x)^2; Seeds 1 / (1 + x); negative binomial (1 + x / alpha)^-alpha, which is
    Seeds at alpha = 1 and Poisson as alpha grows.
    """
    x = max(defects, 1e-12)
    if dies.law == POISSON:
        share = math.exp(-x)
    elif dies.law == MURPHY:
        root = -math.expm1(-x) / x
        share = root * root
    elif dies.law == SEEDS:
        share = 1.0 / (1.0 + x)
    else:
        share = math.exp(-dies.alpha * math.log1p(x / dies.alpha))
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


def good_share(device: Accelerator, stacks: float, area: Area, core: Core, l2: L2, process: Process,
               dies: DieYield) -> float:
    """Share of the dies that can be sold: law(x of the critical area + what cores, L2 slices and HBM sites add).

    With Poisson this is Y(critical) x P[enough cores] x P[enough L2 slices] x P[enough HBM sites], and with the other
    laws nearly so; their clustering then holds for the parts too, and without spares it is the law of the whole die.
    Critical is what has no spare. A spare brings network and other area with it that nobody needs when it is off, so
    these two count as the enabled design has them: more spares never yield less.
    """
    sites = stacks + device.spare_hbm_sites
    spare_slices = float(math.floor(device.spare_l2_share * l2.slices + 1e-9))
    cores = area.cores / (device.cores + device.spare_cores) * device.cores
    cache = area.l2 / (1.0 + device.spare_l2_share)
    hbm = (area.hbm_phy + area.hbm_controller) / sites * stacks
    fixed = area.link_phy + area.link_controller + area.host_interface
    enabled = (cores + cache + hbm + fixed) / (1.0 - core.network_share - core.other_share)
    defects = (enabled - cores - cache - hbm) * process.defects_per_mm2
    defects = defects + defects_that_count(device.cores, device.spare_cores, cores, process, dies)
    defects = defects + defects_that_count(l2.slices, spare_slices, cache, process, dies)
    defects = defects + defects_that_count(stacks, device.spare_hbm_sites, hbm, process, dies)
    return max(LEAST_GOOD_SHARE, share_without_defect(defects, dies))
