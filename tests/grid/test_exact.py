"""The quickest way to the front, its share told, its progress on disk; and what keeps the loops from all lanes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from grid.cases import HBM_BANDWIDTH, L2, LINK, base_row

from dse.errors import InputError
from dse.grid import exact, stream
from dse.grid.checkpoint import load, save
from dse.grid.compiled import model_graph
from dse.grid.exact import exact_front
from dse.grid.front import Objective
from dse.grid.graph import Graph
from dse.grid.grid import Axis, Grid
from dse.grid.lanes import out_of_lanes
from dse.grid.reader import leaves, result
from dse.grid.stream import Progress, streamed_front

OBJECTIVES = (Objective("throughput_tokens_per_s", True), Objective("group_usd"))
IN_NO_LANES = ("dse.cost.die_yield.", "dse.cost.package.assembly_loss_usd")  # yields: exp, log1p, pow, and one loop


def grid_of(*shape: int) -> Grid:
    base = base_row(technique="preserve")
    return Grid(base, tuple(Axis(slot, tuple(base[slot] * factor for factor in np.linspace(0.2, 2.0, count).tolist()))
                            for slot, count in zip((L2, HBM_BANDWIDTH, LINK), shape, strict=True)))


def test_both_ways_have_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_of(40, 40, 40)
    shares: list[float] = []
    streamed = exact_front(grid, OBJECTIVES, shares.append)
    monkeypatch.setattr(exact, "FEWEST_BOUNDED", 0)
    bounded = exact_front(grid, OBJECTIVES, shares.append)
    assert streamed.front.places.tolist() == bounded.front.places.tolist()
    assert (streamed.evaluated, streamed.proved) == (grid.size, 0)
    assert bounded.evaluated < grid.size
    assert bounded.feasible is None
    assert shares[0] == 1.0
    assert shares[1:] == sorted(shares[1:])


def test_what_was_saved_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BLOCK", 1000)
    grid, path, told = grid_of(20, 20, 20), tmp_path / "progress.npz", list[Progress]()
    whole = streamed_front(grid, OBJECTIVES, watch=told.append)
    save(path, told[2], grid, OBJECTIVES)
    kept = load(path, grid, OBJECTIVES)
    assert kept is not None
    assert kept.blocks == 3
    resumed = streamed_front(grid, OBJECTIVES, kept)
    assert resumed.front.values.tobytes() == whole.front.values.tobytes()
    assert resumed[:3] == whole[:3]


def test_nothing_saved_is_no_progress(tmp_path: Path) -> None:
    assert load(tmp_path / "none.npz", grid_of(2, 2, 2), OBJECTIVES) is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"text"])
def test_what_is_no_progress_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "saved.npz").write_bytes(content)
    with pytest.raises(InputError, match="is no saved progress: remove it to start again"):
        load(tmp_path / "saved.npz", grid_of(2, 2, 2), OBJECTIVES)


def test_progress_of_another_run_is_refused(tmp_path: Path) -> None:
    path, grid = tmp_path / "saved.npz", grid_of(9, 9, 9)
    save(path, streamed_front(grid, OBJECTIVES), grid, OBJECTIVES)
    with pytest.raises(InputError, match="of another grid"):
        load(path, grid_of(9, 9, 8), OBJECTIVES)


def test_only_yields_leave_the_lanes() -> None:
    """Whatever else appears here turned vector code into calls, one design at a time; it is named."""
    graph, found = model_graph()
    slow = {function: operations for function, operations in out_of_lanes(graph, leaves(found)).items()
            if not function.startswith(IN_NO_LANES)}
    assert slow == {}


def stepwise(count: float) -> float:
    """A loop with a call inside."""
    total = 0.0
    while total * total < count:
        total = total + 1.0 / (1.0 + abs(total))
    return total


def test_a_function_that_leaves_the_lanes_is_named() -> None:
    graph = Graph()
    root = result(graph, stepwise, (graph.input(0),))
    assert out_of_lanes(graph, [root]) == {f"{stepwise.__module__}.stepwise": ["while"]}
