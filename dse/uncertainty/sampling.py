"""Points that fill the unit cube evenly, and the constants at them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from dse.uncertainty.intervals import Interval
from dse.uncertainty.shapes import values

Floats = NDArray[np.float64]


def unknowns(sets: Iterable[Sequence[Interval]]) -> tuple[str, ...]:
    """What is drawn for configurations with these intervals: each unknown once, in their order."""
    return tuple(dict.fromkeys(interval.unknown for one in sets for interval in one))


def unit_points(count: int, dimensions: int, seed: Sequence[int]) -> Floats:
    """The first `count` points of a scrambled Sobol sequence: (dimensions, count), each in [0, 1).

    The same seed gives the same points. Evenness is best where `count` is a power of two.
    """
    from scipy.stats import qmc

    if not dimensions:
        return np.empty((0, count))
    engine = qmc.Sobol(dimensions, rng=np.random.default_rng(seed))
    points = engine.random_base2(max(0, (count - 1).bit_length()))
    return np.ascontiguousarray(points[:count].T)


def base_point(dimensions: int) -> Floats:
    """The point at which every constant has its base value: (dimensions, 1)."""
    return np.full((dimensions, 1), np.nan)


def end_points(dimensions: int) -> Floats:
    """Each unknown at its low end, then each at its high end, the others at base: (dimensions, 2 dimensions)."""
    found = np.full((dimensions, 2 * dimensions), np.nan)
    each = np.arange(dimensions)
    found[each, each], found[each, dimensions + each] = 0.0, 1.0
    return found


def drawn(intervals: Sequence[Interval], names: Sequence[str], points: Floats, shape: str) -> Floats:
    """The constants in SI at points of the unknowns `names`, NaN for base: (intervals, points)."""
    rows = {name: place for place, name in enumerate(names)}
    found = np.empty((len(intervals), points.shape[1]))
    for place, one in enumerate(intervals):
        found[place] = values(one, points[rows[one.unknown]], shape) * one.scale
    return found
