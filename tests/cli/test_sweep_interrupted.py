"""Real `dse sweep` processes, stopped and killed in the middle: the same command goes on and has the same answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SWEEP = ("hardware.l2_mib=range(1,1001)", "hardware.hbm_gb_per_s=range(800,1801)", "hardware.cores=range(8,72)",
         "hardware.link_gb_per_s=range(100,1100)", "technique=preserve", "name=large", "figures=false")


def started(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-m", "dse", "sweep", *SWEEP], cwd=folder, env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finished(folder: Path) -> str:
    process = started(folder)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def stopped(folder: Path, sent: signal.Signals) -> tuple[int, str]:
    """A run that gets the signal once it has saved anew how far it is; its status, and what it said."""
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/.*.progress.npz")}
    process = started(folder)
    while process.poll() is None:
        now = {path: path.stat().st_mtime_ns for path in folder.glob("runs/.*.progress.npz")}
        if now != before:
            process.send_signal(sent)
            break
        time.sleep(0.01)
    _, err = process.communicate(timeout=300)
    return process.returncode, err


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sweep in one go."""
    folder = tmp_path_factory.mktemp("whole")
    assert "went on" not in finished(folder)
    return folder / "runs" / "large"


def test_stopped_and_killed_it_goes_on(whole: Path, tmp_path: Path) -> None:
    status, said = stopped(tmp_path, signal.SIGINT)
    assert status == 130
    assert said.splitlines()[-1].startswith("dse: interrupted with ")
    assert said.endswith("of the work done: the same command goes on from there\n")
    assert not (tmp_path / "runs" / "large").exists()
    assert stopped(tmp_path, signal.SIGKILL)[0] == -signal.SIGKILL
    assert "went on with what an interrupted run had settled" in finished(tmp_path)
    for name in ("results.csv", "pareto.csv"):
        assert (tmp_path / "runs" / "large" / name).read_bytes() == (whole / name).read_bytes()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["large"]


def test_progress_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    stopped(tmp_path, signal.SIGKILL)
    (progress,) = tmp_path.glob("runs/.*.progress.npz")
    progress.write_bytes(b"torn")
    process = started(tmp_path)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "is no saved progress: remove it to start again" in err
