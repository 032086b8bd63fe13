"""Dollars per hour and per million tokens."""

from __future__ import annotations

import pytest
from cost.chips import H100, cost_of
from hypothesis import given
from hypothesis import strategies as st

from dse.cost.ownership import usd_per_hour, usd_per_million_tokens

BASE = cost_of(H100).ownership


def test_an_hour_by_hand() -> None:
    # 70,080 USD over 4 x 8,760 h = 2.00; 5 % a year = 0.40; 10 kW: 1.327 x 10,000 / 8,760 = 1.5148;
    # 10 kW x 1.5 x 0.0806 = 1.209 USD/h of electricity.
    assert usd_per_hour(70080.0, 10000.0, BASE) == pytest.approx(2.0 + 0.4 + 1.5148 + 1.209, abs=1e-4)


def test_idle_hours_are_paid_but_draw_nothing() -> None:
    half = BASE._replace(utilisation=0.5)
    assert usd_per_hour(70080.0, 10000.0, half) == pytest.approx(2 * (2.0 + 0.4 + 1.5148) + 1.209, abs=2e-4)


def test_a_buyer_pays_a_price_rather_than_the_cost() -> None:
    bought = BASE._replace(price_over_cost=10.0)
    assert usd_per_hour(70080.0, 0.0, bought) == pytest.approx(24.0)


def test_a_million_tokens_by_hand() -> None:
    # 3.6 USD an hour at 1,000 token/s: 3.6 million tokens an hour.
    assert usd_per_million_tokens(3.6, 1000.0) == pytest.approx(1.0)


@given(st.floats(1.0, 1e7), st.floats(0.0, 1e6), st.floats(1.0, 3.0))
def test_dearer_or_hungrier_is_never_cheaper(group: float, power: float, factor: float) -> None:
    hour = usd_per_hour(group, power, BASE)
    assert usd_per_hour(group * factor, power, BASE) >= hour
    assert usd_per_hour(group, power * factor, BASE) >= hour
