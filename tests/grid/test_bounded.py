"""Branch and bound finds the front of the whole grid, bit for bit, and evaluates a small part of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from grid.cases import (
    BATCH,
    CORES,
    HBM,
    HBM_BANDWIDTH,
    L2,
    LINK,
    PIPELINE_PARALLEL,
    SLOTS,
    TENSOR_PARALLEL,
    base_row,
)

from dse.grid import bounded
from dse.grid.bounded import Bounded, _Search, bounded_front
from dse.grid.boxes import Boxes
from dse.grid.front import Front, Objective, empty_front, merged
from dse.grid.grid import Axis, Grid
from dse.grid.stream import streamed_front

BEST = (Objective("tokens_per_s_per_usd", True),)
LEAST = (Objective("device_usd"),)  # the same for many designs: the first of them
AREA = (Objective("die_mm2", True), Objective("device_usd"))
COSTS = (Objective("throughput_tokens_per_s", True), Objective("group_usd"))
TIMES = (Objective("ttft_s"), Objective("tpot_s"), Objective("device_usd"))
ENERGY = (Objective("request_s"), Objective("tokens_per_j", True), Objective("die_mm2"), Objective("usd_per_hour"))
SPARE_CORES = SLOTS["setting.device.spare_cores"]
NUMBERS = (math.nan, 0.0, -0.0, 1.0, 2.0, 3.0, 4.5, -1.0, math.inf)
WHOLE = (CORES, SPARE_CORES, TENSOR_PARALLEL, PIPELINE_PARALLEL, BATCH)


def grid_of(technique: str, slots: tuple[int, ...], shape: tuple[int, ...]) -> Grid:
    base = base_row(technique=technique)
    axes = [Axis(slot, tuple(float(number + 1) for number in range(count)) if slot in WHOLE else
                 tuple(base[slot] * factor for factor in np.linspace(2.0, 0.2, count).tolist()))
            for slot, count in zip(slots, shape, strict=True)]
    return Grid(base, tuple(axes))


@pytest.mark.parametrize("objectives", [BEST, LEAST, COSTS, TIMES, ENERGY])
@pytest.mark.parametrize("technique", ["none", "preserve"])
@pytest.mark.parametrize(("slots", "shape"), [
    ((L2, HBM_BANDWIDTH, LINK), (40, 30, 50)), ((TENSOR_PARALLEL, L2, BATCH, CORES), (8, 21, 16, 12)),
    ((HBM, PIPELINE_PARALLEL, HBM_BANDWIDTH, L2), (33, 4, 16, 20)), ((L2,), (30000,))])
def test_front_is_that_of_the_whole_grid(slots: tuple[int, ...], shape: tuple[int, ...], technique: str,
                                         objectives: tuple[Objective, ...]) -> None:
    grid = grid_of(technique, slots, shape)
    found, whole = bounded_front(grid, objectives), streamed_front(grid, objectives).front
    assert found.front.places.tolist() == whole.places.tolist()
    assert found.front.values.tobytes() == whole.values.tobytes()


@pytest.mark.parametrize(("endless", "objectives"), [
    ((HBM,), BEST), ((HBM,), TIMES), ((L2, BATCH), ENERGY), ((SPARE_CORES,), COSTS), ((LINK, HBM_BANDWIDTH), LEAST),
    ((LINK, HBM_BANDWIDTH), AREA)])
def test_values_without_end_lose_no_design(endless: tuple[int, ...], objectives: tuple[Objective, ...],
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds of boxes that reach to infinity are often no numbers, nor are some metrics of what lies there."""
    monkeypatch.setattr(bounded, "FEWEST_BOUNDED", 0)
    finite = grid_of("preserve", (*endless, L2 if L2 not in endless else HBM), (*[9] * len(endless), 60))
    grid = Grid(finite.base, tuple(Axis(axis.index, (*axis.values, math.inf)) for axis in finite.axes))
    found, whole = bounded_front(grid, objectives), streamed_front(grid, objectives).front
    assert found.front.places.tolist() == whole.places.tolist()
    assert found.front.values.tobytes() == whole.values.tobytes()


