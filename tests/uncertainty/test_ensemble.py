"""Draws through the model: base equals base, bands by their definition, standing against brute force."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from uncertainty.ensembles import configuration, small_competition, small_ensemble

from dse.errors import InputError
from dse.grid.evaluate import evaluate
from dse.grid.pareto import pareto_mask
from dse.objective import Metrics
from dse.uncertainty.bands import BANDED, at_percentiles, bands, checked_percentiles, regret
from dse.uncertainty.sampling import unit_points
from dse.uncertainty.standing import NOBODY, Aim, standing

AIM = Aim("tokens_per_s_per_usd", 1.0)
PERCENTILES = (5.0, 50.0, 95.0)


def column(name: str) -> int:
    return Metrics._fields.index(name)


def test_at_base_the_metrics_are_those_of_the_plain_model_bit_for_bit() -> None:
    ensemble = small_ensemble()
    found = ensemble.metrics(np.arange(ensemble.size), ensemble.base())[:, :, 0]
    plain = np.concatenate([evaluate(member.part.grid, "plain") for member in ensemble.members], axis=1)
    assert (found == plain).all()


def test_each_draw_is_a_plain_evaluation_at_its_constants() -> None:
    ensemble = small_ensemble(l2_mib=(8.0, 64.0))
    points = unit_points(3, len(ensemble.unknowns), [1])
    found = ensemble.metrics(np.array([1, 3]), points)
    from dse.grid.grid import Grid
    from dse.uncertainty.sampling import drawn

    for place, member in enumerate(ensemble.members):
        numbers = list(member.part.grid.design(1))
        values = drawn(member.intervals, ensemble.unknowns, points, "triangular")[:, 2]
        for one, value in zip(member.intervals, values, strict=True):
            numbers[one.slot] = value
        assert (evaluate(Grid(tuple(numbers)), "plain")[:, 0] == found[:, place, 2]).all()


def test_a_percentile_is_the_value_of_a_draw_that_as_many_do_not_exceed() -> None:
    # Of 1 to 20 shuffled: 5 % is the first, 50 % the tenth, 95 % the nineteenth.
    values = np.random.default_rng(0).permutation(np.arange(1.0, 21.0))
    assert at_percentiles(values, (0.0, 5.0, 50.0, 95.0, 100.0)).tolist() == [1.0, 1.0, 10.0, 19.0, 20.0]


def test_regret_by_hand() -> None:
    values, best = np.array([[80.0, 100.0, -np.inf]]), np.array([[100.0, 100.0, 100.0]])
    assert regret(values, best, Aim("tokens_per_j", 1.0)).tolist() == [[pytest.approx(0.2), 0.0, 1.0]]
    # Less is better: 125 USD where 100 is possible wastes a fifth. Worth has the sign turned.
    less, least = np.array([[-125.0, -np.inf]]), np.array([[-100.0, -np.inf]])
    assert regret(less, least, Aim("group_usd", -1.0)).tolist() == [[pytest.approx(0.2), 0.0]]


def test_best_and_front_in_each_draw_are_those_of_brute_force() -> None:
    ensemble, among = small_ensemble(), small_competition()
    points = unit_points(50, len(ensemble.unknowns), [3])
    found = standing(ensemble, among.classes, points, AIM)
    metrics = ensemble.metrics(np.arange(ensemble.size), points)
    values, feasible = metrics[column(AIM.name)], metrics[column("feasible")] > 0.0
    on_front = np.zeros(ensemble.size)
    for kind, own in enumerate((range(4), range(4, 8))):
        for draw in range(50):
            allowed = [place for place in own if feasible[place, draw]]
            best = max(allowed, key=lambda place: values[place, draw], default=NOBODY)
            assert found.winners[kind, draw] == best
            mask = pareto_mask(np.array([-metrics[column("throughput_tokens_per_s")][own, draw],
                                         metrics[column("group_usd")][own, draw]]), feasible[own, draw])
            on_front[np.array(own)[mask]] += 1.0 / 50.0
    np.testing.assert_allclose(found.on_front, on_front, atol=1e-12)
    assert found.best[:4].sum() == pytest.approx((found.winners[0] != NOBODY).mean())


def test_at_base_alone_the_best_is_the_best_of_the_sweep() -> None:
    ensemble, among = small_ensemble(), small_competition()
    found = standing(ensemble, among.classes, ensemble.base(), AIM)
    for kind, member in enumerate(ensemble.members):
        values = evaluate(member.part.grid)
        allowed = np.where(values[column("feasible")] > 0.0, values[column(AIM.name)], -np.inf)
        assert found.winners[kind, 0] - 4 * kind == np.argmax(allowed)
        assert found.winning[kind, 0] == allowed.max()


def test_bands_hold_the_percentiles_of_the_draws_and_the_base() -> None:
    ensemble, among = small_ensemble(), small_competition()
    points = unit_points(64, len(ensemble.unknowns), [3])
    drawn = standing(ensemble, among.classes, points, AIM)
    found = bands(ensemble, among.classes, among.groups, points, drawn, AIM, PERCENTILES)
    metrics = ensemble.metrics(np.arange(ensemble.size), points)
    for name in ("ttft_s", "group_usd", "die_mm2", "tokens_per_j"):
        np.testing.assert_array_equal(found.percentiles[:, BANDED.index(name)],
                                      np.percentile(metrics[column(name)], PERCENTILES, axis=-1, method="inverted_cdf"))
    base = ensemble.metrics(np.arange(ensemble.size), ensemble.base())[:len(BANDED), :, 0]
    assert (found.base == base).all()
    np.testing.assert_allclose(found.feasible, (metrics[column("feasible")] > 0.0).mean(axis=-1))
    # One design a value of L2: the best along the axis is that design where it is feasible.
    worth = np.where(metrics[column("feasible")] > 0.0, metrics[column(AIM.name)], np.nan)
    known = worth[6][~np.isnan(worth[6])]
    np.testing.assert_array_equal(found.along[:, 6], np.percentile(known, PERCENTILES, method="inverted_cdf"))


def test_blocks_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    ensemble, among = small_ensemble(), small_competition()
    points = unit_points(40, len(ensemble.unknowns), [3])

    def answer() -> list[np.ndarray]:  # type: ignore[type-arg]
        drawn = standing(ensemble, among.classes, points, AIM)
        return [*drawn, *bands(ensemble, among.classes, among.groups, points, drawn, AIM, PERCENTILES)]

    whole = answer()
    monkeypatch.setattr("dse.uncertainty.ensemble.BLOCK", 100)
    for one, other in zip(whole, answer(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_wider_interval_never_narrows_the_band_of_a_monotone_quantity() -> None:
    # The price of the die rises with that of the wafer alone: its band is the wafer's.
    widths = []
    for factor in (1.0, 1.5, 3.0):
        config = copy.deepcopy(dict(configuration()))
        wafer = config["cost"]["process"]["wafer_usd"]
        wafer["low"], wafer["high"] = wafer["low"] / factor, wafer["high"] * factor
        ensemble = small_ensemble(["cost.process.wafer_usd"], config=config)
        points = unit_points(256, 1, [1])
        metrics = ensemble.metrics(np.arange(ensemble.size), points)
        low, high = at_percentiles(metrics[column("die_usd")], (5.0, 95.0))
        widths.append(high - low)
    assert (widths[0] < widths[1]).all()
    assert (widths[1] < widths[2]).all()


def test_analytic_percentiles_of_a_metric_that_is_linear_in_one_constant() -> None:
    # die_usd is proportional to the wafer's price: its percentiles are those of the triangle times die_usd at base.
    ensemble = small_ensemble(["cost.process.wafer_usd"])
    one = ensemble.members[0].intervals[0]
    points = unit_points(8192, 1, [1])
    metrics = ensemble.metrics(np.array([0]), points)[column("die_usd"), 0]
    base = ensemble.metrics(np.array([0]), ensemble.base())[column("die_usd"), 0, 0]
    at = (one.base - one.low) / (one.high - one.low)
    for share in (0.05, 0.5, 0.95):
        exact = (one.low + (one.high - one.low) * np.sqrt(share * at) if share < at
                 else one.high - (one.high - one.low) * np.sqrt((1.0 - share) * (1.0 - at)))
        assert at_percentiles(metrics, (100.0 * share,))[0] == pytest.approx(base * exact / one.base, rel=1e-4)


def test_too_many_designs_and_bad_percentiles_are_refused() -> None:
    with pytest.raises(InputError, match="at most 100,000 are carried through the intervals"):
        small_ensemble(l2_mib=tuple(float(size) for size in range(1, 50_002)))
    for bad in ([], [101], [True], ["5"]):
        with pytest.raises(InputError, match=r"uncertainty\.percentiles="):
            checked_percentiles(bad)  # type: ignore[arg-type]
    assert checked_percentiles([95, 5, 5]) == (5.0, 95.0)
