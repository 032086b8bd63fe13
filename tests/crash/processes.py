"""Real `dse search` processes, killed at random moments, and what their study looks like afterwards."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from dse.search.space import point_key

SPACE = ("hardware.l2_mib=interval(8,256)", "hardware.hbm_gb_per_s=interval(800,4000)",
         "parallelism.tensor_parallel=1,2,4,8")
QUICK = ("study.certificate_s=0", "sampler=random")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dse", "search", *SPACE, *QUICK, *arguments]


def environment() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command(*arguments), cwd=folder, env=environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def finished(folder: Path, *arguments: str) -> str:
    """What the search prints, run to its end."""
    process = started(folder, *arguments)
    out, err = process.communicate(timeout=900)  # after many kills nearly all is left to do
    assert process.returncode == 0, err
    return out


def killed(process: subprocess.Popen[str], after_s: float) -> None:
    """Waits and kills without mercy, if it is still there."""
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def moments(seed: int, rounds: int, longest_s: float) -> list[float]:
    chance = random.Random(seed)
    return [chance.uniform(0.0, longest_s) for _ in range(rounds)]


def studied(folder: Path, name: str, *options: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "dse", "studies", "export", name, "format=json", "file=all.json",
                           *options], cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "all.json").read_text())
    return found


def check(study: dict[str, Any], target: int) -> None:
    """Exactly `target` trials are complete, nothing is running, no point was completed twice, no number is missing."""
    assert study["complete"] == target
    assert study["running"] == 0
    complete = [row for row in study["trials"] if row["state"] == "complete"]
    lost = [row for row in study["trials"] if row["state"] == "fail"]
    assert len(complete) == target
    assert len(lost) == study["failed"]
    assert [row["trial"] for row in study["trials"]] == list(range(len(study["trials"])))
    keys = [text.partition("=")[0] for text in SPACE]
    points = Counter(point_key({key: row[key] for key in keys}) for row in complete)
    assert max(points.values()) == 1
    done = set(points)
    assert all(point_key({key: row[key] for key in keys}) in done for row in lost), "a lost point was not run again"
