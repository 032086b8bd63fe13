"""How each design stands among those it competes with, draw by draw: on the Pareto front, the best, how far behind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.objective import Metrics
from dse.uncertainty.ensemble import Ensemble, Places

Floats = NDArray[np.float64]
FRONT = ("throughput_tokens_per_s", "group_usd")  # the more, the less
NOBODY = -1


class Staircase(NamedTuple):
    """Designs of each draw by ascending price: their numbers, price, and the most throughput up to each of them.

    All (designs, draws). Equal prices are in the order of falling throughput, equal designs in that of their numbers;
    those that are not feasible come last, at an infinite price and with a throughput of -inf.
    """

    order: Places
    price: Floats
    throughput: Floats
    best: Floats

    def steps(self) -> NDArray[np.bool_]:
        """Which of the designs in `order` are on the Pareto front of their draw: those that raise the best."""
        before = np.concatenate([np.full((1, self.best.shape[1]), -np.inf), self.best[:-1]])
        return np.asarray(self.throughput > before)


def staircase(price: Floats, throughput: Floats, feasible: NDArray[np.bool_]) -> Staircase:
    """The designs of each draw in the order of their price; all are (designs, draws)."""
    known = feasible & ~np.isnan(price) & ~np.isnan(throughput)
    paid, made = np.where(known, price, np.inf), np.where(known, throughput, -np.inf)
    order = np.argsort(-made, axis=0, kind="stable")
    by_price = np.argsort(np.take_along_axis(paid, order, axis=0), axis=0, kind="stable")
    order = np.take_along_axis(order, by_price, axis=0)
    made = np.take_along_axis(made, order, axis=0)
    return Staircase(order, np.take_along_axis(paid, order, axis=0), made, np.maximum.accumulate(made, axis=0))


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
    stairs = staircase(less, more, feasible)
    found.on_front[designs] += np.bincount(stairs.order[stairs.steps()], minlength=len(designs))
