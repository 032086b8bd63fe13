"""The streamed front is that of the whole table, whatever the grid, objectives, blocks and interruptions."""

from __future__ import annotations

import numpy as np
import pytest
from grid.cases import BATCH, CORES, HBM_BANDWIDTH, L2, LINK, PIPELINE_PARALLEL, TENSOR_PARALLEL, base_row
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.grid import stream
from dse.grid.evaluate import evaluate
from dse.grid.front import Front, Objective, empty_front, merged, table
from dse.grid.grid import Axis, Grid
from dse.grid.pareto import pareto_mask
from dse.grid.stream import Progress, streamed_front
from dse.objective import Metrics

BEST = (Objective("tokens_per_s_per_usd", True),)
TWO = (Objective("throughput_tokens_per_s", True), Objective("group_usd"))
THREE = (Objective("ttft_s"), Objective("tpot_s"), Objective("device_usd"))
FOUR = (Objective("request_s"), Objective("tokens_per_j", True), Objective("die_mm2"), Objective("usd_per_hour"))
SLOTS = (L2, HBM_BANDWIDTH, LINK, CORES, TENSOR_PARALLEL, PIPELINE_PARALLEL, BATCH)
WHOLE = (CORES, TENSOR_PARALLEL, PIPELINE_PARALLEL, BATCH)


def grid_of(slots: tuple[int, ...], shape: tuple[int, ...]) -> Grid:
    base = base_row(technique="preserve")
    axes = [Axis(slot, tuple(float(number + 1) for number in range(count)) if slot in WHOLE else
                 tuple(base[slot] * factor for factor in np.linspace(0.2, 2.0, count).tolist()))
            for slot, count in zip(slots, shape, strict=True)]
    return Grid(base, tuple(axes))


def front_of_table(grid: Grid, objectives: tuple[Objective, ...]) -> tuple[list[int], int]:
    found = dict(zip(Metrics._fields, evaluate(grid, "compiled"), strict=True))
    values = np.array([-found[name] if maximise else found[name] for name, maximise in objectives])
    feasible = found["feasible"] > 0.0
    return np.flatnonzero(pareto_mask(values, feasible)).tolist(), int(feasible.sum())


@settings(max_examples=25)  # each compiles loops of its own
@given(st.permutations(SLOTS), st.lists(st.integers(1, 12), min_size=1, max_size=4),
       st.sampled_from((BEST, TWO, THREE, FOUR)))
def test_front_is_that_of_the_table(slots: list[int], shape: list[int], objectives: tuple[Objective, ...]) -> None:
    grid = grid_of(tuple(slots[:len(shape)]), tuple(shape))
    found = streamed_front(grid, objectives)
    assert (found.front.places.tolist(), found.feasible) == front_of_table(grid, objectives)
    assert found.designs == grid.size


@pytest.mark.parametrize("objectives", [BEST, TWO, THREE, FOUR])
@pytest.mark.parametrize("slots", [(L2, HBM_BANDWIDTH, LINK), (BATCH, TENSOR_PARALLEL, L2), (CORES, L2, BATCH)])
def test_many_blocks(slots: tuple[int, ...], objectives: tuple[Objective, ...],
                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BLOCK", 3000)
    grid = grid_of(slots, (9, 8, 1100))
    found = streamed_front(grid, objectives)
    assert (found.front.places.tolist(), found.feasible) == front_of_table(grid, objectives)


def test_values_are_those_of_the_designs() -> None:
    grid = grid_of((L2, HBM_BANDWIDTH, LINK), (20, 10, 9))
    front = streamed_front(grid, TWO).front
    found = evaluate(grid, "compiled")[:, front.places]
    assert front.values[0].tobytes() == (-found[Metrics._fields.index(TWO[0].metric)]).tobytes()
    assert front.values[1].tobytes() == found[Metrics._fields.index(TWO[1].metric)].tobytes()


def test_interrupted_anywhere_it_goes_on_to_the_same_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BLOCK", 1000)
    monkeypatch.setattr(stream, "TOLD_EVERY_S", 0.0)
    grid = grid_of((L2, HBM_BANDWIDTH, LINK), (9, 8, 110))
    whole = streamed_front(grid, THREE)
    told: list[Progress] = []

    def interrupting(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        streamed_front(grid, THREE, watch=interrupting)
    assert 0 < told[-1].designs < grid.size
    resumed = streamed_front(grid, THREE, told[-1])
    assert resumed.front.places.tolist() == whole.front.places.tolist()
    assert resumed.front.values.tobytes() == whole.front.values.tobytes()
    assert resumed[:3] == whole[:3]


@given(st.lists(st.tuples(*[st.integers(0, 5).map(float)] * 3), max_size=30), st.integers(0, 30))
def test_fronts_of_parts_merge_to_the_front_of_the_whole(points: list[tuple[float, ...]], cut: int) -> None:
    values = np.array(points).reshape(-1, 3).T
    places = np.arange(values.shape[1])
    none = empty_front(3)
    parts = [merged(none, Front(places[part], values[:, part])) for part in (slice(0, cut), slice(cut, None))]
    expected = np.flatnonzero(pareto_mask(values)).tolist()
    assert merged(parts[0], parts[1]).places.tolist() == expected
    assert merged(parts[1], parts[0]).places.tolist() == expected


def test_the_table_rules_out_nothing_that_is_not_beaten() -> None:
    draw = np.random.default_rng(3)
    values = draw.normal(size=(3, 400))
    front = merged(empty_front(3), Front(np.arange(400), values))
    cells, scales = table(front)
    assert np.isnan(cells[0]).all()
    assert np.isnan(cells[:, 0]).all()
    assert np.nanmin(cells) >= front.values[2].min()
    assert scales.shape == (2, 4)


@pytest.mark.parametrize("objectives", [(), TWO[:1] * 2, (*THREE, *TWO)])
def test_objectives_that_make_no_front(objectives: tuple[Objective, ...]) -> None:
    with pytest.raises(InputError, match="a Pareto front takes 1 to 4 different metrics"):
        streamed_front(grid_of((L2,), (3,)), objectives)


def test_an_unknown_objective() -> None:
    with pytest.raises(InputError, match="objective=speed is not allowed: choose one of ttft_s, "):
        streamed_front(grid_of((L2,), (3,)), (Objective("speed"), Objective("ttft_s")))
