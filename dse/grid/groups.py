"""The best and the front of many groups of points at once: in one sort, not a look at all points for each group."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dse.grid.pareto import pareto_mask

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
LARGE_GROUP = 2000  # points of a group, on average, from which each is quicker on its own


def numbered(groups: npt.NDArray[Any]) -> tuple[Places, Places]:
    """For each point the number of its group, groups numbered as they first appear; and where each appears first.

    Runs of the same group are looked at once; groups of several kinds, as True and "all", are told apart as text.
    """
    starts = np.flatnonzero(np.append(np.ones(min(1, len(groups)), dtype=bool), groups[1:] != groups[:-1]))
    names = groups[starts] if groups.dtype.kind != "O" else groups[starts].astype(str)
    _, firsts, own = np.unique(names, return_index=True, return_inverse=True)
    order = np.argsort(firsts, kind="stable")
    numbers = np.empty_like(order)
    numbers[order] = np.arange(len(order))
    return np.repeat(numbers[own], np.diff(np.append(starts, len(groups)))), starts[firsts[order]]


def best_of_groups(values: Numbers, groups: Places) -> Places:
    """The place of the largest value in each group, of equal ones the first; `groups` are numbered from 0.

    Groups whose largest value is not finite, or that hold what is not a number, have none.
    """
    values = np.where(np.isnan(values), np.inf, values)
    largest = np.full(int(groups.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(largest, groups, values)
    equal = np.flatnonzero(values == largest[groups])[::-1]
    firsts = np.full(len(largest), -1, dtype=np.intp)
    firsts[groups[equal]] = equal  # the last assignment stands, which is that of the first place
    found: Places = firsts[np.isfinite(largest)]
    return found


def fronts_of_groups(points: Numbers, feasible: Mask, groups: Places) -> Places:
    """Places, rising, of the points (2 objectives, points) in the front of their group by the rule of `pareto_mask`."""
    count = int(groups.max(initial=-1)) + 1
    if len(groups) >= count * LARGE_GROUP:
        order = np.argsort(groups, kind="stable")
        parts = np.split(order, np.searchsorted(groups[order], np.arange(1, count))) if count else []
        return np.sort(np.concatenate([np.empty(0, dtype=np.intp),
                                       *(own[pareto_mask(points[:, own], feasible[own])] for own in parts)]))
    places = np.flatnonzero(feasible & ~np.isnan(points).any(axis=0))
    first, second = points[:, places]
    order = np.lexsort((second, first, groups[places]))
    different, ranks = np.unique(second[order], return_inverse=True)
    falling = ranks - groups[places[order]] * np.intp(len(different))  # a group lies below all of the one before
    kept = np.ones(len(falling), dtype=bool)
    np.less(falling[1:], np.minimum.accumulate(falling)[:-1], out=kept[1:])
    return np.sort(places[order[kept]])
