"""Dies per wafer: a hand-worked die, A100's published count, monotony."""

from __future__ import annotations

import math

import pytest
from cost.chips import A100, cost_of
from hypothesis import given
from hypothesis import strategies as st

from dse.cost.wafer import dies_per_wafer, good_die_usd, long_edge_mm

DIES = cost_of(A100).die_yield


def test_a100_has_57_dies_on_a_wafer() -> None:
    # 826 mm2 of aspect 1.27: 32.39 x 25.50 mm, with the scribe 32.59 x 25.70 = 837.6 mm2;
    # pi 145^2 / 837.6 = 78.86, 2 pi 145 / sqrt(1675.2) = 22.26.
    assert dies_per_wafer(826.0, DIES) == pytest.approx(78.86 - 22.26, abs=0.02)
    assert dies_per_wafer(826.0, DIES) == pytest.approx(57.0, abs=1.0)


def test_a_square_of_a_square_centimetre() -> None:
    # 10.2 x 10.2 = 104.04 mm2: 66051.99 / 104.04 = 634.87; 911.06 / sqrt(208.08) = 63.16.
    assert dies_per_wafer(100.0, DIES._replace(aspect=1.0)) == pytest.approx(634.87 - 63.16, abs=0.01)


def test_a_die_of_the_whole_reticle_has_its_sides() -> None:
    assert long_edge_mm(858.0, DIES._replace(aspect=33.0 / 26.0)) == pytest.approx(33.0, rel=1e-12)


def test_a_die_larger_than_the_wafer_counts_as_one() -> None:
    assert dies_per_wafer(60000.0, DIES) == 1.0


def test_good_die_by_hand() -> None:
    # 10,000 USD over 57 dies of which 73 % are good: 240.33; 1 % of test: 242.73.
    assert good_die_usd(10000.0, 57.0, 0.73, 0.01) == pytest.approx(242.73, abs=0.01)


@given(st.floats(1.0, 20000.0), st.floats(1.0, 3.0))
def test_a_larger_die_never_has_more_on_a_wafer(area: float, factor: float) -> None:
    count = dies_per_wafer(area, DIES)
    assert math.isfinite(count)
    assert 1.0 <= dies_per_wafer(area * factor, DIES) <= count
