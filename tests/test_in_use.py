"""What a process has in use stays, what the dead left goes: processes killed while they hold their temporaries."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dse.in_use import PART, clear, parts, temporary_file, temporary_folder

HOLDER = """
import sys, time
from pathlib import Path
from dse.in_use import temporary_file, temporary_folder
with temporary_file(Path(), "a.csv") as (path, stream), temporary_folder(Path(), "run") as folder:
    stream.write(b"half")
    stream.flush()
    (folder / "table").write_text("half")
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """A process that has a file and a folder in use, until it is killed or its standard input ends."""
    root = str(Path(__file__).resolve().parents[1])
    process = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=folder, env={**os.environ, "PYTHONPATH": root},
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_only_what_the_dead_left_is_removed(tmp_path: Path) -> None:
    killed, living = holder(tmp_path), holder(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    for name in (".a.csv.original", ".a.csv.original.part2", "run.12345678.part"):
        (tmp_path / name).write_text("of a user")
    assert len(parts(tmp_path)) == 4
    clear(tmp_path, "b.csv")
    assert len(parts(tmp_path)) == 4
    clear(tmp_path, "a.csv")
    assert [len(parts(tmp_path, name)) for name in ("a.csv", "run")] == [1, 2]
    clear(tmp_path)
    assert [len(parts(tmp_path, name)) for name in ("a.csv", "run")] == [1, 1]
    assert (parts(tmp_path, "run")[0] / "table").read_text() == "half"
    living.communicate("")
    assert living.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.csv.original", ".a.csv.original.part2",
                                                                "run.12345678.part"]


def test_what_is_not_moved_goes_and_what_is_moved_stays(tmp_path: Path) -> None:
    with temporary_file(tmp_path, "kept") as (path, stream):
        stream.write(b"whole")
        path.rename(tmp_path / "kept")
    with temporary_folder(tmp_path, "gone") as folder:
        (folder / "file").write_text("")
        assert folder.name.startswith(".gone.")
        assert folder.name.endswith(PART)
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_bytes() == b"whole"


def test_a_file_taken_for_abandoned_before_it_was_locked_is_made_anew(tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment between making and locking: another process removes what it finds unlocked."""
    import fcntl

    real, seen = fcntl.flock, []

    def late(descriptor: int, how: int) -> None:
        if not seen:
            seen.extend(parts(tmp_path, "a"))
            seen[0].unlink()
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with temporary_file(tmp_path, "a") as (path, _):
        assert path.exists()
        assert path != seen[0]
