"""Fronts of many points: slabs, walks and staircases, each made so small that few points meet all that many would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest
from grid.fronts import brute_force, points
from hypothesis import given
from hypothesis import strategies as st

from dse.grid import pairs, slabs, staircase, triples
from dse.grid.pareto import compiled_mask, lexicographic_order

Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
LOOPS = {slabs: ("packed", "tied"), pairs: ("walked",), staircase: ("swept", "moved")}


@contextmanager
def small() -> Iterator[pytest.MonkeyPatch]:
    """Slabs of 16 points, little room for those that tie, and staircases that begin with two buckets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slabs, "SLAB", 16)
        patch.setattr(slabs, "FEW_TIES", 2)
        for module in (staircase, triples):
            patch.setattr(module, "FEWEST", 2)
        yield patch


def feasible_ones(count: int, draw: st.RandomsT) -> Mask:
    return np.array([draw.random() < 0.8 for _ in range(count)], dtype=bool)


@given(points(2, 3), st.randoms(use_true_random=False))
def test_compiled_fronts_are_those_of_brute_force(objectives: Points, draw: st.RandomsT) -> None:
    everyone, some = np.ones(objectives.shape[1], dtype=bool), feasible_ones(objectives.shape[1], draw)
    with small():
        assert compiled_mask(objectives).tolist() == brute_force(objectives, everyone)
        assert compiled_mask(objectives, some).tolist() == brute_force(objectives, some)


@given(points(2, 3), st.randoms(use_true_random=False))
def test_loops_do_in_plain_python_what_they_do_compiled(objectives: Points, draw: st.RandomsT) -> None:
    feasible = feasible_ones(objectives.shape[1], draw)
    with small() as patch:
        expected = compiled_mask(objectives, feasible).tolist()
        for module, names in LOOPS.items():
            for name in names:
                patch.setattr(module, f"_{name}", getattr(module, name))
        with np.errstate(all="ignore"):
            assert compiled_mask(objectives, feasible).tolist() == expected


