"""The front of many points with three objectives: along their order, with a staircase of those so far.

The staircase has more buckets as it grows. Where the second objectives are so unevenly spread that this does not part
them, their ranks take their place.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dse.grid.arrays import Numbers
from dse.grid.pareto import lexicographic_order
from dse.grid.slabs import slabs, varied_first
from dse.grid.staircase import FEWEST, Staircase

Mask = npt.NDArray[np.bool_]
SAMPLE = 2**13
MOST_UNEVEN = 1 / 8  # share of a sample in one of FEWEST buckets
POINTS_A_BUCKET = 4  # at the least, so that memory is bounded


def triples_mask(points: Numbers, feasible: Mask | None) -> Mask:
    """Which of the points (3, points) are in the front, by the rule of `dse.grid.pareto`."""
    rows = varied_first(points)
    total, kept, ends = points.shape[1], None, _ends(rows[1])
    if not _is_uneven(rows[1], *ends):
        kept = _swept_mask(rows, rows[1], ends, feasible, total // POINTS_A_BUCKET)
    if kept is None:
        ranks = _ranks(rows[1])
        kept = _swept_mask(rows, ranks, _ends(ranks), feasible, total)
    assert kept is not None  # with as many buckets as ranks, none is too long
    return kept


def _swept_mask(rows: list[Numbers], seconds: Numbers, ends: tuple[float, float], feasible: Mask | None,
                most: int) -> Mask | None:
    """The same, with `seconds` for the second objectives; None where `most` buckets do not part them."""
    kept, stairs = np.zeros(len(seconds), dtype=np.bool_), Staircase(*ends, FEWEST)
    for slab in slabs(rows, feasible):
        start = 0
        while (start := stairs.sweep(seconds, rows[2], slab, start, kept)) < slab.size:
            wider = stairs.wider(max(most, 2 * FEWEST))
            if wider is None:
                return None
            stairs = wider
    return kept


def _ends(values: Numbers) -> tuple[float, float]:
    """The least and the largest finite number; 0 where there is none."""
    low, high = (float(end) for end in (values.min(initial=np.inf), values.max(initial=-np.inf)))
    if not np.isfinite([low, high]).all():
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    return low, high


def _is_uneven(values: Numbers, low: float, high: float) -> bool:
    """Whether a large share of a sample falls into one bucket, or no bucket has a width that a number can have."""
    sample = values[::max(1, len(values) // SAMPLE)]
    scale = FEWEST / (high - low) if low < high else 0.0
    if not math.isfinite(high - low) or math.isinf(scale):
        return True
    counts = np.bincount(((sample[np.isfinite(sample)] - low) * scale).astype(np.int64), minlength=1)
    return bool(counts.max() > MOST_UNEVEN * counts.sum())


def _ranks(values: Numbers) -> Numbers:
    """Numbers in the same order, equal where these are and 1 apart where not; NaN stays."""
    order = lexicographic_order(values[None])
    ordered = values[order]
    ranks = np.empty(len(values))
    ranks[order] = np.cumsum(np.append(False, ordered[1:] != ordered[:-1]))
    ranks[np.isnan(values)] = np.nan
    return ranks
