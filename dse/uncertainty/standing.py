"""How each design stands among those it competes with, draw by draw: on the Pareto front, the best, how far behind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.grid.pareto import pareto_mask
from dse.objective import Metrics
from dse.uncertainty.ensemble import Ensemble, Places

Floats = NDArray[np.float64]
FRONT = ("throughput_tokens_per_s", "group_usd")  # the more, the less
NOBODY = -1


class Aim(NamedTuple):
    """The objective, a metric, and whether more of it is better (1) or less (-1)."""

    name: str
    better: float


class Standing(NamedTuple):
    """What the draws say of the designs, class by class: those that compete with one another.

    `on_front` and `best`: the share of the draws in which a design is on the front of its class and its best, a number
    a design; the front is that of throughput and price among feasible designs, the best the feasible design that comes
    first in the objective, the first of equals. `winners` (classes, points): the best design of each class in each
    draw, or NOBODY; `winning`: its worth, -inf for nobody.
    """

    on_front: Floats
    best: Floats
    winners: Places
    winning: Floats


def standing(ensemble: Ensemble, classes: Places, points: Floats, aim: Aim) -> Standing:
    """How the designs stand at `points`; `classes` is the number of each design's class, from 0."""
    count, kinds = points.shape[1], int(classes.max()) + 1
    everyone = np.arange(ensemble.size)
    found = Standing(np.zeros(ensemble.size), np.zeros(ensemble.size), np.full((kinds, count), NOBODY, dtype=np.intp),
                     np.full((kinds, count), -np.inf))
    own = [np.flatnonzero(classes == kind) for kind in range(kinds)]
    for run in ensemble.point_blocks(ensemble.size, count):
        metrics = ensemble.metrics(everyone, points[:, run])
        for kind, designs in enumerate(own):
            _count(found, metrics[:, designs], designs, kind, run, aim)
    found.on_front[:] /= count
    found.best[:] /= count
    return found


def worth(metrics: Floats, aim: Aim) -> Floats:
    """The objective of feasible designs, its sign such that more is better; -inf of others."""
    values = aim.better * metrics[Metrics._fields.index(aim.name)]
    return np.where((metrics[Metrics._fields.index("feasible")] > 0.0) & ~np.isnan(values), values, -np.inf)


def _count(found: Standing, metrics: Floats, designs: Places, kind: int, run: slice, aim: Aim) -> None:
    """Adds one class in one run of the points."""
    values = worth(metrics, aim)
    first, draws = np.argmax(values, axis=0), np.arange(values.shape[1])
    winning = values[first, draws]
    winners = np.where(np.isfinite(winning), designs[first], NOBODY)
    found.winners[kind, run], found.winning[kind, run] = winners, winning
    np.add.at(found.best, winners[winners != NOBODY], 1.0)
    more, less = (metrics[Metrics._fields.index(name)] for name in FRONT)
    feasible = metrics[Metrics._fields.index("feasible")] > 0.0
    for draw in draws:
        front = pareto_mask(np.stack([-more[:, draw], less[:, draw]]), feasible[:, draw])
        found.on_front[designs[front]] += 1.0
