"""Compiled code comes back from disk, never stale, torn or in the way."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
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
    assert not list(tmp_path.rglob(".*"))


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


def test_the_folder_of_one_run_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "temporary").mkdir()
    done = subprocess.run([sys.executable, "-c", "from dse.grid import cache; cache.write('a', b'1'); "
                           "print(cache.read('a'), cache.folder())"], capture_output=True, text=True, check=True,
                          env={**os.environ, "DSE_CACHE_DIR": str(tmp_path / "file"),
                               "TMPDIR": str(tmp_path / "temporary")}, cwd=Path(__file__).resolve().parents[2])
    assert done.stdout.startswith(f"b'1' {tmp_path / 'temporary'}")
    assert not list((tmp_path / "temporary").iterdir())


def fingerprints(folder: Path, ages_s: list[float]) -> list[Path]:
    """Folders of other versions, each taken up so long ago."""
    made = [folder / f"{place:024x}" for place in range(len(ages_s))]
    for path, age_s in zip(made, ages_s, strict=True):
        path.mkdir()
        (path / "nest.bin").write_text("code")
        os.utime(path, (time.time() - age_s,) * 2)
    return made


def test_a_new_fingerprint_sends_away_the_oldest(tmp_path: Path) -> None:
    day = 86400.0
    made = fingerprints(tmp_path, [day * (20 - place) for place in range(12)])
    (tmp_path / "notes").mkdir()
    assert run(tmp_path).communicate()[0].split()[0] == "1"
    kept = [path for path in made if path.exists()]
    assert kept == made[-(cache.KEPT_FINGERPRINTS - 1):]
    assert len([path for path in tmp_path.iterdir() if path.name != "notes"]) == cache.KEPT_FINGERPRINTS
    assert (tmp_path / "notes").exists()
    fingerprints(tmp_path, [9.0 * day] * 2)
    run(tmp_path).communicate()
    assert made[0].exists()  # nothing is begun, nothing is sent away


def test_what_was_taken_up_within_a_day_stays(tmp_path: Path) -> None:
    hour = 3600.0
    made = fingerprints(tmp_path, [*[23.0 * hour] * 12, 25.0 * hour])
    run(tmp_path).communicate()
    assert [path.exists() for path in made] == [*[True] * 12, False]


def test_taking_up_makes_a_fingerprint_young(tmp_path: Path) -> None:
    run(tmp_path).communicate()
    (own,) = tmp_path.iterdir()
    os.utime(own, (0.0, 0.0))
    assert run(tmp_path).communicate()[0].split()[0] == "0"
    assert time.time() - own.stat().st_mtime < 600.0


def test_several_may_begin_and_send_away_at_once(tmp_path: Path) -> None:
    fingerprints(tmp_path, [86400.0 * (9 + place) for place in range(40)])
    processes = [run(tmp_path) for _ in range(3)]
    assert len({process.communicate()[0].split()[1] for process in processes}) == 1
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(list(tmp_path.iterdir())) == cache.KEPT_FINGERPRINTS


def test_a_killed_process_leaves_no_file_for_good(tmp_path: Path) -> None:
    killed = ("import os, signal\nfrom dse.grid import cache\n"
              "os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)\ncache.write('a.bin', b'1')")
    done = subprocess.run([sys.executable, "-c", killed], env={**os.environ, "DSE_CACHE_DIR": str(tmp_path)},
                          cwd=Path(__file__).resolve().parents[2], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("*/.a.bin.*"))) == 1
    assert run(tmp_path).communicate()[0].split()[0] == "1"
    assert not list(tmp_path.rglob(".*"))


def test_a_fingerprint_that_is_sent_away_under_a_process_is_made_again(tmp_path: Path,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "gone")
    assert cache.read("a") is None
    cache.write("a", b"1")
    assert cache.read("a") == b"1"


def test_code_that_cannot_be_kept_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                               caplog: pytest.LogCaptureFixture) -> None:
    def full(path: Path, data: bytes, durable: bool) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    monkeypatch.setattr(cache, "write_bytes", full)
    cache.write("a", b"1")
    cache.write("b", b"1")
    assert [record.message for record in caplog.records] == [
        f"compiled code could not be kept in {tmp_path}: No space left on device"]
    cache._tell.cache_clear()


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
