"""What is kept of a run that several processes are on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from grid.cases import L2, base_row

from dse.cli.resumed import ResumedRun
from dse.grid.checkpoint import Finished, load
from dse.grid.front import Front, Objective
from dse.grid.grid import Axis, Grid
from dse.grid.stream import Progress

GRID = Grid(base_row(), (Axis(L2, tuple(float(mib * 2**20) for mib in range(1, 51))),))
OBJECTIVES = ((Objective("device_usd"),), (Objective("group_usd"),))
DONE = Finished(np.array([3]), 50)


def begun() -> ResumedRun:
    return ResumedRun([GRID], OBJECTIVES, 3, (1.0, 1.0))


def part(designs: int) -> Progress:
    return Progress(1, designs, designs, Front(np.array([0]), np.array([[1.0]])))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_the_furthest_has_saved_stays() -> None:
    first, second = begun(), begun()
    first.finished, second.finished = [DONE, DONE], [DONE]
    first._save()
    second._save()
    assert len(begun().finished) == 2
    second.finished, second.now = [DONE, DONE], part(20)
    second._save()
    first.now = part(10)
    first._save()
    kept = load(first.path, first.name)
    assert kept is not None
    assert isinstance(kept.now, Progress)
    assert kept.now.designs == 20


def test_a_process_alone_saves_whatever_it_has() -> None:
    """Where boxes are given up for all designs, for one, the share of the work that is done falls."""
    run = begun()
    run.now = part(20)
    run._save()
    run.now = part(10)
    run._save()
    kept = load(run.path, run.name)
    assert kept is not None
    assert isinstance(kept.now, Progress)
    assert kept.now.designs == 10


def test_the_last_to_end_removes_what_was_kept() -> None:
    first, second, short = begun(), begun(), begun()
    first._save()
    second._save()
    short.forget()
    second.forget()
    assert first.path.exists()
    first.forget()
    assert list(Path("runs").iterdir()) == []


def test_damaged_progress_is_replaced_by_a_run_that_has_begun() -> None:
    run = begun()
    run._save()
    run.path.write_bytes(b"torn")
    run.finished = [DONE]
    run._save()
    assert len(begun().finished) == 1


def test_a_short_run_makes_no_folder() -> None:
    begun().forget()
    assert not Path("runs").exists()
