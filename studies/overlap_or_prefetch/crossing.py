"""Reading under collectives beside hiding collectives under multiplications: by batch, by traffic, by silicon.

    python studies/overlap_or_prefetch/crossing.py            prints the page crossing.md
    python studies/overlap_or_prefetch/crossing.py --write    writes it
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dse.case import case, paths, row
from dse.cli.hydra_run import composed
from dse.grid.evaluate import evaluate
from dse.grid.grid import Axis, Grid
from dse.objective import Case, Metrics
from dse.technique.terms import OFF
from dse.units import MEBI

PAGE = Path(__file__).with_name("crossing.md")
SHOWN = (1, 4, 16, 32, 64, 256, 512)
BATCHES = tuple(float(batch) for batch in range(1, 513))
TRAFFICS = ("chat", "long_output", "paper", "long_prompt")
SHARES = (0.25, 0.5, 0.75, 0.96)
L2_MIB = tuple(float(size) for size in range(8, 257, 8))
OF_SILICON = (1, 4, 16, 64, 256)
AREA = "tokens_per_s_per_mm2"


def study_case(*overrides: str) -> Case:
    """The study's design under `overrides`."""
    return case(composed(["experiment=overlap_or_prefetch", "technique=none", *overrides]))


def along(of: Case, path: str, values: tuple[float, ...], metric: str) -> npt.NDArray[np.float64]:
    """A metric at each value of one axis, NaN where the design is not feasible."""
    found = evaluate(Grid(row(of), (Axis(paths().index(path), values),)))
    feasible = found[Metrics._fields.index("feasible")] > 0.0
    return np.where(feasible, found[Metrics._fields.index(metric)], np.nan)


def speedups(metric: str, *overrides: str) -> npt.NDArray[np.float64]:
    """The metric without a technique over that with one, at each of BATCHES."""
    of = study_case(*overrides)
    without, with_it = (along(one, "setting.traffic.batch", BATCHES, metric) for one in (
        of._replace(setting=of.setting._replace(technique=OFF)), of))
    return without / with_it


def batch_table() -> str:
    """Speed-ups of the first token, of a decode step and of a request, by batch."""
    metrics = ("ttft_s", "tpot_s", "request_s")
    found = {(metric, name): speedups(metric, f"technique={name}") for metric in metrics
             for name in ("preserve", "overlap")}
    heads = [f"{what}`{name}`" for what in ("TTFT, ", "TPOT, ", "request, ") for name in ("preserve", "overlap")]
    lines = [f"| batch | {' | '.join(heads)} |", "| --- " * 7 + "|"]
    lines += [f"| {batch} | " + " | ".join(f"{values[batch - 1]:.2f}" for values in found.values()) + " |"
              for batch in SHOWN]
    return "\n".join(lines)


def crossing(traffic: str, share: float) -> str:
    """From which batch on a request is faster with overlap, as far as batches fit in memory."""
    preserve = speedups("request_s", f"traffic={traffic}", "technique=preserve")
    overlap = speedups("request_s", f"traffic={traffic}", "technique=overlap", f"technique.share={share}")
    fits = int(np.isfinite(preserve).sum())
    behind = np.flatnonzero(~(overlap[:fits] > preserve[:fits]))
    first = int(behind[-1]) + 2 if behind.size else 1
    return f"not up to {fits}" if first > fits else str(first)


def crossing_table() -> str:
    """The same by traffic, and by how much of a collective is hidden at most."""
    lines = ["| traffic | " + " | ".join(f"share {share:g}" for share in SHARES) + " |", "| --- " * 5 + "|"]
    lines += [f"| `{traffic}` | " + " | ".join(crossing(traffic, share) for share in SHARES) + " |"
              for traffic in TRAFFICS]
    return "\n".join(lines)


def silicon_table() -> str:
    """Output tokens/s per mm2 of silicon, each technique with the L2 that is best for it."""
    lines = ["| batch | best L2 of none, MiB | of `preserve` | gain | of `overlap` | gain | gain with share 0.5 |",
             "| --- " * 7 + "|"]
    for batch in OF_SILICON:
        l2, value = best_l2(batch, "technique=none")
        with_preserve, with_overlap = best_l2(batch, "technique=preserve"), best_l2(batch, "technique=overlap")
        half = best_l2(batch, "technique=overlap", "technique.share=0.5")
        lines.append(f"| {batch} | {l2:.0f} | {with_preserve[0]:.0f} | {with_preserve[1] / value:.2f} | "
                     f"{with_overlap[0]:.0f} | {with_overlap[1] / value:.2f} | {half[1] / value:.2f} |")
    return "\n".join(lines)


def best_l2(batch: int, *overrides: str) -> tuple[float, float]:
    """The L2 in MiB with the most tokens/s per silicon, and how many these are."""
    sizes = tuple(size * MEBI for size in L2_MIB)
    found = along(study_case(f"traffic.batch={batch}", *overrides), "setting.device.l2_bytes", sizes, AREA)
    best = int(np.nanargmax(found))
    return L2_MIB[best], float(found[best])


def page() -> str:
    """The whole page."""
    return f"""<!-- made by crossing.py; do not edit -->
# What comes out

Llama3-70B in INT8 on 8 devices like the Ascend 910B. Speed-ups are over no technique, of the same design.

## By batch

A prompt of 1,024 tokens, 256 generated (`traffic=chat`).

{batch_table()}

## From which batch on a request is faster with overlap

{crossing_table()}

## Per silicon, each with its best L2

Output tokens/s per mm2 of silicon (`traffic=chat`), L2 from 8 to 256 MiB; gains are over no technique at its own best.

{silicon_table()}
"""


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page())
    else:
        sys.stdout.write(page())
