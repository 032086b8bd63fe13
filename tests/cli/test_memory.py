"""What the system says of free memory, and the refusal that follows from it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from dse.cli import memory
from dse.cli.memory import free_bytes, refuse_what_does_not_fit
from dse.errors import InputError


def test_the_tightest_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has 1000 KiB left, the container 900,000 - 200,000 bytes; `max` is no limit."""
    for name, text in (("meminfo", "MemTotal: 9000 kB\nMemAvailable:  1000 kB\n"), ("limit", "900000\n"),
                       ("taken", "200000\n"), ("none", "max\n")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "LIMITS", ((str(tmp_path / "none"), str(tmp_path / "taken")),))
    assert free_bytes() == 1000 * 1024
    monkeypatch.setattr(memory, "LIMITS", ((str(tmp_path / "limit"), str(tmp_path / "taken")),))
    assert free_bytes() == 700_000


def test_where_nothing_is_said_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "none")
    monkeypatch.setattr(memory, "LIMITS", ())
    monkeypatch.setattr(memory, "_own_limit", lambda: math.inf)
    assert free_bytes() == math.inf
    refuse_what_does_not_fit(1e18, 30, "model with 2")


def test_the_refusal_has_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """10^8 rows of 25 numbers at 24 bytes are 60 GB."""
    monkeypatch.setattr(memory, "free_bytes", lambda: 60.1e9)
    refuse_what_does_not_fit(1e8, 25, "model with 2")
    monkeypatch.setattr(memory, "free_bytes", lambda: 59.9e9)
    with pytest.raises(InputError, match=r"about 100,000,000 rows, which take about 60.0 GB of memory, and 59.9 GB"):
        refuse_what_does_not_fit(1e8, 25, "model with 2")
