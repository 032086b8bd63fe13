"""Names of runs: a plain one is a folder in runs/, anything else is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from dse.cli.run_folder import LONGEST_NAME, RUNS, run_folder
from dse.errors import InputError


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["one", "größe 2", 2026, 0.5, "x" * LONGEST_NAME])
def test_a_plain_name_is_a_folder_in_runs(name: object) -> None:
    assert run_folder(name, "sweep.json", []) == RUNS / str(name)


def test_a_run_without_a_name_is_called_after_the_time() -> None:
    assert run_folder(None, "sweep.json", []).name.startswith("20")


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", ".", "..", ".hidden", "a\0b", "x" * (LONGEST_NAME + 1), [1],
                                  {"a": 1}, True])
def test_any_other_name_is_refused(name: object) -> None:
    with pytest.raises(InputError, match=r"^name=.* is not allowed: give a plain name, of a folder in runs, of up"):
        run_folder(name, "sweep.json", [])
