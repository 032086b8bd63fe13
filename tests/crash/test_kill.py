"""kill -9 at random moments of a search, each followed by the same command."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from crash.processes import check, finished, killed, moments, started, studied

ROUNDS = int(os.environ.get("DSE_CRASH_ROUNDS", "4"))
SLOW = ("sampler=nsga2", "sampler.population_size=5")  # small batches: many moments at which something is half done


@pytest.mark.parametrize("storage", ["studies.journal", "studies.sqlite3"])
def test_a_search_that_is_killed_again_and_again_ends_with_exactly_its_trials(tmp_path: Path, storage: str) -> None:
    target = 0
    arguments = (*SLOW, "study.name=killed", f"storage={storage}")
    for after_s in moments(1, ROUNDS, 0.7):
        target += 60
        process = started(tmp_path, *arguments, f"n_trials={target}")
        _wait_for_first_trial(tmp_path / storage, process)
        killed(process, after_s)
    finished(tmp_path, *arguments, f"n_trials={target}")
    check(studied(tmp_path, "killed", f"storage={storage}"), target)
    again = finished(tmp_path, *arguments, f"n_trials={target}")
    assert "(0 now)" in again
    assert not list(tmp_path.glob("*.workers"))


def _wait_for_first_trial(path: Path, process: object, longest_s: float = 30.0) -> None:
    """The moments that matter lie behind the start of Python: waits until the process has the study in hand."""
    workers = path.with_name(path.name + ".workers")
    before = set(workers.glob("*.claim"))
    until = time.monotonic() + longest_s
    while time.monotonic() < until and process.poll() is None:  # type: ignore[attr-defined]
        if set(workers.glob("*.claim")) - before:
            return
        time.sleep(0.005)


def test_several_processes_on_one_journal_share_its_trials(tmp_path: Path) -> None:
    arguments = (*SLOW, "study.name=shared", "storage=studies.journal", "n_trials=400")
    processes = [started(tmp_path, *arguments) for _ in range(3)]
    _wait_for_first_trial(tmp_path / "studies.journal", processes[0])
    killed(processes[0], 0.1)
    for process in processes[1:]:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    check(studied(tmp_path, "shared", "storage=studies.journal"), 400)


def test_ctrl_c_ends_after_the_batch_and_says_how_to_go_on(tmp_path: Path) -> None:
    arguments = (*SLOW, "study.name=stopped", "storage=studies.journal", "n_trials=100000")
    process = started(tmp_path, *arguments)
    _wait_for_first_trial(tmp_path / "studies.journal", process)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    said = err.strip().splitlines()[-1]
    assert said.startswith("dse: interrupted; ")
    assert "of 100,000 trials of study stopped are saved in studies.journal; the same command goes on" in said
    saved = studied(tmp_path, "stopped", "storage=studies.journal")
    assert saved["complete"] > 0
    assert f"{saved['complete']:,} of 100,000" in said
    assert saved["failed"] == 0
    check(saved, saved["complete"])
