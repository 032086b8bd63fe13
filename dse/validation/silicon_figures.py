"""Silicon and dollars: die areas, yields by law, a harvest, bills."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dse.cost.bill import bill
from dse.cost.die_yield import enough_share, perfect_share
from dse.cost.wafer import MURPHY, NEGATIVE_BINOMIAL, POISSON, SEEDS
from dse.objective import Case
from dse.validation.figure import FITTED, HELD_OUT, Figure

AREA = "Die area"
YIELD = "Die yield of 826 mm2 at 0.09 defects per cm2"
BILL = "Bill of a module: die, HBM, package, test"
DEFECTS_PER_MM2 = 0.09 / 100.0
A100_MM2, A100_CORE_MM2 = 826.0, 3.75

DIES = (("a100", 826.0, FITTED, 0.02, "NVIDIA A100 whitepaper (2020)"),
        ("h100", 814.0, HELD_OUT, 0.10, "NVIDIA H100 whitepaper (2022)"),
        ("ascend_910b", 665.61, HELD_OUT, 0.16, "die photo, 21.32 x 31.22 mm (bytefeed.ai, hardwareluxx.de)"))
LAWS = (("Poisson", POISSON, 10.0, 0.475), ("Murphy", MURPHY, 10.0, 0.498), ("Seeds", SEEDS, 10.0, 0.574),
        ("negative binomial, alpha 10", NEGATIVE_BINOMIAL, 10.0, 0.488),
        ("negative binomial, alpha 3", NEGATIVE_BINOMIAL, 3.0, 0.515))
BILLS = (("h100", 3320.0, FITTED, 0.05), ("h200", 4800.0, HELD_OUT, 0.15))


def silicon_figures() -> Iterator[Figure]:
    """All of them."""
    for chip, published, kind, tolerance, source in DIES:
        yield Figure(AREA, chip, published, "mm2", kind, tolerance, source, (f"hardware={chip}",), _die_mm2)
    for name, law, alpha, published in LAWS:
        yield Figure(YIELD, name, published, "share", HELD_OUT, 0.005, "by hand, from the laws' equations",
                     ("hardware=a100",), _perfect(law, alpha))
    yield Figure(YIELD, "harvest of 108 of 128 cores of 3.75 mm2", 0.73, "share", HELD_OUT, 0.02,
                 "by hand, from binomial and negative binomial", ("hardware=a100",), _harvest)
    for chip, published, kind, tolerance in BILLS:
        yield Figure(BILL, chip, published, "USD", kind, tolerance, "Raymond James (2023) and later digests, estimate",
                     (f"hardware={chip}",), _module_usd)


def _die_mm2(of: Case) -> float:
    return bill(of.setting.device, 1.0, of.cost).area.die_mm2


def _module_usd(of: Case) -> float:
    items = bill(of.setting.device, 1.0, of.cost).items
    return items.die + items.hbm + items.package + items.test


def _perfect(law: float, alpha: float) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        process = of.cost.process._replace(defects_per_mm2=DEFECTS_PER_MM2)
        return perfect_share(A100_MM2, process, of.cost.die_yield._replace(law=law, alpha=alpha))

    return ours


def _harvest(of: Case) -> float:
    process = of.cost.process._replace(defects_per_mm2=DEFECTS_PER_MM2)
    dies = of.cost.die_yield._replace(law=NEGATIVE_BINOMIAL, alpha=10.0)
    left_mm2 = A100_MM2 - 128.0 * A100_CORE_MM2
    return perfect_share(left_mm2, process, dies) * enough_share(128.0, 20.0, A100_CORE_MM2, process, dies)
