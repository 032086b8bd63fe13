"""`dse explain`: the chain of constants and sources behind a number."""

from __future__ import annotations

import json

import pytest
from command_line import refused

from dse.cli.main import main
from dse.cost.equations import EQUATIONS


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_the_die_is_explained_down_to_wafer_and_area_with_sources(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, "die_usd", "hardware=h100")
    for word in ("die_usd = ", "die_yield", "dies_per_wafer", "area.l2", "cost.process.wafer_usd = 13400 [",
                 "hardware.l2_mib = 50", "https://"):
        assert word in text, word


def test_its_values_are_those_of_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, "group_usd")
    assert main(["evaluate", "output=json"]) == 0
    group_usd = json.loads(capsys.readouterr().out)["baseline"]["cost"]["group_usd"]
    assert text.startswith(f"group_usd = {group_usd:,.6g} USD")


def test_an_assumption_of_the_user_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, "die_usd", "cost.process.wafer_usd=12000")
    assert "cost.process.wafer_usd = 12000 [12000, 12000] USD/wafer, user" in text
    assert "set by the user" in text


def test_without_a_number_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys)
    listed = {line.split()[0] for line in text.splitlines()[2:] if line}
    assert {*EQUATIONS} <= listed
    assert text.splitlines()[-1].startswith("USD: nominal USD of ")


def test_power_and_running_cost_are_those_of_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, "usd_per_million_tokens", "technique=none")
    assert main(["evaluate", "output=json", "technique=none"]) == 0
    cost = json.loads(capsys.readouterr().out)["baseline"]["cost"]
    assert text.startswith(f"usd_per_million_tokens = {cost['usd_per_million_tokens']:,.6g} USD per million tokens")
    assert f"\nusd_per_hour = {cost['usd_per_hour']:,.6g} USD/h" in text
    assert "\ndevice_power_w = " in text
    assert text.splitlines()[-1].startswith("USD: nominal USD of ")


def test_an_unknown_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    text = refused(capsys, "explain", "beauty_usd")
    assert "beauty_usd" in text
    assert "die_usd" in text