def test_a_bound_that_is_no_number_beats_nothing() -> None:
    """The most HBM costs without end: its bounds are (NaN, throughput), which stand behind all others when sorted."""
    base = base_row(technique="preserve")
    axes = [Axis(slot, tuple((base[slot] * np.linspace(0.2, 2.0, count)).tolist()) + more)
            for slot, count, more in ((HBM, 39, (math.inf,)), (L2, 500, ()))]
    grid, objectives = Grid(base, tuple(axes)), COSTS[::-1]
    found, whole = bounded_front(grid, objectives), streamed_front(grid, objectives).front
    assert found.front.places.tolist() == whole.places.tolist()
    assert len(whole.places) == 500


@pytest.mark.parametrize("count", [1, 2, 3])
def test_only_what_the_front_beats_is_ruled_out(count: int) -> None:
    """Fronts and bounds of a few numbers, infinities and none among them; the boxes stand behind the whole front."""
    draw, search = np.random.default_rng(count), _Search(grid_of("none", (L2,), (60,)), TIMES[:count], None)
    for _ in range(50):
        points, lows = draw.choice(NUMBERS[1:], (count, 30)), draw.choice(NUMBERS, (count, 40))
        search.take(merged(empty_front(count), Front(np.arange(30), points)))
        last = np.zeros((1, 40), dtype=np.int64)  # the axis falls: the first of its sorted values is the last place
        beaten = search.beaten(lows, Boxes(last, last))
        better = (search.front.values[:, :, None] <= lows[:, None, :]).all(axis=0).any(axis=0)
        assert not (beaten & ~better).any()
        assert beaten.any()


def test_few_designs_of_a_large_grid_are_evaluated() -> None:
    grid = grid_of("preserve", (L2, HBM_BANDWIDTH, LINK, CORES), (128, 64, 64, 48))
    found = bounded_front(grid, COSTS)
    assert found.settled == grid.size == math.prod((128, 64, 64, 48))
    assert found.evaluated < grid.size / 50
    assert found.boxes < grid.size / 50


def test_progress_is_told() -> None:
    told: list[Bounded] = []
    grid = grid_of("none", (L2, HBM_BANDWIDTH, LINK), (40, 30, 50))
    found = bounded_front(grid, COSTS, told.append)
    assert told[-1].evaluated == found.evaluated
    assert [one.boxes for one in told] == sorted(one.boxes for one in told)


def test_designs_that_do_the_same_are_represented_by_the_first() -> None:
    grid = grid_of("none", (HBM, LINK, L2), (9, 50, 60))
    same = Grid(grid.base, (Axis(TENSOR_PARALLEL, (1.0,)), *grid.axes))  # one device: no link is used
    found, whole = bounded_front(same, TIMES), streamed_front(same, TIMES).front
    assert found.front.places.tolist() == whole.places.tolist()


def test_a_small_grid_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_of("preserve", (L2, LINK), (20, 30))
    assert bounded_front(grid, COSTS).evaluated == 600
    small = bounded_front(grid, COSTS).front.places.tolist()
    monkeypatch.setattr(bounded, "FEWEST_BOUNDED", 0)
    assert bounded_front(grid, COSTS).front.places.tolist() == small


@pytest.mark.parametrize("objectives", [BEST, COSTS, TIMES])
def test_interrupted_anywhere_it_goes_on_to_the_same_front(objectives: tuple[Objective, ...],
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "CHUNK", 64)
    grid = grid_of("preserve", (L2, HBM_BANDWIDTH, LINK, CORES), (40, 20, 30, 16))
    told: list[Bounded] = []
    whole = bounded_front(grid, objectives, told.append)
    shares = [1.0 - sum(one.left) for one in told]
    assert np.diff(shares).min() > -1e-12
    assert shares[-1] == 1.0
    for state in told[1::max(1, len(told) // 7)]:
        resumed = bounded_front(grid, objectives, start=state)
        assert resumed.front.places.tolist() == whole.front.places.tolist()
        assert resumed.front.values.tobytes() == whole.front.values.tobytes()
        assert resumed[1:4] == whole[1:4]


def test_it_gives_up_where_boxes_are_too_many() -> None:
    found = bounded_front(grid_of("none", (L2, HBM_BANDWIDTH, LINK), (40, 30, 50)), TIMES, most_boxes=20)
    assert found.open
    assert found.settled + sum(int(boxes.designs().sum()) for boxes in found.open) == 40 * 30 * 50
