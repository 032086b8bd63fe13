"""Percentile bands of every metric of every design, its regret, and bands of the best along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.objective import Metrics
from dse.uncertainty.ensemble import Ensemble, Places
from dse.uncertainty.standing import Aim, Standing, worth

Floats = NDArray[np.float64]
BANDED = tuple(name for name in Metrics._fields if name != "feasible")


class Bands(NamedTuple):
    """What the draws say of each design, and of the best design at each value of an axis.

    `base` (metrics, designs); `percentiles` (percentiles, metrics, designs), the metrics those of BANDED. `feasible`:
    share of the draws. `assured` (designs): the objective that a design reaches or betters but for the draws below the
    lowest percentile, NaN where it is not feasible in as many. `regret` and `high_regret` (designs): mean and highest
    percentile of the share of the best objective of the class that is missed, 1 where the design is not feasible.
    `along` (percentiles, groups): of the best feasible objective of each group of designs, NaN where none is feasible;
    `along_feasible`: in which share of the draws one is; `along_base`: at base.
    """

    base: Floats
    percentiles: Floats
    feasible: Floats
    assured: Floats
    regret: Floats
    high_regret: Floats
    along: Floats
    along_feasible: Floats
    along_base: Floats


def checked_percentiles(given: Sequence[float]) -> tuple[float, ...]:
    """The percentiles in ascending order; InputError where there is none, or one is not between 0 and 100."""
    if not given or any(isinstance(one, bool) or not isinstance(one, (int, float)) or not 0.0 <= one <= 100.0
                        for one in given):
        raise InputError(f"uncertainty.percentiles={given} is not allowed: give numbers from 0 to 100, as [5,50,95]")
    return tuple(sorted(float(one) for one in set(given)))


def at_percentiles(values: Floats, percentiles: Sequence[float]) -> Floats:
    """The value that a percentage of the draws does not exceed, along the last axis: (percentiles, ...).

    It is the value of one of the draws (the inverse of their distribution, not interpolated).
    """
    count = values.shape[-1]
    places = [max(0, math.ceil(one * count / 100.0 - 1e-9) - 1) for one in percentiles]
    return np.moveaxis(np.sort(values, axis=-1)[..., places], -1, 0)


def bands(ensemble: Ensemble, classes: Places, groups: Places, points: Floats, found: Standing, aim: Aim,
          percentiles: Sequence[float]) -> Bands:
    """The bands at `points`; `classes` and `groups` hold numbers from 0 for each design, a group within one class."""
    size, kinds, count = ensemble.size, int(groups.max()) + 1, len(percentiles)
    base = ensemble.metrics(np.arange(size), ensemble.base())[:, :, 0]
    feasible, assured, mean, high = np.empty((4, size))
    made = Bands(base[:len(BANDED)], np.empty((count, len(BANDED), size)), feasible, assured, mean, high,
                 np.empty((count, kinds)), np.empty(kinds), np.empty(kinds))
    order = np.argsort(groups, kind="stable")
    best = np.full((kinds, 1), -np.inf)
    np.maximum.at(best[:, 0], groups, worth(base, aim))
    made.along_base[:] = np.where(np.isfinite(best[:, 0]), aim.better * best[:, 0], np.nan)
    running: tuple[int, Floats] = (int(groups[order[0]]), np.full(points.shape[1], -np.inf))
    for run in ensemble.design_blocks(order, points.shape[1]):
        designs = np.sort(order[run])
        metrics = ensemble.metrics(designs, points)
        _fill(made, designs, metrics, found.winning[classes[designs]], aim, percentiles)
        values = worth(metrics, aim)
        for group in np.unique(groups[designs]):
            if group != running[0]:
                _close(made, running, aim, percentiles)
                running = (int(group), np.full(points.shape[1], -np.inf))
            np.maximum(running[1], values[groups[designs] == group].max(axis=0), out=running[1])
    _close(made, running, aim, percentiles)
    return made


def _fill(made: Bands, designs: Places, metrics: Floats, best: Floats, aim: Aim, percentiles: Sequence[float]) -> None:
    """The bands of some designs; `best` is the worth of the best of their classes: (designs, points)."""
    made.percentiles[:, :, designs] = at_percentiles(metrics[:len(BANDED)], percentiles)
    values = worth(metrics, aim)
    made.feasible[designs] = np.isfinite(values).mean(axis=-1)
    assured = at_percentiles(values, percentiles[:1])[0]
    made.assured[designs] = np.where(np.isfinite(assured), aim.better * assured, np.nan)
    missed = regret(values, best, aim)
    made.regret[designs] = missed.mean(axis=-1)
    made.high_regret[designs] = at_percentiles(missed, percentiles[-1:])[0]


def regret(values: Floats, best: Floats, aim: Aim) -> Floats:
    """The share of the best objective that is missed: 1 where a design is not feasible, 0 where none is.

    1 - value / best where more is better, 1 - best / value where less is.
    """
    over, under = (values, best) if aim.better > 0.0 else (best, values)
    known = np.isfinite(values) & np.isfinite(best)
    share = np.divide(over, under, out=np.zeros_like(values), where=known & (under != 0.0))
    return np.where(known, 1.0 - share, np.where(np.isfinite(best), 1.0, 0.0))


def _close(made: Bands, running: tuple[int, Floats], aim: Aim, percentiles: Sequence[float]) -> None:
    """Takes the group that is complete."""
    group, values = running
    known = aim.better * values[np.isfinite(values)]
    made.along_feasible[group] = len(known) / len(values)
    made.along[:, group] = at_percentiles(known, percentiles) if len(known) else np.nan
