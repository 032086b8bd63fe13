"""Real `dse sweep` processes whose system is made to fail, to wait or to be killed at a chosen call."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from crash.processes import environment

# A front of two million designs, some seconds; a table of 2,000.
FRONTS = ("hardware.l2_mib=range(1,1001)", "hardware.hbm_gb_per_s=range(800,1801)", "technique=preserve",
          "figures=false", "name=large")
TABLE = ("hardware.l2_mib=range(1,201)", "hardware.hbm_gb_per_s=range(800,810)", "figures=false", "name=table")
SAVES_OFTEN = """
import errno, os, resource, signal, sys, time
from pathlib import Path
from dse.cli import resumed
from dse.cli.main import main
resumed.SAVED_EVERY_S, resumed.SAVING_SHARE = 0.0, 1.0
real_sync, real_replace, calls = os.fsync, os.replace, []
"""


def started(folder: Path, arguments: tuple[str, ...], altered: str = "") -> subprocess.Popen[str]:
    """A sweep that saves its progress at every chance, after `altered` has run in its process."""
    program = f"{SAVES_OFTEN}{altered}\nsys.exit(main(['sweep', *sys.argv[1:]]))"
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=folder, env=environment(), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[str], status: int = 0) -> tuple[str, str]:
    """What a process prints and complains of until it ends, with this status."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == status, err
    return out, err


def awaited(found: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Waits until something is so, while the process lives."""
    until = time.monotonic() + 120.0
    while not found():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.002)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
