"""Compiled code comes back from disk, never stale, torn or in the way."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dse.grid import cache, stream
from dse.grid.front import Objective

TWO = (Objective("throughput_tokens_per_s", maximise=True), Objective("group_usd"))
PROGRAM = """
import sys
from dse.grid import binary
made = []
def counted(text, original=binary.machine_code):
    made.append(text)
    return original(text)
binary.machine_code = counted
from dse.grid.evaluate import evaluate_columns
import numpy as np
row = tuple(float(word) for word in sys.argv[1].split())
found = evaluate_columns(row, (5,), np.array([[row[5]] * 20]))
print(len(made), found[0, 0].hex(), "numba" in sys.modules)
"""


def run(folder: Path) -> subprocess.Popen[str]:
    from grid.cases import base_row

    numbers = " ".join(str(number) for number in base_row())
    return subprocess.Popen([sys.executable, "-c", PROGRAM, numbers], env={**os.environ, "DSE_CACHE_DIR": str(folder)},
                            cwd=Path(__file__).resolve().parents[2], stdout=subprocess.PIPE, text=True)


def test_the_second_run_compiles_nothing(tmp_path: Path) -> None:
    first, second = (run(tmp_path).communicate()[0].split() for _ in range(2))
    assert (first[0], second[0]) == ("1", "0")
    assert first[1:] == second[1:]


def test_two_at_once_leave_whole_files(tmp_path: Path) -> None:
    answers = {process.communicate()[0].split()[1] for process in [run(tmp_path) for _ in range(3)]}
    assert len(answers) == 1
    assert run(tmp_path).communicate()[0].split()[0] == "0"
    assert not list(tmp_path.rglob(".part-*"))


def test_a_damaged_file_is_compiled_again(tmp_path: Path) -> None:
    expected = run(tmp_path).communicate()[0].split()[1]
    (kept,) = tmp_path.rglob("*.bin")
    kept.write_bytes(kept.read_bytes()[:-100])
    assert run(tmp_path).communicate()[0].split()[:2] == ["1", expected]


def test_a_changed_source_is_another_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.fingerprint.__wrapped__()
    assert before == cache.fingerprint.__wrapped__()
    (tmp_path / "latency").mkdir()
    (tmp_path / "latency" / "memory.py").write_text("x = 1\n")
    monkeypatch.setattr(cache, "PACKAGE", tmp_path)
    changed = cache.fingerprint.__wrapped__()
    (tmp_path / "latency" / "memory.py").write_text("x = 2\n")
    assert len({before, changed, cache.fingerprint.__wrapped__()}) == 3


def test_a_folder_that_cannot_be_written_is_replaced_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                              caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DSE_CACHE_DIR", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        found = cache.folder.__wrapped__()
    assert found.is_dir()
    assert "for this run only" in caplog.text
    found.rmdir()


def test_the_folder_is_found_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DSE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.parent_folder() == tmp_path / "dse"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.parent_folder() == tmp_path / ".cache" / "dse"


def test_the_order_of_the_loops_comes_back_without_the_equations(tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    slots, lengths = (5, 7, 9), (40, 30, 20)
    found = stream.front_order.__wrapped__(slots, lengths, TWO)
    monkeypatch.setattr(stream, "front_roots", None)
    assert stream.front_order.__wrapped__(slots, lengths, TWO) == found
    assert sorted(axis for loop in found for axis in loop) == [0, 1, 2]
    with pytest.raises(TypeError):
        stream.front_order.__wrapped__(slots, (40, 30, 21), TWO)
    (file,) = tmp_path.glob("*.order")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(TypeError):
        stream.front_order.__wrapped__(slots, lengths, TWO)
