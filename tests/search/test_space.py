"""Domains and spaces: values, sizes, conditions."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.search.exact_steps import around, farthest, spread
from dse.search.space import Choice, Dimension, Interval, Space, point_key

TECHNIQUES = Choice(("none", "preserve"))
CONDITIONAL = Space((
    Dimension("technique", TECHNIQUES),
    Dimension("technique.limit_mib", Interval(1, 4, integer=True), {"technique": ("preserve",)}),
    Dimension("hardware.hbm_gb", Choice((32, 64, 96))),
))
DOMAINS = (Interval(8, 256), Interval(8, 256, log=True), Interval(1, 64, integer=True),
           Interval(1, 64, log=True, integer=True), Interval(8, 250, step=8), Interval(0.1, 0.9, step=0.1),
           Choice((1, 2, 4, 8)), Choice((True, False)))


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@given(share=st.floats(0.0, 1.0))
def test_a_share_gives_a_value_of_the_domain(domain: Interval | Choice, share: float) -> None:
    value = domain.at(share)
    assert domain.nearest(value) == value
    if isinstance(domain, Interval):
        assert domain.low <= value <= domain.high
    else:
        assert value in domain.choices


@pytest.mark.parametrize(("domain", "size"), [
    (Interval(8, 256), math.inf), (Interval(1, 64, integer=True), 64), (Interval(8, 250, step=8), 31),
    (Interval(0.1, 0.9, step=0.1), 9), (Choice((1, 2, 4, 8)), 4)])
def test_size_counts_the_values(domain: Interval | Choice, size: float) -> None:
    assert domain.size == size
    if math.isfinite(size):
        assert len(domain.values(1000)) == size
        assert len({domain.at(place / 10_000) for place in range(10_001)}) == size


def test_few_values_keep_both_ends() -> None:
    assert Interval(8, 128, log=True).values(5) == pytest.approx([8, 16, 32, 64, 128])
    assert Interval(1, 101, integer=True).values(3) == [1, 51, 101]
    assert Choice((1, 2, 4, 8, 16)).values(3) == [1, 4, 16]


def test_nearest_keeps_to_the_steps() -> None:
    assert Interval(8, 64, step=8).nearest(27) == 24
    assert Interval(8, 64, step=8).nearest(1000) == 64
    assert Choice((1, 2, 4)).nearest(3.4) == 4
    assert Choice((1, 2)).nearest(2.0) == 2
    assert isinstance(Choice((1, 2)).nearest(2.0), int)


def test_a_conditional_dimension_is_there_under_its_condition_alone() -> None:
    # none: 3 capacities; preserve: 4 limits x 3 capacities
    assert CONDITIONAL.size == 3 + 4 * 3
    points = list(CONDITIONAL.points())
    assert len({point_key(point) for point in points}) == 15
    assert all(("technique.limit_mib" in point) == (point["technique"] == "preserve") for point in points)
    assert all(CONDITIONAL.holds(point) for point in points)
    assert not CONDITIONAL.holds({"technique": "none", "technique.limit_mib": 2, "hardware.hbm_gb": 32})
    assert CONDITIONAL.nearest({"technique": "preserve", "hardware.hbm_gb": 70, "technique.limit_mib": None}) == {
        "technique": "preserve", "technique.limit_mib": 3, "hardware.hbm_gb": 64}


@pytest.mark.parametrize(("make", "words"), [
    (lambda: Interval(8, 4), "lower and upper end"),
    (lambda: Interval(-1, 4, log=True), "positive"),
    (lambda: Interval(8, 64, log=True, step=8), "no step"),
    (lambda: Choice(()), "at least one"),
    (lambda: Choice((1, 1)), "once"),
    (lambda: Space(()), "empty"),
    (lambda: Space((Dimension("a", Interval(0, 1), {"b": (1,)}),)), "depends on b"),
])
def test_what_is_impossible_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


@pytest.mark.parametrize("domain", DOMAINS[:7], ids=str)
@given(share=st.floats(0.0, 1.0), radius=st.sampled_from((1.0, 0.15, 0.006)))
def test_a_sweep_holds_its_centre_and_stays_inside(domain: Interval | Choice, share: float, radius: float) -> None:
    centre = domain.at(share)
    values = around(domain, centre, radius).tolist()
    assert float(centre) in values
    assert all(domain.nearest(value) == pytest.approx(value, rel=1e-9) for value in values)


def test_spread_is_the_scale_of_the_domain() -> None:
    import numpy as np

    assert spread(Interval(8, 128, log=True), np.array([0.0, 0.25, 1.0])) == pytest.approx([8, 16, 128])
    assert spread(Interval(8, 64, step=8), np.array([0.0, 0.5, 1.0])).tolist() == [8, 40, 64]


def test_farthest_takes_the_ends_and_then_the_middle() -> None:
    import numpy as np

    front = np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0, 0.0]])
    assert farthest(front, front[:, [0]], 2) == [4, 2]
