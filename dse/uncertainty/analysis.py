"""The whole answer for an ensemble of designs: standing, bands, optima and what decides them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.uncertainty.attainment import Attainment, attainments
from dse.uncertainty.bands import Bands, bands
from dse.uncertainty.competition import Competition
from dse.uncertainty.contest import GAIN, MOVED, OPTIMUM, SHIFT, Contest, Quantity, optima, quantities
from dse.uncertainty.ensemble import Ensemble, Places
from dse.uncertainty.existing import Existing
from dse.uncertainty.influence import Influence, influence
from dse.uncertainty.sampling import unit_points
from dse.uncertainty.standing import NOBODY, Aim, Standing, standing

Floats = NDArray[np.float64]
MOST_EVALUATIONS = 1_000_000_000


class Asked(NamedTuple):
    """What is asked: `samples` draws from `seed`, `index_samples` points behind the indices of the `quantities`.

    `factor`: by how much the optimum along the axis must grow to count as moved.
    """

    aim: Aim
    samples: int
    seed: int
    percentiles: tuple[float, ...]
    factor: float
    index_samples: int
    quantities: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """The quantities whose indices are asked for."""
        return self.quantities or (self.aim.name, OPTIMUM, GAIN, SHIFT, MOVED)


class Decided(NamedTuple):
    """What decides in one situation: quantities, and the influence of each unknown on them."""

    situation: tuple[Any, ...]
    quantities: tuple[Quantity, ...]
    influence: Influence


class Analysis(NamedTuple):
    """All that is known of the ensemble: at base, and over the draws; `fronts` has a place for each class.

    `kept`: how many draws there are, after those that existing chips rule out.
    """

    ensemble: Ensemble
    competition: Competition
    asked: Asked
    base: Standing
    drawn: Standing
    bands: Bands
    fronts: tuple[Attainment | None, ...]
    decided: tuple[Decided, ...]
    kept: int

    def optima(self, kind: int, key: str) -> tuple[float, Floats]:
        """What the best design of a class has on a numeric axis: at base, and in each draw; NaN where there is none."""
        axis = np.asarray(self.competition.columns[key], dtype=float)
        return float(optima(self.base.winners[kind], axis)[0]), optima(self.drawn.winners[kind], axis)


def analysis(ensemble: Ensemble, among: Competition, asked: Asked, existing: Existing | None = None) -> Analysis:
    """The answer to `asked`; draws in which one of the `existing` chips cannot be made are left out.

    The Sobol indices are those of all draws: they presuppose that the assumptions are independent, and the draws that
    are left are not. InputError for more than MOST_EVALUATIONS evaluations, or no draw at all.
    """
    if asked.samples < 1 or ensemble.size * asked.samples > MOST_EVALUATIONS:
        raise InputError(f"samples={asked.samples} is not allowed: give at least 1, and for {ensemble.size:,} designs "
                         f"at most {MOST_EVALUATIONS // max(1, ensemble.size):,}")
    points = unit_points(asked.samples, len(ensemble.unknowns), [asked.seed])
    if existing is not None:
        points = np.ascontiguousarray(points[:, existing.possible(points)])
    if not points.shape[1]:
        raise InputError(f"uncertainty.existing leaves none of the {asked.samples:,} draws: take more samples, "
                         "or fewer chips")
    base = standing(ensemble, among.classes, ensemble.base(), asked.aim)
    drawn = standing(ensemble, among.classes, points, asked.aim)
    made = bands(ensemble, among.classes, among.groups, points, drawn, asked.aim, asked.percentiles)
    fronts = attainments(ensemble, among, points, base, drawn, made, asked.percentiles)
    decided = _decided(ensemble, among, asked, base, drawn, made.feasible)
    return Analysis(ensemble, among, asked, base, drawn, made, fronts, decided, points.shape[1])


def _decided(ensemble: Ensemble, among: Competition, asked: Asked, base: Standing, drawn: Standing,
             feasible: Floats) -> tuple[Decided, ...]:
    """Asked are designs that were the best at base or in some draw, and the one most often feasible.

    Others do not change what the best is, but for draws that are rarer than those drawn before.
    """
    axis = None if among.along is None else np.asarray(among.columns[among.along], dtype=float)
    found = []
    for situation, kinds in among.situations():
        designs = {technique: _contenders(among.members(kind), base.winners[kind], drawn.winners[kind], feasible)
                   for technique, kind in kinds.items()}
        marked = {technique: int(base.winners[kind, 0]) for technique, kind in kinds.items()
                  if base.winners[kind, 0] != NOBODY}
        contest = Contest(designs, marked, axis, asked.aim, asked.factor)
        wanted = quantities(contest, asked.names())
        if wanted:
            found.append(Decided(situation, wanted, influence(ensemble, contest, wanted, asked.index_samples,
                                                              [asked.seed])))
    return tuple(found)


def _contenders(members: Places, at_base: Places, drawn: Places, feasible: Floats) -> Places:
    """The designs of a class that may be the best, in order."""
    safest = members[np.argmax(feasible[members])]
    places = np.unique(np.concatenate([at_base, drawn, [safest]]))
    return np.asarray(places[places != NOBODY])
