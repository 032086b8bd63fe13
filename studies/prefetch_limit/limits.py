"""Gain by prefetch limit beside the measured sweep, and how it hangs on the batch, which the sweep does not state.

    python studies/prefetch_limit/limits.py            prints the page limits.md
    python studies/prefetch_limit/limits.py --write    writes it

Measured: github vllm-project/vllm-ascend PR 1509, output tokens/s on 2 x Atlas 800T A2, W8A8.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from dse.case import case, paths, row
from dse.cli.hydra_run import composed
from dse.grid.evaluate import evaluate
from dse.grid.grid import Axis, Grid
from dse.objective import Case, Metrics, metrics
from dse.technique.terms import OFF
from dse.units import MEGA

PAGE = Path(__file__).with_name("limits.md")
MEASURED_NONE = 90.711
MEASURED = {10: 90.743, 80: 92.574, 100: 92.653, 120: 92.073}
BATCHES = (1, 2, 4, 8, 16, 24, 32, 64, 128)
LIMITS_MB = range(1, 257)
BEST_MEASURED, BEYOND = 100, 120


def study_case(*overrides: str) -> Case:
    """The study's design under `overrides`."""
    return case(composed(["experiment=prefetch_limit", *overrides]))


def without_tokens_per_s(of: Case) -> float:
    """Throughput without prefetching."""
    return metrics(of._replace(setting=of.setting._replace(technique=OFF))).throughput_tokens_per_s


def gains(of: Case) -> Mapping[int, float]:
    """Gain in throughput over no prefetching at each limit in MB."""
    limits = Axis(paths().index("setting.technique.prefetch_limit_bytes"), tuple(limit * MEGA for limit in LIMITS_MB))
    found = evaluate(Grid(row(of), (limits,)))[Metrics._fields.index("throughput_tokens_per_s")]
    without = without_tokens_per_s(of)
    return {limit: float(rate) / without - 1.0 for limit, rate in zip(LIMITS_MB, found, strict=True)}


def measured_table() -> str:
    """Measured and ours, and each relative to its own gain at 100 MB."""
    ours, sliced = gains(study_case()), gains(study_case("parallelism.expert_parallel=1"))
    lines = ["| limit, MB | measured | of that at 100 | ours | of that at 100 | ours, experts sliced |",
             "| --- " * 6 + "|"]
    for limit, rate in MEASURED.items():
        gain = rate / MEASURED_NONE - 1.0
        share = gain / (MEASURED[BEST_MEASURED] / MEASURED_NONE - 1.0)
        lines.append(f"| {limit} | {gain:.2%} | {share:.2f} | {ours[limit]:.2%} | "
                     f"{ours[limit] / ours[BEST_MEASURED]:.2f} | {sliced[limit]:.2%} |")
    return "\n".join(lines)


def batch_table() -> str:
    """Where the best limit is at each batch, and from where on prefetching is slower than none."""
    lines = ["| batch | tokens/s without | best limit, MB | gain there | at 100 MB | at 120 MB | slower from |",
             "| --- " * 7 + "|"]
    for batch in BATCHES:
        of = study_case(f"traffic.batch={batch}")
        found = gains(of)
        best = max(found, key=lambda limit: found[limit])
        slower = next((f"{limit} MB" for limit, gain in found.items() if gain < 0.0), f"above {LIMITS_MB[-1]} MB")
        lines.append(f"| {batch} | {without_tokens_per_s(of):.0f} | {best} | {found[best]:.1%} | "
                     f"{found[BEST_MEASURED]:.1%} | {found[BEYOND]:.1%} | {slower} |")
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    return f"""<!-- made by limits.py; do not edit -->
# What comes out

Gain in output tokens/s over no prefetching, with a limit that is obeyed. MB are 10^6 bytes.

## Beside the measured sweep

{measured_table()}

## By batch

{batch_table()}
"""


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page())
    else:
        sys.stdout.write(page())
