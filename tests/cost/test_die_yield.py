"""Yield laws and harvesting: hand-worked values, limits, published figures, monotony."""

from __future__ import annotations

import math

import pytest
from cost.chips import A100, H100, cost_of
from hypothesis import given
from hypothesis import strategies as st

from dse.cost.bill import bill
from dse.cost.die_yield import enough_share, perfect_share
from dse.cost.process import Process
from dse.cost.wafer import MURPHY, NEGATIVE_BINOMIAL, POISSON, SEEDS, DieYield

DIES = cost_of(A100).die_yield
LAWS = (POISSON, MURPHY, SEEDS, NEGATIVE_BINOMIAL)
areas = st.floats(1.0, 3000.0)
densities = st.floats(0.01, 1.0)
laws = st.sampled_from(LAWS)


def process(defects_per_cm2: float) -> Process:
    return cost_of(A100).process._replace(defects_per_mm2=defects_per_cm2 / 100.0)


def law(name: float, alpha: float = 10.0) -> DieYield:
    return DIES._replace(law=name, alpha=alpha)


@pytest.mark.parametrize(("dies", "published"), [
    (law(POISSON), 0.475), (law(MURPHY), 0.498), (law(SEEDS), 0.574),
    (law(NEGATIVE_BINOMIAL), 0.488), (law(NEGATIVE_BINOMIAL, 3.0), 0.515),
])
def test_yields_of_826_mm2_at_0_09(dies: DieYield, published: float) -> None:
    # x = 8.26 cm2 x 0.09 = 0.7434: e^-x = 0.475; ((1 - e^-x) / x)^2 = 0.706^2; 1 / 1.7434; 1.07434^-10; 1.2478^-3.
    assert perfect_share(826.0, process(0.09), dies) == pytest.approx(published, abs=0.001)


@given(areas, densities)
def test_negative_binomial_is_seeds_at_alpha_1_and_poisson_in_the_limit(area: float, density: float) -> None:
    at = process(density)
    assert perfect_share(area, at, law(NEGATIVE_BINOMIAL, 1.0)) == pytest.approx(
        perfect_share(area, at, law(SEEDS)), rel=1e-12)
    assert perfect_share(area, at, law(NEGATIVE_BINOMIAL, 1e12)) == pytest.approx(
        perfect_share(area, at, law(POISSON)), rel=1e-9)


@given(areas, st.floats(1.0, 2.0), densities, laws, st.floats(1.0, 20.0))
def test_a_larger_area_or_more_defects_never_yield_more(area: float, factor: float, density: float, name: float,
                                                       alpha: float) -> None:
    dies = law(name, alpha)
    share = perfect_share(area, process(density), dies)
    assert 0.0 < share <= 1.0
    assert perfect_share(area * factor, process(density), dies) <= share
    assert perfect_share(area, process(density * factor), dies) <= share


@given(areas, densities)
def test_laws_are_ordered_by_clustering(area: float, density: float) -> None:
    poisson, murphy, seeds, binomial = (perfect_share(area, process(density), law(name)) for name in LAWS)
    assert poisson <= murphy * (1 + 1e-12)
    assert murphy <= seeds * (1 + 1e-12)
    assert poisson <= binomial * (1 + 1e-12) <= seeds * (1 + 1e-12)


def test_enough_of_three_parts_by_hand() -> None:
    # A part that is good 90 % of the time: x = -ln 0.9 = 0.10536 defects in 100 mm2 with Poisson.
    # At most one of three bad: 0.9^3 + 3 x 0.1 x 0.9^2 = 0.729 + 0.243 = 0.972; at most none: 0.729; at most all: 1.
    at = process(-math.log(0.9))
    assert enough_share(3.0, 0.0, 100.0, at, law(POISSON)) == pytest.approx(0.729, rel=1e-12)
    assert enough_share(3.0, 1.0, 100.0, at, law(POISSON)) == pytest.approx(0.972, rel=1e-12)
    assert enough_share(3.0, 3.0, 100.0, at, law(POISSON)) == pytest.approx(1.0, rel=1e-12)


@given(st.integers(1, 400), st.integers(0, 60), st.floats(0.1, 30.0), densities, laws)
def test_more_spares_never_yield_less(enabled: int, spares: int, part: float, density: float, name: float) -> None:
    at, dies = process(density), law(name)
    share = enough_share(float(enabled + spares), float(spares), part, at, dies)
    assert enough_share(float(enabled + spares + 1), float(spares + 1), part, at, dies) >= share - 1e-12
    assert 0.0 <= share <= 1.0


def test_harvest_of_a100() -> None:
    # 128 cores of 3.75 mm2 on 826 mm2 at 0.09: critical 826 - 480 = 346 mm2, x = 0.3114, 1.03114^-10 = 0.736;
    # a core is bad in 0.34 % of the cases, more than 20 of 128 never.
    at, dies = process(0.09), law(NEGATIVE_BINOMIAL)
    harvested = perfect_share(826.0 - 128 * 3.75, at, dies) * enough_share(128.0, 20.0, 3.75, at, dies)
    assert harvested == pytest.approx(0.73, abs=0.01)
    assert perfect_share(826.0, at, dies) == pytest.approx(0.48, abs=0.01)


def test_harvest_of_h100() -> None:
    # 814 mm2 at 0.11, 132 of 144 cores; the cores take the share of the die that they take on the A100 photo,
    # 476.25 / 826: 3.26 mm2 each, critical 344.7 mm2, x = 0.379, 1.0379^-10 = 0.689.
    at, dies = process(0.11), law(NEGATIVE_BINOMIAL)
    cores = 814.0 * 476.25 / 826.0
    harvested = perfect_share(814.0 - cores, at, dies) * enough_share(144.0, 12.0, cores / 144.0, at, dies)
    assert harvested == pytest.approx(0.69, abs=0.01)
    assert perfect_share(814.0, at, dies) == pytest.approx(0.42, abs=0.01)


@given(st.integers(0, 40), st.floats(0.0, 0.5), st.integers(0, 4), laws, st.floats(1.0, 10.0), st.floats(0.05, 1.0))
def test_more_spares_on_a_die_never_yield_less(cores: int, share: float, sites: int, name: float, alpha: float,
                                               density: float) -> None:
    base = cost_of(H100)
    assumptions = base._replace(die_yield=law(name, alpha), process=process(density))
    device = H100._replace(spare_cores=float(cores), spare_l2_share=share, spare_hbm_sites=float(sites))
    good = bill(device, 1.0, assumptions).die_yield
    for more in ({"spare_cores": cores + 1.0}, {"spare_l2_share": share * 1.3}, {"spare_hbm_sites": sites + 1.0}):
        assert bill(device._replace(**more), 1.0, assumptions).die_yield >= good * (1 - 1e-12)


def test_a_die_that_is_never_good_has_a_finite_price() -> None:
    hopeless = cost_of(H100)._replace(process=process(1e4), die_yield=law(POISSON))
    at = bill(H100, 1.0, hopeless)
    assert math.isfinite(at.die_usd)
    assert at.die_yield == 1e-9
