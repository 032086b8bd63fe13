"""The front of many points with two objectives: along their order, with the least second objective so far."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dse.grid.arrays import Bytes, Integers, Numbers, ask_for, ask_to_write
from dse.grid.loops import compiled
from dse.grid.slabs import AHEAD, slabs, varied_first

Mask = npt.NDArray[np.bool_]


def walked(seconds: Numbers, words: Integers, size: int, mask: int, lowest: float, kept: Bytes) -> float:
    """Mark the points with less in their second objective than all before; the least of all, NaN before the first."""
    least = lowest
    start = 0
    while start < size and least != least:
        least = seconds[words[start] & mask]
        kept[words[start] & mask] = int(least == least)
        start += 1
    for at in range(start, size):
        ask_for(seconds, words[at + AHEAD] & mask)
        ask_to_write(kept, words[at + (AHEAD >> 1)] & mask)
        place = words[at] & mask
        second = seconds[place]
        kept[place] = int(second < least)
        least = second if second < least else least
    return least


_walked = compiled(walked)


def pairs_mask(points: Numbers, feasible: Mask | None) -> Mask:
    """Which of the points (2, points) are in the front, by the rule of `dse.grid.pareto`."""
    rows, kept, least = varied_first(points), np.zeros(points.shape[1], dtype=np.bool_), np.nan
    for slab in slabs(rows, feasible):
        least = _walked(rows[1], *slab, least, kept)
    return kept
