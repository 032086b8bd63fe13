"""A sweep on a full disk, beside another of the same designs, and killed while it writes its results."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from crash.sweeps import FRONTS, TABLE, awaited, ended, names, started

FULL = """
def full(descriptor):
    calls.append(descriptor)
    if len(calls) <= 3:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    real_sync(descriptor)
os.fsync = full
"""
LIMITED = "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
WAITS = """
def waits(descriptor):
    Path("waiting").touch()
    while not Path("go").exists():
        time.sleep(0.002)
    real_sync(descriptor)
os.fsync = waits
"""
KILLED_WHILE_REPLACING = """
def replace(source, target):
    if str(target) == "runs/table" and calls:
        os.kill(os.getpid(), signal.SIGKILL)
    calls.append(target) if str(target).endswith("/table") else None
    real_replace(source, target)
os.replace = replace
"""
RESULTS = ("results.csv", "pareto.csv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the fronts in one go; the code is compiled then."""
    folder = tmp_path_factory.mktemp("whole")
    ended(started(folder, FRONTS))
    assert names(folder / "runs") == ["large"]
    return folder / "runs" / "large"


def check_same(folder: Path, whole: Path) -> None:
    assert names(folder / "runs") == ["large"]
    for name in RESULTS:
        assert (folder / "runs" / "large" / name).read_bytes() == (whole / name).read_bytes()


def test_progress_that_cannot_be_saved_is_said_once_and_tried_again(whole: Path, tmp_path: Path) -> None:
    counts = "\nimport atexit\natexit.register(lambda: print(len(calls), 'calls'))"
    out, err = ended(started(tmp_path, FRONTS, FULL + counts))
    assert err.count("progress cannot be saved: runs/.") == 1
    assert ".progress.npz: No space left on device; the run goes on and tries again\n" in err
    assert int(out.splitlines()[-1].split()[0]) > 3 + 5  # beyond the failures and the five files of results
    check_same(tmp_path, whole)


def test_results_that_cannot_be_written_are_an_error_that_loses_nothing(whole: Path, tmp_path: Path) -> None:
    """Nothing above 4096 bytes can be written: neither progress nor a table."""
    older = tmp_path / "runs" / "large"
    older.parent.mkdir()
    older.mkdir()
    for name in (*RESULTS, "sweep.json"):
        (older / name).write_bytes((whole / name).read_bytes())
    _, err = ended(started(tmp_path, FRONTS, LIMITED), 1)
    assert err.count("progress cannot be saved: runs/.") == 1
    assert err.endswith("\ndse: runs/large/results.csv: File too large\n")
    assert names(older) == sorted((*RESULTS, "sweep.json"))
    assert not list(older.parent.glob(".large.*"))
    ended(started(tmp_path, FRONTS))
    check_same(tmp_path, whole)


def test_an_interrupt_says_what_could_not_be_saved(whole: Path, tmp_path: Path) -> None:
    process = started(tmp_path, FRONTS, "def full(descriptor):\n    Path('tried').touch()\n"
                      "    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\nos.fsync = full")
    awaited((tmp_path / "tried").exists, process)
    process.send_signal(signal.SIGINT)
    _, err = ended(process, 130)
    said = err.splitlines()[-1]
    assert said.startswith("dse: interrupted with ")
    assert "goes on from what was saved before; runs/." in said
    assert said.endswith(".progress.npz: No space left on device")


def test_of_two_on_the_same_sweep_the_first_to_end_leaves_the_other_its_progress(whole: Path, tmp_path: Path) -> None:
    """One waits while it writes its progress until the other has ended."""
    slow = started(tmp_path, FRONTS, WAITS)
    awaited((tmp_path / "waiting").exists, slow)
    writing = list(tmp_path.glob("runs/..*.progress.npz.*"))
    assert len(writing) == 1
    ended(started(tmp_path, FRONTS))
    assert list(tmp_path.glob("runs/..*.progress.npz.*")) == writing
    assert list(tmp_path.glob("runs/.*.progress.npz"))
    (tmp_path / "go").touch()
    _, err = ended(slow)
    assert "saved" not in err
    check_same(tmp_path, whole)


def test_processes_that_end_together_leave_one_folder(whole: Path, tmp_path: Path) -> None:
    processes = [started(tmp_path, FRONTS) for _ in range(3)]
    for process in processes:
        ended(process)
    check_same(tmp_path, whole)


def test_a_kill_while_results_are_written_leaves_nothing_for_good(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for _ in range(2):
        process = started(tmp_path, TABLE, WAITS)
        awaited(lambda: any(runs.glob(".table.*/.results.csv.*")), process)
        process.kill()
        process.communicate()
        assert len(names(runs)) == 1  # the second has removed what the first left
        assert names(runs)[0].startswith(".table.")
    living = started(tmp_path, (*TABLE[:-1], "name=living"), WAITS)
    awaited((tmp_path / "waiting").exists, living)
    ended(started(tmp_path, TABLE))
    assert [name for name in names(runs) if not name.startswith(".living.")] == ["table"]
    (tmp_path / "go").touch()
    ended(living)
    assert names(runs) == ["living", "table"]


def test_a_kill_while_a_folder_is_replaced_leaves_the_older_one(tmp_path: Path) -> None:
    ended(started(tmp_path, TABLE))
    before = (tmp_path / "runs" / "table" / "sweep.json").read_bytes()
    ended(started(tmp_path, TABLE, KILLED_WHILE_REPLACING), -signal.SIGKILL)
    assert "table" not in names(tmp_path / "runs")
    process = started(tmp_path, (*TABLE, "seed=7"))
    _, err = ended(process, 2)  # another command: it must not take the name of the older results
    assert "name=table is not allowed" in err
    assert names(tmp_path / "runs") == ["table"]
    assert (tmp_path / "runs" / "table" / "sweep.json").read_bytes() == before
