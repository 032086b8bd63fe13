"""The quickest way to the front, its share told and its progress on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from grid.cases import HBM_BANDWIDTH, L2, LINK, base_row

from dse.errors import InputError
from dse.grid import bounded, exact, stream
from dse.grid.bounded import Bounded
from dse.grid.boxes import Boxes
from dse.grid.checkpoint import Finished, Kept, identity, load, save
from dse.grid.estimate import coarser, estimated_s
from dse.grid.exact import State, exact_front
from dse.grid.front import Front, Objective
from dse.grid.grid import Axis, Grid

OBJECTIVES = (Objective("throughput_tokens_per_s", True), Objective("group_usd"))


def grid_of(*shape: int) -> Grid:
    base = base_row(technique="preserve")
    return Grid(base, tuple(Axis(slot, tuple(base[slot] * factor for factor in np.linspace(0.2, 2.0, count).tolist()))
                            for slot, count in zip((L2, HBM_BANDWIDTH, LINK), shape, strict=True)))


def test_both_ways_have_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_of(40, 40, 40)
    shares: list[float] = []
    streamed = exact_front(grid, OBJECTIVES, shares.append)
    monkeypatch.setattr(exact, "FEWEST_BOUNDED", 0)
    monkeypatch.setattr(exact, "DESIGNS_OF_A_BOX", 1)
    found = exact_front(grid, OBJECTIVES, shares.append)
    assert streamed.front.places.tolist() == found.front.places.tolist()
    assert (streamed.evaluated, streamed.proved) == (grid.size, 0)
    assert found.evaluated < grid.size
    assert found.feasible is None
    assert shares[0] == shares[-1] == 1.0
    assert np.diff(shares[1:]).min() > -1e-12


def test_where_boxes_cost_too_much_all_designs_are_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_of(40, 40, 40)
    streamed = exact_front(grid, OBJECTIVES)
    monkeypatch.setattr(exact, "FEWEST_BOUNDED", 0)
    monkeypatch.setattr(exact, "DESIGNS_OF_A_BOX", 10_000)
    given_up = exact_front(grid, OBJECTIVES)
    assert given_up.front.places.tolist() == streamed.front.places.tolist()
    assert given_up[1:] == streamed[1:]


@pytest.mark.parametrize("fewest_bounded", [0, 10**9])
def test_what_was_saved_goes_on(fewest_bounded: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BLOCK", 1000)
    monkeypatch.setattr(stream, "TOLD_EVERY_S", 0.0)
    monkeypatch.setattr(bounded, "CHUNK", 64)
    monkeypatch.setattr(exact, "FEWEST_BOUNDED", fewest_bounded)
    monkeypatch.setattr(exact, "DESIGNS_OF_A_BOX", 1)
    grid, path, told = grid_of(32, 32, 32), tmp_path / "progress.npz", list[State]()
    whole = exact_front(grid, OBJECTIVES, keep=told.append)
    name = identity([grid], [OBJECTIVES])
    finished = (Finished(np.array([3, 5]), 40), Finished(np.empty(0, dtype=np.int64), 1), Finished(np.array([9]), 2))
    save(path, Kept(finished, told[2]), name)
    kept = load(path, name)
    assert kept is not None
    assert [(one.places.tolist(), one.evaluated) for one in kept.finished] == [([3, 5], 40), ([], 1), ([9], 2)]
    assert kept.now is not None
    assert kept.now[:3] == told[2][:3] if fewest_bounded else kept.now[1:4] == told[2][1:4]
    resumed = exact_front(grid, OBJECTIVES, start=kept.now)
    assert resumed.front.values.tobytes() == whole.front.values.tobytes()
    assert resumed[1:] == whole[1:]


def test_boxes_are_saved_as_they_are(tmp_path: Path) -> None:
    low = np.array([[0, 3], [1, 1]])
    state = Bounded(Front(np.array([4]), np.array([[1.5], [-0.0]])), 7, 8, 9,
                    (Boxes(low, low + 2), Boxes(low[:, :1], low[:, :1])), (0.25, 0.5))
    save(tmp_path / "saved.npz", Kept((), state), "name")
    kept = load(tmp_path / "saved.npz", "name")
    assert kept is not None
    assert kept.finished == ()
    assert repr(kept.now) == repr(state)


def test_nothing_saved_is_no_progress(tmp_path: Path) -> None:
    assert load(tmp_path / "none.npz", "name") is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"text"])
def test_what_is_no_progress_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "saved.npz").write_bytes(content)
    with pytest.raises(InputError, match="is no saved progress: remove it to start again"):
        load(tmp_path / "saved.npz", "name")


def test_progress_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "saved.npz"
    names = {identity([grid], [wanted]) for grid in (grid_of(9, 9, 9), grid_of(9, 9, 8), grid_of(9, 8, 9))
             for wanted in (OBJECTIVES, OBJECTIVES[:1])}
    assert len(names) == 6
    save(path, Kept(), names.pop())
    with pytest.raises(InputError, match="of another sweep"):
        load(path, names.pop())


def test_a_coarser_grid_spans_the_same_ranges() -> None:
    grid = grid_of(400, 3, 90)
    thinned = coarser(grid, 2000)
    assert thinned.size <= 2000
    assert thinned.shape[1] == 3
    for one, whole in zip(thinned.axes, grid.axes, strict=True):
        assert (one.values[0], one.values[-1]) == (whole.values[0], whole.values[-1])
        assert set(one.values) <= set(whole.values)


def test_the_estimate_grows_with_the_grid() -> None:
    base = base_row(technique="preserve")
    axes = tuple(Axis(slot, tuple(np.linspace(0.2 * base[slot], 2.0 * base[slot], 100_000).tolist()))
                 for slot in (L2, HBM_BANDWIDTH, LINK))
    small, large = estimated_s(grid_of(16, 16, 16), OBJECTIVES), estimated_s(Grid(base, axes), OBJECTIVES)
    assert 0.0 < small < 0.1 < large
