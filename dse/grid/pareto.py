"""Exact Pareto fronts of points with two to four objectives, all to be minimised.

The rule. A point is in the front where it is feasible, none of its objectives is NaN, and no other such point is at
least as good in every objective and better in one. Of points that are equal in every objective only the first is in.
Infinities are numbers like others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dse.errors import InputError

Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

SAMPLE = 4096  # points whose own front gives the references
REFERENCES = 16  # points that every other is compared with before any is sorted
FEWEST_FILTERED = 20_000  # below, sorting all of them is quicker


def pareto_mask(objectives: Points, feasible: Mask | None = None) -> Mask:
    """Which of the points (objectives, points) are in the front, by the rule above."""
    count = objectives.shape[0]
    if not 2 <= count <= 4:
        raise InputError(f"objectives={count} is not allowed: a Pareto front takes 2 to 4")
    allowed = ~np.isnan(objectives).any(axis=0)
    if feasible is not None:
        allowed &= feasible
    places = np.flatnonzero(allowed)
    mask = np.zeros(objectives.shape[1], dtype=bool)
    mask[places[front_places(objectives[:, places])]] = True
    return mask


def front_places(points: Points) -> Places:
    """The places of the front among points (objectives, points) that are all feasible and free of NaN, in order."""
    if points.shape[1] > FEWEST_FILTERED:
        step = points.shape[1] // SAMPLE
        sample = points[:, ::step]
        references = sample[:, _exact(sample)]
        kept = np.flatnonzero(~_dominated(points, references[:, _spread(references)]))
        return np.asarray(kept[_exact(points[:, kept])])
    return _exact(points)


def _dominated(points: Points, references: Points) -> Mask:
    """Which points some reference beats in every objective."""
    dominated = np.zeros(points.shape[1], dtype=bool)
    for reference in references.T:
        beaten = points[0] > reference[0]
        for values, limit in zip(points[1:], reference[1:], strict=True):
            beaten &= values > limit
        dominated |= beaten
    return dominated


def _spread(front: Points) -> Places:
    """Places of at most REFERENCES points of a front, evenly by rank along the first objective."""
    order = np.argsort(front[0], kind="stable")
    picked: Places = order[np.linspace(0, len(order) - 1, min(REFERENCES, len(order))).astype(int)]
    return picked


def _exact(points: Points) -> Places:
    order = np.lexsort(points[::-1])  # by the first objective, then the second, ...; equal points by place
    ordered = points[:, order]
    if len(points) == 2:
        best = np.minimum.accumulate(ordered[1])
        kept = np.ones(len(order), dtype=bool)
        kept[1:] = ordered[1, 1:] < best[:-1]
    else:
        kept = np.ones(len(order), dtype=bool)
        kept[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
        order, ordered = order[kept], ordered[:, kept]
        kept = _undominated(ordered)
    found: Places = np.sort(order[kept])
    return found


def _undominated(points: Points) -> Mask:
    import moocore

    if not points.shape[1]:
        return np.zeros(0, dtype=bool)
    if not np.isfinite(points).all():  # moocore takes finite numbers; ranks keep every comparison
        points = np.array([np.unique(values, return_inverse=True)[1] for values in points], dtype=float)
    found: Mask = moocore.is_nondominated(points.T)
    return found
