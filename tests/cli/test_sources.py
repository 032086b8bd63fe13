"""A source belongs to its figures: what a user changes is the user's own, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import refused

from dse.cli.main import main

OWN = "low: 7, base: 9, high: 10, unit: USD/GB, date: 2026, mark: estimate"


@pytest.fixture(autouse=True)
def _own_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "conf" / "cost" / "memory"
    folder.mkdir(parents=True)
    for name, constant in {"quoted": f"{{{OWN}, source: an offer of 2026}}", "without_source": f"{{{OWN}}}",
                           "empty_source": f"{{{OWN}, source: ''}}",
                           "other_unit": f"{{{OWN.replace('USD/GB', 'EUR/GB')}, source: an offer}}",
                           "one_part": "{base: 9}", "number": "9"}.items():
        (folder / f"{name}.yaml").write_text(f"defaults: [hbm2e, _self_]\nname: {name}\nusd_per_gb: {constant}\n")


def test_a_file_of_ones_own_with_its_source_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    # 64 GB x 9 USD.
    assert main(["explain", "items.hbm", "cost/memory=quoted", "--config-dir", "conf"]) == 0
    said = capsys.readouterr().out
    assert "items.hbm = 576 USD" in said
    assert "an offer of 2026" in said
    assert main(["explain", "items.hbm", "cost/memory=number", "--config-dir", "conf"]) == 0
    assert "set by the user" in capsys.readouterr().out


@pytest.mark.parametrize(("option", "words"), [
    ("without_source", ["cost.memory.usd_per_gb", "the source of other figures"]),
    ("one_part", ["cost.memory.usd_per_gb", "base=9", "the source of other figures"]),
    ("empty_source", ["cost.memory.usd_per_gb lacks source"]),
    ("other_unit", ["cost.memory.usd_per_gb.unit='EUR/GB'", "'USD/GB'"]),
])
def test_a_file_that_would_borrow_a_source_is_refused(capsys: pytest.CaptureFixture[str], option: str,
                                                      words: list[str]) -> None:
    said = refused(capsys, "evaluate", f"cost/memory={option}", "--config-dir", "conf")
    assert all(word in said for word in words)


@pytest.mark.parametrize("verb", ["evaluate", "sweep", "uncertainty"])
def test_one_part_of_a_constant_on_the_command_line_is_refused(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    axes = [] if verb == "evaluate" else ["hardware.l2_mib=8,16"]
    said = refused(capsys, verb, "cost.process.wafer_usd.base=13500", *axes)
    assert "cost.process.wafer_usd" in said
    assert "the source of other figures" in said


def test_a_constant_of_a_server_keeps_its_source_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "evaluate", "serving=closed_loop", "server.step_ms={low:0,base:3,high:4}")
    assert "server.step_ms has low=0, base=3, high=4 and the source of other figures" in said