@pytest.mark.parametrize("slab", [100, slabs.SLAB])
@pytest.mark.parametrize("spare", [0.5, 1.1])
@pytest.mark.parametrize("levels", [1, 30, 10**9])
def test_slabs_are_in_lexicographic_order(slab: int, spare: float, levels: int,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a slab is larger than a sample lets expect, and where all points have the same first objective."""
    monkeypatch.setattr(slabs, "SLAB", slab)
    monkeypatch.setattr(slabs, "SPARE", spare)
    values = np.random.default_rng(0).integers(0, levels, (3, 1000)) - 1.0
    found = []
    for one in slabs.slabs(list(values), None):
        found.append(one.words[:one.size] & one.mask)
        assert not one.words[one.size:one.size + slabs.AHEAD].any()  # places that may be looked up ahead
    places = np.concatenate(found)
    assert places.tolist() == lexicographic_order(values).tolist()


@pytest.mark.parametrize("count", [2, 3])
def test_objectives_with_few_different_numbers_come_last(count: int) -> None:
    """Fewer points then tie; of equal ones the first is still the one that is in."""
    draw = np.random.default_rng(7)
    values = np.stack([np.ones(4000), np.round(draw.random(4000), 1), draw.integers(0, 900, 4000)])[3 - count:]
    rows = slabs.varied_first(values)
    assert [row[:9].tolist() for row in rows] == [row[:9].tolist() for row in values[::-1]]
    assert compiled_mask(values[:, :400]).tolist() == brute_force(values[:, :400], np.ones(400, dtype=bool))


@pytest.mark.parametrize("levels", [1, 3, 50, 4000, 10**6])
@pytest.mark.parametrize("fewest", [2, 2**10])
def test_a_long_staircase_is_what_moocore_finds(levels: int, fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels shared by many points, and staircases that become hundreds of times as wide as they were."""
    import moocore

    for module in (staircase, triples):
        monkeypatch.setattr(module, "FEWEST", fewest)
    draw = np.random.default_rng(levels)
    values = draw.normal(size=(3, 100_000))
    values /= -np.linalg.norm(values, axis=0) * np.sign(values)
    values[1] = np.round(values[1] * levels) / levels
    assert (compiled_mask(values) == moocore.is_nondominated(values.T)).all()


def clusters(count: int, number: int) -> Points:
    """As many different numbers, all of them close to one of a few."""
    return np.arange(count) % number + 1e-9 * np.arange(count) / count


@pytest.mark.parametrize("order", ["rising", "falling", "mixed"])
@pytest.mark.parametrize("spread", ["even", "clusters", "decades"])
def test_a_staircase_of_all_points(order: str, spread: str) -> None:
    """Every point is a step, whether seconds rise, fall or alternate along the first objective."""
    draw, count = np.random.default_rng(1), 20_000
    second = {"even": draw.random(count), "clusters": clusters(count, 3),
              "decades": np.exp(40.0 * draw.normal(size=count))}[spread]
    first = {"rising": second, "falling": -second, "mixed": draw.random(count)}[order]
    assert compiled_mask(np.stack([first, second, -second])).all()


def test_a_staircase_that_becomes_much_wider_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many buckets then part two steps that shared the highest; what comes between is beaten by the lower step."""
    for module in (staircase, triples):
        monkeypatch.setattr(module, "FEWEST", 16)
    close = 0.5 + np.linspace(0.0, 2.0**-9, 70)  # more than a bucket takes while there are fewer than 1024
    steps = np.concatenate([[[0.0, 0.94, 1.0], [5.0, 1.0, 0.5]], [close, 4.0 - close]], axis=1)
    between = np.stack([np.linspace(0.941, 0.999, 50), np.full(50, 1.5)])
    even = np.stack([np.linspace(0.0, 1.0, 5000), np.full(5000, 100.0)])
    others = np.concatenate([steps, between, even], axis=1)
    values = np.concatenate([np.arange(others.shape[1])[None], others])
    assert np.flatnonzero(compiled_mask(values)).tolist() == list(range(73))


@pytest.mark.parametrize("reason", ["a sample shows it", "buckets become too long", "none"])
def test_ranks_stand_in_for_what_is_unevenly_spread(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, count, ranked = np.random.default_rng(2), 5_000, list[int]()
    second = {"a sample shows it": draw.random(count)**20, "buckets become too long": clusters(count, 20),
              "none": draw.random(count)}[reason]

    def ranks(values: Points) -> Points:
        ranked.append(len(values))
        return np.argsort(np.argsort(values)).astype(float)

    monkeypatch.setattr(triples, "_ranks", ranks)
    assert compiled_mask(np.stack([draw.random(count), second, -second])).all()
    assert ranked == ([] if reason == "none" else [count])


@pytest.mark.parametrize("width", [5e-324, 1e-308, 1e-305, 1e308])
def test_second_objectives_next_to_each_other_or_as_far_apart_as_numbers_go(width: float) -> None:
    """Buckets between them would have a width of nothing, or more than a number can have."""
    draw = np.random.default_rng(6)
    levels = draw.integers(-1, 2, 3000).astype(float)
    values = np.stack([draw.random(3000), levels, draw.random(3000)])
    expected = compiled_mask(values)
    values[1] = levels * width
    assert (compiled_mask(values) == expected).all()
    assert expected.any()


def test_ranks_by_hand() -> None:
    values = np.array([3.0, -np.inf, 3.0, np.nan, 0.0, -0.0, np.inf])
    assert triples._ranks(values).tolist()[:3] == [2.0, 0.0, 2.0]
    assert np.isnan(triples._ranks(values)[3])
    assert triples._ranks(values).tolist()[4:] == [1.0, 1.0, 3.0]


def test_by_hand() -> None:
    # both zeros are equal: (0, 3) beats (-0, 5), and the later (-0, 3) is its equal
    assert compiled_mask(np.array([[-0.0, 0.0, -0.0], [5.0, 3.0, 3.0]])).tolist() == [False, True, False]
    # the first in order is in, however large its second objective is; NaN beats nothing
    assert compiled_mask(np.array([[2.0, 1.0, 1.0], [np.inf, np.inf, np.nan]])).tolist() == [False, True, False]
    # (1, 2, 2) beats (2, 2, 3), not (1, 3, 1) or (3, 1, 9)
    assert compiled_mask(np.array([[2.0, 1.0, 1.0, 3.0], [2.0, 2.0, 3.0, 1.0], [3.0, 2.0, 1.0, 9.0]])).tolist() == [
        False, True, True, True]


def test_rows_that_do_not_follow_each_other() -> None:
    values = np.random.default_rng(3).random((3, 3000))
    assert compiled_mask(np.asfortranarray(values)).tolist() == compiled_mask(values).tolist()
    assert compiled_mask(values[:, ::2]).tolist() == compiled_mask(values[:, ::2].copy()).tolist()
    feasible = np.arange(3000) % 3 > 0
    assert compiled_mask(values[:2, ::2], feasible[::2]).tolist() == compiled_mask(
        values[:2, ::2].copy(), feasible[::2].copy()).tolist()
