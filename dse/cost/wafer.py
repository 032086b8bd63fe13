"""Dies per wafer and the dollars of a good die."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.fields import Field, Table

LEAST_GOOD_SHARE = 1e-9  # what is never good, a die or a package, still has a price


class DieYield(NamedTuple):
    """How dies are cut from a wafer and which of them are good. `law` is a place in YIELD_LAWS."""

    law: float
    alpha: float
    wafer_mm: float
    edge_mm: float
    scribe_mm: float
    aspect: float
    reticle_mm2: float
    hbm_sides: float
    test_share: float


YIELD_LAWS = ("poisson", "murphy", "seeds", "negative_binomial")  # their place here is DieYield.law
POISSON, MURPHY, SEEDS, NEGATIVE_BINOMIAL = 0.0, 1.0, 2.0, 3.0

DIE_YIELD = Table(
    "cost.die_yield",
    DieYield,
    (
        Field("law", "law", "yield of an area with a defect density", closed=True, maximum=3.0, integer=True,
              joint=True),
        Field("alpha", "alpha", "clustering in the negative binomial law", constant=True, unit="1"),
        Field("wafer_mm", "wafer_mm", "diameter of the wafer", constant=True, unit="mm"),
        Field("edge_mm", "edge_mm", "rim of the wafer that is not used", closed=True, constant=True, unit="mm"),
        Field("scribe_mm", "scribe_mm", "saw line between dies", closed=True, constant=True, unit="mm"),
        Field("aspect", "aspect", "long edge of a die over its short edge", 1.0, 1.0, closed=True, constant=True,
              unit="1"),
        Field("reticle_mm2", "reticle_mm2", "largest area that one exposure takes", constant=True, unit="mm2"),
        Field("hbm_sides", "hbm_sides", "long edges of the die beside which HBM can stand", constant=True, unit="1"),
        Field("test_share", "test_share", "test of a die, as a share of its cost", closed=True, constant=True,
              unit="share"),
    ),
    choices=("name",),
).checked()


def long_edge_mm(die_mm2: float, dies: DieYield) -> float:
    """The long edge of a rectangular die, mm."""
    return math.sqrt(die_mm2 * dies.aspect)


def dies_per_wafer(die_mm2: float, dies: DieYield) -> float:
    """Gross dies on a wafer: pi r^2 / a - 2 pi r / sqrt(2 a), r the usable radius, a the die with its scribe line.

    At least one, so that a die too large for a wafer has a price; its reticle violation says that it cannot be made.
    """
    long_mm = long_edge_mm(die_mm2, dies)
    cell_mm2 = (long_mm + dies.scribe_mm) * (long_mm / dies.aspect + dies.scribe_mm)
    radius_mm = 0.5 * dies.wafer_mm - dies.edge_mm
    whole = math.pi * radius_mm * radius_mm / cell_mm2
    cut = 2.0 * math.pi * radius_mm / math.sqrt(2.0 * cell_mm2)
    return max(1.0, whole - cut)


def good_die_usd(wafer_usd: float, dies_per_wafer: float, good_share: float, test_share: float) -> float:
    """Dollars of a good die: wafer / (dies per wafer x yield), with its test on top as a share of it."""
    return wafer_usd / (dies_per_wafer * good_share) * (1.0 + test_share)
