"""Which assumptions decide: Sobol indices with their error, and each assumption by itself at its ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError
from dse.uncertainty.contest import Contest, Quantity, answers
from dse.uncertainty.ensemble import Ensemble
from dse.uncertainty.sampling import end_points, unit_points

Floats = NDArray[np.float64]
RESAMPLES = 200
MOST_UNDECIDED = 0.05  # share of the points at which a quantity may be missing


class Indices(NamedTuple):
    """Sobol indices of each quantity and unknown: (quantities, unknowns).

    `first`: share of the quantity's variance that goes when the unknown is known; `total`: share that stays when all
    others are known; each with its standard error. `undecided` (quantities): share of the points at which the quantity
    does not exist and is counted as at base; beyond MOST_UNDECIDED the indices are NaN.
    """

    first: Floats
    first_error: Floats
    total: Floats
    total_error: Floats
    undecided: Floats


class Influence(NamedTuple):
    """Sobol indices (see `Indices`), and one assumption at a time: (quantities, unknowns).

    `low` and `high`: the quantity with this unknown at that end and all others at base; `base` (quantities): all at
    base.
    """

    first: Floats
    first_error: Floats
    total: Floats
    total_error: Floats
    undecided: Floats
    low: Floats
    high: Floats
    base: Floats


def checked_index_samples(count: Any) -> int:
    """The number of points behind the indices; InputError where it is not a power of two, at least 2."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 2 or count & (count - 1):
        raise InputError(f"uncertainty.index_samples={count} is not allowed: give a power of two, as 1024")
    return count


def influence(ensemble: Ensemble, contest: Contest, asked: Sequence[Quantity], count: int, seed: Sequence[int]) -> (
        Influence):
    """The influence of every unknown of the ensemble on what is asked, from count x (unknowns + 2) points.

    Indices of a quantity of which the order of magnitude counts are those of its logarithm.
    """
    places, size = contest.places(), len(ensemble.unknowns)

    def at(points: Floats) -> Floats:
        return np.concatenate([answers(contest, asked, ensemble.metrics(places, points[:, run]))
                               for run in ensemble.point_blocks(len(places), points.shape[1])], axis=1)

    base = at(ensemble.base())[:, 0]
    ends = at(end_points(size)) if size else np.empty((len(asked), 0))
    indices = sobol(lambda points: _scaled(at(points), asked), _scaled(base[:, None], asked)[:, 0], size, count, seed)
    return Influence(*indices[:4], indices.undecided, ends[:, :size], ends[:, size:], base)


def sobol(at: Callable[[Floats], Floats], base: Floats, dimensions: int, count: int, seed: Sequence[int]) -> Indices:
    """Sobol indices of a function from points of the unit cube (dimensions, points) to (quantities, points).

    `base` (quantities) stands where the function has no value, NaN.
    """
    both = unit_points(count, 2 * dimensions, [*seed, 1])
    first, second = both[:dimensions], both[dimensions:]
    exchanged = [at(_exchanged(first, second, place)) for place in range(dimensions)]
    found = np.array([at(first), at(second), *exchanged])
    missing = np.isnan(found)
    undecided = missing.mean(axis=(0, 2))
    found = np.where(missing, base[:, None], found)
    found[:, (undecided > MOST_UNDECIDED) | np.isnan(base)] = np.nan
    return _indices(found[0], found[1], found[2:], undecided, [*seed, 2])


def _exchanged(first: Floats, second: Floats, place: int) -> Floats:
    points = first.copy()
    points[place] = second[place]
    return points


def _scaled(values: Floats, asked: Sequence[Quantity]) -> Floats:
    logarithmic = np.array([one.logarithmic for one in asked], dtype=bool)
    scaled = values.copy()
    scaled[logarithmic] = np.log2(values[logarithmic])
    return scaled


def _indices(first: Floats, second: Floats, exchanged: Floats, undecided: Floats, seed: Sequence[int]) -> Indices:
    """The indices from the function at two sets of points, and at the first with one number each from the second.

    `first` and `second` are (quantities, points), `exchanged` (unknowns, quantities, points). The errors are those of
    resampled points (bootstrap): somewhat too large, since points of a Sobol sequence are more even than random ones.
    """
    shape = (first.shape[0], exchanged.shape[0])
    results = Indices(np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan),
                      undecided)
    known = ~np.isnan(first).any(axis=1)
    if not known.any() or not exchanged.shape[0]:
        return results
    first, second, exchanged = first[known], second[known], exchanged[:, known]
    found = sobol_indices_of(first, second, exchanged)
    generator, count = np.random.default_rng(list(seed)), first.shape[1]
    resampled = []
    for _ in range(RESAMPLES):
        picked = generator.integers(0, count, count)
        resampled.append(sobol_indices_of(first[:, picked], second[:, picked], exchanged[:, :, picked]))
    errors = np.std(np.array(resampled), axis=0, ddof=1)
    for result, part in zip(results[:4], (found[0], errors[0], found[1], errors[1]), strict=True):
        result[known] = part
    return results


def sobol_indices_of(first: Floats, second: Floats, exchanged: Floats) -> tuple[Floats, Floats]:
    """First-order and total indices, (quantities, unknowns), by the estimators of Saltelli and others, 2010.

    0 where the quantity does not vary.
    """
    from scipy.stats import sobol_indices

    found = sobol_indices(func={"f_A": first, "f_B": second, "f_AB": exchanged}, n=first.shape[1])
    shape = (first.shape[0], exchanged.shape[0])  # of a single quantity or unknown scipy leaves out the axis
    return found.first_order.reshape(shape), found.total_order.reshape(shape)
