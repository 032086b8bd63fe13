"""What is asked of competing designs: the best value of an axis, how far a technique moves it, what it gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.objective import Metrics
from dse.uncertainty.ensemble import Places
from dse.uncertainty.standing import NOBODY, Aim, worth

Floats = NDArray[np.float64]
REFERENCE = "none"
OPTIMUM, GAIN, SHIFT, MOVED = "optimum", "gain", "shift", "moved"
DERIVED = (OPTIMUM, GAIN, SHIFT, MOVED)


class Contest(NamedTuple):
    """Designs that compete in one situation, by technique, and what each design has on the axis that is asked about.

    `designs`: numbers of the ensemble's designs; `marked`: the design whose metrics are asked for, of each technique.
    `axis`: a number for each design of the ensemble; None where no axis is asked about. `factor`: by how much the best
    value must grow to count as moved.
    """

    designs: Mapping[str, Places]
    marked: Mapping[str, int]
    axis: Floats | None
    aim: Aim
    factor: float

    def places(self) -> Places:
        """All designs that are asked about, in order."""
        return np.unique(np.concatenate([*self.designs.values(), np.array([*self.marked.values()], dtype=np.intp)]))


class Quantity(NamedTuple):
    """One number that is asked for, with one technique; `logarithmic`: of which the order of magnitude counts."""

    name: str
    technique: str
    logarithmic: bool


def quantities(contest: Contest, names: Sequence[str]) -> tuple[Quantity, ...]:
    """What can be asked of this contest under the names: metrics, and those of DERIVED.

    `optimum`: the value of the axis that the best design has. `gain`: the best objective with the technique over the
    best without, or the other way round where less is better. `shift`: the optimum with the technique over the one
    without. `moved`: whether that is more than the factor. Raises InputError for another name.
    """
    for name in names:
        if name not in (*DERIVED, *Metrics._fields):
            raise InputError(f"uncertainty.quantities={name} is not allowed: choose from {', '.join(DERIVED)} and "
                             f"{', '.join(Metrics._fields)}")
    return tuple(Quantity(name, technique, name in (OPTIMUM, SHIFT) and _positive(contest))
                 for name in names for technique in contest.designs if _asked(contest, name, technique))


def answers(contest: Contest, asked: Sequence[Quantity], metrics: Floats) -> Floats:
    """The quantities at each point, NaN where no design is feasible: (quantities, points).

    `metrics` are those of the contest's places: (metrics, designs, points).
    """
    places = contest.places()
    best = {technique: _best(contest, metrics, np.searchsorted(places, designs), designs)
            for technique, designs in contest.designs.items()}
    found = np.empty((len(asked), metrics.shape[2]))
    for row, (name, technique, _) in enumerate(asked):
        if name in DERIVED:
            found[row] = _derived(name, best[technique], best.get(REFERENCE), contest)
        else:
            own = int(np.searchsorted(places, contest.marked[technique]))
            found[row] = metrics[Metrics._fields.index(name), own]
    return found


def _asked(contest: Contest, name: str, technique: str) -> bool:
    if name == OPTIMUM:
        return contest.axis is not None
    if name in DERIVED:
        return technique != REFERENCE and REFERENCE in contest.designs and (name == GAIN or contest.axis is not None)
    return technique in contest.marked


def _positive(contest: Contest) -> bool:
    return contest.axis is not None and bool((contest.axis[contest.places()] > 0.0).all())


def _best(contest: Contest, metrics: Floats, own: Places, designs: Places) -> tuple[Floats, Floats]:
    """The best objective at each point, and what its design has on the axis; NaN where none is feasible."""
    values = worth(metrics[:, own], contest.aim)
    first = np.argmax(values, axis=0)
    best = values[first, np.arange(values.shape[1])]
    known = np.isfinite(best)
    axis = np.full(best.shape, np.nan) if contest.axis is None else contest.axis[designs[first]]
    return np.where(known, contest.aim.better * best, np.nan), np.where(known, axis, np.nan)


def _derived(name: str, own: tuple[Floats, Floats], reference: tuple[Floats, Floats] | None,
             contest: Contest) -> Floats:
    if name == OPTIMUM or reference is None:
        return own[1]
    if name == GAIN:
        return gain(own[0], reference[0], contest.aim)
    ratio = shift(own[1], reference[1])
    return ratio if name == SHIFT else moved(ratio, contest.factor)


def gain(own: Floats, reference: Floats, aim: Aim) -> Floats:
    """How many times as good one objective is as another; NaN where one of them is."""
    return own / reference if aim.better > 0.0 else reference / own


def shift(own: Floats, reference: Floats) -> Floats:
    """The ratio of two optima, NaN where one is not known or the second is 0."""
    return np.asarray(np.divide(own, reference, out=np.full(own.shape, np.nan), where=reference != 0.0))


def moved(ratio: Floats, factor: float) -> Floats:
    """1 where the ratio of two optima is more than the factor, 0 where it is not, NaN where there is none."""
    return np.where(np.isnan(ratio), np.nan, np.where(ratio > factor, 1.0, 0.0))


def optima(winners: Places, axis: Floats) -> Floats:
    """What the best design of each draw has on the axis, NaN where there is none."""
    return np.where(winners == NOBODY, np.nan, axis[winners])
