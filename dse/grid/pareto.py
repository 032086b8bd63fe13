"""Exact Pareto fronts of points with one to four objectives, all to be minimised.

The rule. A point is in the front where it is feasible, none of its objectives is NaN, and no other such point is at
least as good in every objective and better in one. Of points that are equal in every objective only the first is in.
Infinities are numbers like others.

Points are filtered in linear passes by the front of a sample before any is sorted, unless that rules out few. For two
objectives one sort and a running minimum decide, for three one sort and a sweep with a staircase, for four moocore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dse.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Integers = npt.NDArray[np.int64]

FEWEST_FILTERED = 20_000  # points below which deciding all of them is quicker than looking at a sample
FEWEST_COMPILED = {2: 20_000, 3: 2_000}  # points by objectives, below which loading compiled code takes longer
SIGN_CLEARED = np.int64(2**63 - 1)


def pareto_mask(objectives: Points, feasible: Mask | None = None) -> Mask:
    """Which of the points (objectives, points) are in the front, by the rule above."""
    objectives = np.asarray(objectives, dtype=np.float64)  # compiled code takes nothing else
    count, total = objectives.shape
    if not 1 <= count <= 4:
        raise InputError(f"objectives={count} is not allowed: a Pareto front takes 1 to 4")
    if feasible is not None and feasible.shape != (total,):
        raise InputError(f"feasible={feasible.shape} is not allowed: it takes one for each of the {total} points")
    places = None
    if count > 1 and total > FEWEST_FILTERED:
        from dse.grid.points import possible_places

        places = possible_places(objectives, feasible)
        if places is None and count in FEWEST_COMPILED:
            return compiled_mask(objectives, feasible)
    if places is None:
        allowed = ~np.isnan(objectives).any(axis=0)
        places = np.flatnonzero(allowed if feasible is None else allowed & feasible)
    if len(places) == total:
        return _front_mask(objectives)
    mask = np.zeros(total, dtype=bool)
    mask[places] = _front_mask(objectives[:, places])
    return mask


def front_places(points: Points) -> Places:
    """The places of the front among points (objectives, points) that are all feasible and free of NaN, in order."""
    return np.flatnonzero(_front_mask(np.asarray(points, dtype=np.float64)))


def compiled_mask(points: Points, feasible: Mask | None = None) -> Mask:
    """`pareto_mask` of many points with two or three objectives, none of which is ruled out before."""
    if len(points) == 2:
        from dse.grid.pairs import pairs_mask

        return pairs_mask(points, feasible)
    from dse.grid.triples import triples_mask

    return triples_mask(points, feasible)


def _front_mask(points: Points) -> Mask:
    """Which of the points, all feasible and free of NaN, are in the front."""
    count, total = points.shape
    if total >= FEWEST_COMPILED.get(count, total + 1):
        return compiled_mask(points)
    kept = np.zeros(total, dtype=bool)
    if count == 1:
        kept[np.flatnonzero(points[0] == points[0].min(initial=np.inf))[:1]] = True
        return kept
    order = lexicographic_order(points)
    kept[order] = _falling(points[1, order]) if count == 2 else _undominated(points, order)
    return kept


def sort_keys(values: Points) -> Integers:
    """Integers in the order of the numbers; both zeros are the same."""
    bits = (values + 0.0).view(np.int64)
    return bits ^ ((bits >> np.int64(63)) & SIGN_CLEARED)


def lexicographic_order(points: Points) -> Places:
    """The order by the first objective, then the second, and so on; equal points by their place.

    One sort of integers made of the leading bits of the first objective and the place; what these bits leave open is
    sorted again.
    """
    count = points.shape[1]
    place_bits = max(1, (count - 1).bit_length())
    if count < 2:
        return np.arange(count)
    keys = sort_keys(points[0])
    least, most = int(keys.min()), int(keys.max())
    shift = max(0, (most - least).bit_length() - (63 - place_bits))
    leading = ((keys - np.int64(least)).view(np.uint64) >> np.uint64(shift)).view(np.int64)
    packed = np.sort((leading << np.int64(place_bits)) | np.arange(count))
    order = packed & np.int64((1 << place_bits) - 1)
    packed >>= np.int64(place_bits)
    tied = np.zeros(count, dtype=bool)
    np.equal(packed[1:], packed[:-1], out=tied[1:])
    if tied.any():
        tied[:-1] |= tied[1:]
        open_ones = order[tied]
        inner = np.lexsort((*points[::-1, open_ones], packed[tied]))
        order[tied] = open_ones[inner]
    return order


def _falling(second: Points) -> Mask:
    kept = np.ones(len(second), dtype=bool)
    np.less(second[1:], np.minimum.accumulate(second)[:-1], out=kept[1:])
    return kept


def _undominated(points: Points, order: Places) -> Mask:
    """The front of four objectives, or of few points with three, in their lexicographic order."""
    import moocore

    kept = np.ones(len(order), dtype=bool)
    ordered = points[:, order]
    kept[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    ordered = ordered[:, kept]
    if not np.isfinite(ordered).all():  # moocore takes finite numbers; ranks keep every comparison
        ordered = np.array([np.unique(values, return_inverse=True)[1] for values in ordered], dtype=float)
    if ordered.shape[1]:
        function: Callable[[Points], Mask] = moocore.is_nondominated
        kept[kept] = function(ordered.T)
    return kept
