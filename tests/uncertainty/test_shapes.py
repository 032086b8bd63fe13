"""Shapes of intervals: quantiles worked by hand, supports, and which scale a constant varies on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.constants import Constant
from dse.errors import InputError
from dse.fields import Field
from dse.uncertainty.intervals import Interval, form
from dse.uncertainty.shapes import COUNTED, LINEAR, LOGARITHMIC, SHAPES, checked_shape, quantiles, values


def interval(low: float, base: float, high: float, kind: str = LINEAR) -> Interval:
    return Interval("cost.x.y", "cost.x.y", low, base, high, kind, 0, 1.0)


def constant(low: float, high: float, unit: str = "us") -> Constant:
    return Constant(low, low, high, unit, "2026", "estimate", "a source")


def test_quantiles_of_a_triangle_worked_by_hand() -> None:
    # On 0 to 10 with mode 2: F(x) = x^2 / (10 * 2) up to 2, where it is 0.2, then 1 - (10 - x)^2 / (10 * 8).
    # F(1) = 1 / 20 = 0.05; F(6) = 1 - 16 / 80 = 0.8.
    found = quantiles("triangular", 0.0, 2.0, 10.0, np.array([0.0, 0.05, 0.2, 0.8, 1.0]))
    np.testing.assert_allclose(found, [0.0, 1.0, 2.0, 6.0, 10.0], atol=1e-12)


def test_a_one_sided_triangle_has_its_mode_at_an_end() -> None:
    # Mode at the low end 0 of 0 to 1: F(x) = 1 - (1 - x)^2, so F(0.5) = 0.75. At the high end: F(0.5) = 0.25.
    assert quantiles("triangular", 0.0, 0.0, 1.0, np.array([0.75]))[0] == pytest.approx(0.5)
    assert quantiles("triangular", 0.0, 1.0, 1.0, np.array([0.25]))[0] == pytest.approx(0.5)


def test_mean_of_a_pert_is_low_and_four_modes_and_high_over_six() -> None:
    shares = (np.arange(100_000) + 0.5) / 100_000
    # (1 + 4 * 3 + 9) / 6 = 22 / 6
    assert quantiles("pert", 1.0, 3.0, 9.0, shares).mean() == pytest.approx(22.0 / 6.0, rel=1e-6)


def test_a_wide_quantity_varies_by_its_order_of_magnitude() -> None:
    # Base the geometric mean of the ends: half of the draws lie below it. 0.01, 0.1, 1.
    wide = interval(0.01, 0.1, 1.0, LOGARITHMIC)
    assert values(wide, np.array([0.5]), "triangular")[0] == pytest.approx(0.1)
    # A quarter of the way along the logarithm is below 0.0316 with 1/2 * (1/2)^2 = 1/8 of the draws.
    assert values(wide, np.array([0.125]), "triangular")[0] == pytest.approx(0.1 / np.sqrt(10.0))


def test_a_count_takes_one_of_its_three_values() -> None:
    found = values(interval(16.0, 32.0, 64.0, COUNTED), np.array([0.0, 0.2, 0.25, 0.5, 0.75, 0.8, 1.0]), "triangular")
    assert found.tolist() == [16.0, 16.0, 32.0, 32.0, 32.0, 64.0, 64.0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [LINEAR, LOGARITHMIC, COUNTED])
@given(st.lists(st.floats(0.001, 1000.0), min_size=3, max_size=3).map(sorted),
       st.lists(st.integers(0, 2**30).map(lambda part: part / 2**30), min_size=1, max_size=20).map(sorted))
def test_draws_stay_within_the_interval_in_order_and_reach_its_ends(shape: str, kind: str, ends: list[float],
                                                                    shares: list[float]) -> None:
    found = values(interval(*ends, kind), np.array([0.0, *shares, 1.0]), shape)
    assert found[0] == pytest.approx(ends[0], rel=1e-12)
    assert found[-1] == pytest.approx(ends[2], rel=1e-12)
    assert ((ends[0] <= found) & (found <= ends[2])).all()
    assert (np.diff(found) >= -1e-9 * ends[2]).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [LINEAR, LOGARITHMIC, COUNTED])
def test_no_share_means_base_to_the_last_bit(shape: str, kind: str) -> None:
    assert values(interval(0.1, 0.3, 7.7, kind), np.array([np.nan]), shape)[0] == 0.3


def test_the_scale_follows_from_field_and_interval() -> None:
    time, share = Field("y", "y", "a time"), Field("y", "y", "a share", maximum=1.0)
    assert form(time, constant(1.0, 4.0)) == LINEAR
    assert form(time, constant(1.0, 4.1)) == LOGARITHMIC
    assert form(time, constant(0.0, 4.1)) == LINEAR
    assert form(share, constant(0.01, 0.9, "share")) == LINEAR
    assert form(time, constant(16.0, 64.0, "slices")) == COUNTED


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"uncertainty\.shape=normal is not allowed: choose one of triangular"):
        checked_shape("normal")
