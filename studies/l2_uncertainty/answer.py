"""How sure the move of the best L2 is: as shipped, and with each choice of ours made otherwise.

    python studies/l2_uncertainty/answer.py            prints the page answer.md
    python studies/l2_uncertainty/answer.py --write    writes it
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dse.case import case, row, slots
from dse.cli.hydra_run import composed
from dse.grid.grid import Axis, Grid
from dse.grid.table import Part
from dse.technique.terms import OFF
from dse.uncertainty.analysis import Analysis, Asked, analysis
from dse.uncertainty.competition import competition
from dse.uncertainty.contest import MOVED
from dse.uncertainty.ensemble import Ensemble, Member
from dse.uncertainty.headline import Spread, headlines
from dse.uncertainty.intervals import GROUPS, intervals
from dse.uncertainty.standing import Aim
from dse.uncertainty.tables import influence_table, robust_table

PAGE = Path(__file__).with_name("answer.md")
L2 = "hardware.l2_mib"
L2_MIB = tuple(float(size) for size in range(8, 257, 8))
FROM_ONE_MIB = (1.0, 2.0, 4.0, *L2_MIB)
AREA, DOLLARS = "tokens_per_s_per_mm2", "tokens_per_s_per_usd"
SAMPLES, INDEX_SAMPLES, SEED, FACTOR = 4096, 512, 1, 2.0
DECIDING = 2


class Variant(NamedTuple):
    """One way of asking: what differs from the shipped way, in words and as arguments."""

    name: str
    overrides: tuple[str, ...] = ()
    objective: str = AREA
    l2_mib: tuple[float, ...] = L2_MIB
    shape: str = "triangular"
    of: tuple[str, ...] = GROUPS
    together: bool = True


VARIANTS = (
    Variant("as shipped"),
    Variant("per USD instead of per mm²", objective=DOLLARS),
    Variant("cost constants alone uncertain", of=("cost",)),
    Variant("latency constants alone uncertain", of=("latency",)),
    Variant("PERT instead of triangular", shape="pert"),
    Variant("uniform instead of triangular", shape="uniform"),
    Variant("each start-up of a collective by itself", together=False),
    Variant("L2 down to 1 MiB", l2_mib=FROM_ONE_MIB),
    Variant("HBM may take any edge of the die", overrides=("cost.die_yield.hbm_sides=4",)),
    Variant("Llama3-70B on 4 devices", overrides=("parallelism.tensor_parallel=4",)),
)


def found(variant: Variant) -> Analysis:
    """The analysis of one variant."""
    config = composed(["experiment=l2_uncertainty", *variant.overrides])
    if not variant.together:
        config = copy.deepcopy(config)
        for constant in config["latency"].values():
            if isinstance(constant, dict):
                constant.pop("shared", None)
    ensemble = Ensemble(list(members(config, variant)), variant.shape)
    columns = {L2: np.tile(variant.l2_mib, 2), "technique": np.repeat(["none", "preserve"], len(variant.l2_mib))}
    asked = Asked(Aim(variant.objective, 1.0), SAMPLES, SEED, (5.0, 50.0, 95.0), FACTOR, INDEX_SAMPLES, (MOVED,))
    return analysis(ensemble, competition(columns, (), (L2,), L2), asked)


def members(config: Mapping[str, Any], variant: Variant) -> Iterator[Member]:
    """The sizes of L2 without and with prefetching."""
    chosen, slot = case(config), slots(config)[L2]
    axes = (Axis(slot.index, tuple(slot.si(size) for size in variant.l2_mib)),)
    for technique, one in (("none", chosen._replace(setting=chosen.setting._replace(technique=OFF))),
                           ("preserve", chosen)):
        yield Member(Part({"technique": technique}, {L2: variant.l2_mib}, Grid(row(one), axes)),
                     intervals(config, variant.of))


def answer_row(variant: Variant, result: Analysis) -> str:
    """A variant's row of the first table."""
    without, with_it = headlines(result)
    names = "; ".join(f"{entry['assumption'].rpartition('.')[2]} {entry['total']:.2f} ± {entry['total_error']:.2f}"
                      for entry in influence_table(result)[:DECIDING])
    return (f"| {variant.name} | {sizes(without.optimum)} | {sizes(with_it.optimum)} | {gains(with_it.gain)} | "
            f"{with_it.probability_moved:.0%} | {names} |")


def robust_rows(result: Analysis) -> Iterator[str]:
    """The design that each rule picks with prefetching."""
    for entry in robust_table(result):
        if entry["technique"] == "preserve":
            yield (f"| {entry['rule']} | {entry[L2]:.0f} | {entry['probability_feasible']:.0%} | "
                   f"{entry['probability_best']:.0%} | {entry['regret_mean']:.1%} | {entry['regret_p95']:.1%} |")


def sizes(spread: Spread | None) -> str:
    """Optimum at base, and from the 5th to the 95th percentile, in MiB."""
    assert spread is not None
    return f"{spread.base:.0f} ({spread.percentiles['p05']:.0f} – {spread.percentiles['p95']:.0f})"


def gains(spread: Spread | None) -> str:
    """The same of a ratio."""
    assert spread is not None
    return f"{spread.base:.2f} ({spread.percentiles['p05']:.2f} – {spread.percentiles['p95']:.2f})"


def page() -> str:
    """The page: the answer in each variant, and the robust choice as shipped."""
    results = [found(variant) for variant in VARIANTS]
    return "\n".join([
        "<!-- made by answer.py; do not edit -->",
        "# What comes out",
        "",
        "Best L2 in MiB without and with prefetching, and the gain of the one over the other: at base constants, in",
        f"parentheses the 5th to 95th percentile of {SAMPLES:,} draws. P: probability that the best L2 grows by more",
        f"than {FACTOR:g} x. Deciding: the two assumptions with the largest total Sobol index of whether it does, ±",
        "its standard error.",
        "",
        "| asked | best L2 without | best L2 with | gain | P | deciding, total index |",
        "|---|---|---|---|---|---|",
        *(answer_row(variant, result) for variant, result in zip(VARIANTS, results, strict=True)),
        "",
        "## The choice that holds, with prefetching, as shipped",
        "",
        "Regret: the share of the best throughput per mm² that is missed; all of it where the design is not feasible.",
        "",
        "| rule | L2, MiB | feasible | the best | mean regret | 95th percentile |",
        "|---|---|---|---|---|---|",
        *robust_rows(results[0]),
        "",
    ])


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page())
    else:
        sys.stdout.write(page())
