"""Percentile bands of a Pareto front: which throughput is reached at a price, in how many of the draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.objective import Metrics
from dse.uncertainty.bands import BANDED, Bands, at_percentiles
from dse.uncertainty.competition import Competition
from dse.uncertainty.ensemble import Ensemble, Places
from dse.uncertainty.standing import FRONT, Standing, staircase

Floats = NDArray[np.float64]
PRICES, FEWEST_PRICES = 241, 31  # at which a front is asked what it reaches
MOST_HELD = 2**24  # numbers of one class that are held at once: 128 MB; beyond 70,000 draws there are fewer prices
MARGIN = 1.02  # by which the range of prices is wider than the bands of the designs that matter
SELDOM = 0.05  # designs that are on the front in fewer draws, and not at base, do not set the range of prices


class Attainment(NamedTuple):
    """What the fronts of one class reach at each of `prices`, USD in ascending order.

    `base`: the most throughput that is had for at most that price at base; `percentiles` (percentiles, prices): over
    the draws; -inf where no feasible design is had for it. `reached`: share of the draws in which one is.
    """

    prices: Floats
    base: Floats
    percentiles: Floats
    reached: Floats


def attained(price: Floats, throughput: Floats, feasible: NDArray[np.bool_], at: Floats) -> Floats:
    """The most throughput of the feasible designs that cost at most `at`: (prices, draws), -inf where there is none.

    `price`, `throughput` and `feasible` are (designs, draws). It is the staircase that the front of a draw bounds.
    """
    stairs = staircase(price, throughput, feasible)
    found = np.empty((len(at), price.shape[1]))
    for draw in range(price.shape[1]):
        place = np.searchsorted(stairs.price[:, draw], at, side="right") - 1
        found[:, draw] = np.where(place >= 0, stairs.best[place, draw], -np.inf)
    return found


def attainments(ensemble: Ensemble, among: Competition, points: Floats, base: Standing, drawn: Standing, made: Bands,
                percentiles: Sequence[float]) -> tuple[Attainment | None, ...]:
    """The attainment of each class at `points`; None where no design of its situation is ever feasible.

    A percentile of the throughput reached at a price, over the draws, is a point of the empirical attainment surface
    of the fronts: that of 5 % is reached or bettered in 95 % of the draws (Grunert da Fonseca and others, Inferential
    performance assessment of stochastic optimisers and the attainment function, EMO 2001). Exact at each price. The
    classes of a situation are asked at the same prices. Designs that are on no front are left out, which changes
    nothing.
    """
    found: dict[int, Attainment | None] = {}
    for _, kinds in among.situations():
        own = {kind: among.members(kind) for kind in kinds.values()}
        count = min(PRICES, max(FEWEST_PRICES, MOST_HELD // points.shape[1]))
        prices = _prices(np.concatenate(list(own.values())), base, drawn, made, count)
        for kind, members in own.items():
            front = members[(drawn.on_front[members] > 0.0) | (base.on_front[members] > 0.0)]
            found[kind] = _attainment(ensemble, front, points, prices, percentiles) if len(prices) else None
    return tuple(found[kind] for kind in range(len(among.kinds)))


def _prices(members: Places, base: Standing, drawn: Standing, made: Bands, count: int) -> Floats:
    """`count` prices in equal steps of their logarithm, over the bands of the designs that matter."""
    matter = members[(base.on_front[members] > 0.0) | (drawn.on_front[members] >= SELDOM)]
    if not len(matter):
        matter = members[drawn.on_front[members] > 0.0]
    if not len(matter):
        return np.empty(0)
    row = BANDED.index(FRONT[1])
    spread = np.concatenate([made.percentiles[:, row, matter].ravel(), made.base[row, matter]])
    return np.unique(np.geomspace(spread.min() / MARGIN, spread.max() * MARGIN, count))


def _attainment(ensemble: Ensemble, front: Places, points: Floats, prices: Floats, percentiles: Sequence[float]) -> (
        Attainment):
    reached = np.full((len(prices), points.shape[1]), -np.inf)
    at_base = np.full((len(prices), 1), -np.inf)
    if len(front):
        for run in ensemble.point_blocks(len(front), points.shape[1]):
            reached[:, run] = attained(*_objectives(ensemble.metrics(front, points[:, run])), prices)
        at_base = attained(*_objectives(ensemble.metrics(front, ensemble.base())), prices)
    return Attainment(prices, at_base[:, 0], at_percentiles(reached, percentiles), np.isfinite(reached).mean(axis=1))


def _objectives(metrics: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    throughput, price, feasible = (metrics[Metrics._fields.index(name)] for name in (*FRONT, "feasible"))
    return price, throughput, feasible > 0.0
