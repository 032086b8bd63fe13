"""The answer in a few numbers for each situation and technique."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.uncertainty.analysis import Analysis
from dse.uncertainty.bands import at_percentiles
from dse.uncertainty.contest import REFERENCE, gain, moved, shift
from dse.uncertainty.standing import NOBODY
from dse.uncertainty.tables import percentile_name

Floats = NDArray[np.float64]


class Spread(NamedTuple):
    """A number at base, and the values that given percentages of the draws do not exceed; NaN where there is none."""

    base: float
    percentiles: dict[str, float]


class Headline(NamedTuple):
    """One class: its best objective, where along the axis it is, and how both compare with no technique, draw by draw.

    `undecided`: share of the draws in which no design is feasible. `probability_moved`: share of the others in which
    the optimum grows by more than the factor; None where there is nothing to compare with.
    """

    situation: tuple[Any, ...]
    technique: str
    undecided: float
    objective: Spread | None
    optimum: Spread | None
    shift: Spread | None
    gain: Spread | None
    probability_moved: float | None


def headlines(found: Analysis) -> list[Headline]:
    """A headline for each class."""
    return [_headline(found, kind, kinds.get(REFERENCE))
            for _, kinds in found.competition.situations() for kind in kinds.values()]


def _headline(found: Analysis, kind: int, reference: int | None) -> Headline:
    one, along = found.competition.kinds[kind], found.competition.along
    own = _best(found, kind)
    where = _where(found, kind) if along else None
    gained = ratio = None
    if reference is not None and reference != kind:
        gained = gain(own, _best(found, reference), found.asked.aim)
        ratio = None if where is None else shift(where, _where(found, reference))
    return Headline(one.situation, one.technique, float(np.mean(found.drawn.winners[kind] == NOBODY)),
                    _spread(found, own), _spread(found, where), _spread(found, ratio), _spread(found, gained),
                    None if ratio is None else _mean(moved(ratio[1:], found.asked.factor)))


def _best(found: Analysis, kind: int) -> Floats:
    """The best objective: at base, then in each draw."""
    values = np.concatenate([found.base.winning[kind], found.drawn.winning[kind]])
    return np.where(np.isfinite(values), found.asked.aim.better * values, np.nan)


def _where(found: Analysis, kind: int) -> Floats:
    """What the best design has along the axis: at base, then in each draw."""
    base, drawn = found.optima(kind, str(found.competition.along))
    return np.concatenate([[base], drawn])


def _spread(found: Analysis, values: Floats | None) -> Spread | None:
    """Base first, then the draws; nothing of nothing."""
    if values is None:
        return None
    known = values[1:][~np.isnan(values[1:])]
    names = [percentile_name(one) for one in found.asked.percentiles]
    at = at_percentiles(known, found.asked.percentiles) if len(known) else np.full(len(names), np.nan)
    return Spread(float(values[0]), dict(zip(names, at.tolist(), strict=True)))


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
