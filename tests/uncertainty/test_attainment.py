"""What the fronts of the draws reach at a price: by hand, and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from uncertainty.ensembles import small_competition, small_ensemble

from dse.grid.pareto import pareto_mask
from dse.objective import Metrics
from dse.uncertainty.attainment import PRICES, attained, attainments
from dse.uncertainty.bands import at_percentiles, bands
from dse.uncertainty.sampling import unit_points
from dse.uncertainty.standing import Aim, staircase, standing

AIM = Aim("tokens_per_s_per_usd", 1.0)
PERCENTILES = (5.0, 50.0, 95.0)

# Two designs in four draws: a cheap one of 5 tokens/s, a dear one of 10 that is not feasible in the last.
PRICE = np.array([[1.0, 1.0, 2.0, 2.0], [3.0, 4.0, 3.0, 4.0]])
THROUGHPUT = np.array([[5.0, 5.0, 5.0, 5.0], [10.0, 10.0, 10.0, 10.0]])
FEASIBLE = np.array([[True, True, True, True], [True, True, True, False]])


def test_what_is_reached_at_a_price_by_hand() -> None:
    nothing = -np.inf
    found = attained(PRICE, THROUGHPUT, FEASIBLE, np.array([0.5, 1.0, 2.0, 3.0, 4.0]))
    assert found.tolist() == [[nothing] * 4, [5.0, 5.0, nothing, nothing], [5.0] * 4, [10.0, 5.0, 10.0, 5.0],
                              [10.0, 10.0, 10.0, 5.0]]
    # A quarter of four draws is one, half of them two: at 3 USD 5 tokens/s are reached always, 10 in half of them.
    surfaces = at_percentiles(found, (25.0, 50.0, 75.0))
    assert surfaces[:, 1].tolist() == [nothing, nothing, 5.0]
    assert surfaces[:, 3].tolist() == [5.0, 5.0, 10.0]
    assert surfaces[:, 4].tolist() == [5.0, 10.0, 10.0]


def test_steps_of_the_staircase_are_the_front_with_equal_designs_and_missing_values() -> None:
    random = np.random.default_rng(0)
    price, throughput = random.integers(1, 8, (2, 12, 200)).astype(float)
    throughput[random.random((12, 200)) < 0.05] = np.nan
    feasible = random.random((12, 200)) < 0.8
    stairs = staircase(price, throughput, feasible)
    kept = stairs.steps()
    for draw in range(200):
        mask = pareto_mask(np.stack([-throughput[:, draw], price[:, draw]]), feasible[:, draw])
        assert sorted(stairs.order[kept[:, draw], draw]) == np.flatnonzero(mask).tolist()


def test_bands_of_the_front_are_those_of_brute_force() -> None:
    ensemble, among = small_ensemble(), small_competition()
    points = unit_points(64, len(ensemble.unknowns), [3])
    base = standing(ensemble, among.classes, ensemble.base(), AIM)
    drawn = standing(ensemble, among.classes, points, AIM)
    made = bands(ensemble, among.classes, among.groups, points, drawn, AIM, PERCENTILES)
    metrics = ensemble.metrics(np.arange(ensemble.size), points)
    throughput, price, feasible = (metrics[Metrics._fields.index(name)] for name in
                                   ("throughput_tokens_per_s", "group_usd", "feasible"))
    found = attainments(ensemble, among, points, base, drawn, made, PERCENTILES)
    for own, front in zip((slice(0, 4), slice(4, 8)), found, strict=True):
        assert front is not None
        assert len(front.prices) == PRICES
        assert front.prices.tolist() == found[0].prices.tolist()  # type: ignore[union-attr]
        for place in (0, 60, 120, 180, 240):
            had = (price[own] <= front.prices[place]) & (feasible[own] > 0.0)
            most = np.where(had, throughput[own], -np.inf).max(axis=0)
            np.testing.assert_array_equal(front.percentiles[:, place], at_percentiles(most, PERCENTILES))
            assert front.reached[place] == pytest.approx(np.isfinite(most).mean())


def test_bands_of_the_front_are_ordered_and_rise_with_the_price() -> None:
    ensemble, among = small_ensemble(), small_competition()
    points = unit_points(128, len(ensemble.unknowns), [1])
    base = standing(ensemble, among.classes, ensemble.base(), AIM)
    drawn = standing(ensemble, among.classes, points, AIM)
    made = bands(ensemble, among.classes, among.groups, points, drawn, AIM, PERCENTILES)
    for front in attainments(ensemble, among, points, base, drawn, made, PERCENTILES):
        assert front is not None
        assert (front.percentiles[:-1] <= front.percentiles[1:]).all()
        assert (front.percentiles[:, :-1] <= front.percentiles[:, 1:]).all()
        assert (np.diff(front.reached) >= 0.0).all()


def test_at_base_alone_all_percentiles_are_the_front_at_base() -> None:
    ensemble, among = small_ensemble(), small_competition()
    base = standing(ensemble, among.classes, ensemble.base(), AIM)
    made = bands(ensemble, among.classes, among.groups, ensemble.base(), base, AIM, PERCENTILES)
    for front in attainments(ensemble, among, ensemble.base(), base, base, made, PERCENTILES):
        assert front is not None
        assert (front.percentiles == front.base).all()
