"""Several processes on one PostgreSQL study, one of them killed at a random moment."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash.processes import check, finished, killed, moments, started, studied
from crash.server import binaries, server

ROUNDS = int(os.environ.get("DSE_CRASH_ROUNDS", "2"))
PROCESSES = 4
SMALL = ("sampler=nsga2", "sampler.population_size=5")

pytestmark = [
    pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server here: install Debian's package postgresql"),
    pytest.mark.skipif(importlib.util.find_spec("psycopg") is None, reason="no psycopg: pip install 'dse[postgresql]'"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.mark.parametrize("number", range(ROUNDS))
def test_processes_share_a_study_and_one_is_killed(tmp_path: Path, url: str, number: int) -> None:
    arguments = (*SMALL, f"study.name=shared{number}", f"storage={url}", "n_trials=200")
    processes = [started(tmp_path, *arguments) for _ in range(PROCESSES)]
    killed(processes[0], moments(number, 1, 4.0)[0])
    for process in processes[1:]:
        _, err = process.communicate(timeout=900)
        assert process.returncode == 0, err
    check(studied(tmp_path, f"shared{number}", f"storage={url}"), 200)


def test_a_study_on_a_server_goes_on_and_is_deleted(tmp_path: Path, url: str) -> None:
    arguments = (*SMALL, "study.name=again", f"storage={url}")
    finished(tmp_path, *arguments, "n_trials=20")
    assert "35 of 35 trials complete (15 now)" in finished(tmp_path, *arguments, "n_trials=35")
    check(studied(tmp_path, "again", f"storage={url}"), 35)
