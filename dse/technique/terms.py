"""What a technique answers to the questions of the schedule, as numbers, so that one compiled model serves them all."""

from __future__ import annotations

import math
from typing import NamedTuple


class TechniqueTerms(NamedTuple):
    """Answers of a technique. The schedule never asks which technique it holds; all zeros is "off".

    `prefetch_weights` and `prefetch_kv_cache`: may the next operators' weights (KV-cache) be read into L2 while a
    collective runs? 1 or 0. `prefetch_limit_bytes`: how much at most; infinite means as much as is free. `managed_l2`:
    is a limit above the free L2 cut down to it? `known_routing`: are the experts known before the collective ends, so
    that only those which the tokens take are read? `overlap_share`: how much of a collective, at most, runs beside the
    matrix multiplication next to it? None of the windows of such a collective are read through: no technique has both.
    """

    prefetch_weights: float
    prefetch_kv_cache: float
    prefetch_limit_bytes: float
    managed_l2: float = 0.0
    known_routing: float = 0.0
    overlap_share: float = 0.0


OFF = TechniqueTerms(0.0, 0.0, math.inf)
