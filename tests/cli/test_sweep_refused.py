"""What `dse sweep` refuses, each in one sentence and before anything is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import refused

from dse.cli import fronts, memory
from dse.cli.main import main

GRID = ("hardware.l2_mib=8,40,104", "hardware.hbm_gb_per_s=1600,3200", "name=grid", "figures=false")
SITUATIONS = ("traffic.prompt_tokens=range(64,1024,64)", "hardware.l2_mib=range(8,129,8)", "table=false",
              "figures=false", "name=many")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("arguments", "words"), [
    ([], ["empty", "axis"]),
    (["hardware.l2_mib=8"], ["empty", "axis"]),
    (["hardware.l2_mib=range(8,8)"], ["empty"]),
    (["hardware.l2_mib=range(1,1000000001)"], ["hardware.l2_mib has 1,000,000,000 values"]),
    (["hardware.l2_mib=8,16", "table=maybe"], ["table=maybe", "true"]),
    (["hardware.l2_mib=range(1,100001)", "hardware.hbm_gb_per_s=range(1,10001)", "table=true"],
     ["table=true", "1,000,000,000 designs", "400 GB", "5,000,000"]),
    ([f"hardware.{key}=range(1,1000001)" for key in ("l2_mib", "cores", "hbm_gb", "link_gb_per_s")],
     ["1,000,000,000,000,000,000,000,000 designs", "hardware.l2_mib with 1,000,000"]),
    ([f"cost.process.{key}=choice({','.join(map(str, range(1000, 1100)))})" for key in ("wafer_usd",)]
     + ["model=" + ",".join(["llama3_8b"] * 1000), "precision=" + ",".join(["bf16"] * 1000)],
     ["1,000,000 combinations", "to compose", "model with 1,000"]),
    (["hardware.l2_mib=interval(8,256)"], ["interval", "continuous"]),
    (["hardware.l2_mib=8,-16"], ["hardware.l2_mib=-16", ">= 1e-09"]),
    (["hardware.l2_mib=8,huge"], ["hardware.l2_mib=huge"]),
    (["hardware.l2_mb=8,16"], ["hardware.l2_mb", "hardware.l2_mib"]),
    (["hardware=h100,h1000"], ["hardware=h1000", "h100"]),
    (["hardware.l2_mib=8,16", "objective=beauty"], ["objective=beauty"]),
    (["hardware.l2_mib=8,16", "objective=batch"], ["objective=batch", "tokens_per_s_per_usd"]),
    (["hardware.l2_mib=8,16", "figures=many"], ["figures=many", "true"]),
    (["hardware.l2_mib=8,16", "name=../elsewhere"], ["name=../elsewhere"]),
    (["traffic.batch=1.5,2"], ["traffic.batch=1.5", "whole number"]),
    (["hardware.l2_mib=range(8,16,0)"], ["hardware.l2_mib=range(8,16,0)", "a step other than 0"]),
    (["hardware.l2_mib=range(8,1e999)"], ["hardware.l2_mib=range(8,1e999)", "finite"]),
    (["hardware.l2_mib=range(1,1e300)"], ["hardware.l2_mib=range(1,1e300)", "1e+18"]),
    (["hardware.l2_mib=8,16", "hardware.hbm_gb=1e300"], ["hardware.hbm_gb=1e+300", "<= 1e+09 in GB"]),
    (["hardware.hbm_gb_per_s=1e-300,1e300"], ["hardware.hbm_gb_per_s=1e-300", ">= 1e-09 and <= 1e+09 in GB/s"]),
    (["traffic.prompt_tokens=1,100000000000000000000"], ["traffic.prompt_tokens=100000000000000000000", "<= 1e+12"]),
    (["hardware.link_gb_per_s=1e300,1e308", "hardware.cores=20,30"], ["hardware.link_gb_per_s=1e+300", "<= 1e+09"]),
    (["hardware.l2_mib=8,16", "hardware.l2_mib=3,4"], ["hardware.l2_mib is given twice", "hardware.l2_mib=3,4"]),
    (["hardware.l2_mib=8,16", "objective=ttft_s,tpot_s"], ["objective=ttft_s,tpot_s", "no axis"]),
    (["hardware.l2_mib=8,16", "~objective"], ["objective is missing", "objective=tokens_per_s_per_usd"]),
    (["hardware.l2_mib=8,16", "hydra.sweeper.params=5"], ["hydra.sweeper.params=5", "axes"]),
    (["hardware.l2_mib=8,16", "hardware.l2_mib=3"], ["hardware.l2_mib is given twice", "hardware.l2_mib=3"]),
])
def test_bad_input_is_one_sentence_and_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path,
                                                      arguments: list[str], words: list[str]) -> None:
    text = refused(capsys, "sweep", *arguments)
    assert all(word in text for word in words), text
    assert list(tmp_path.iterdir()) == []


def test_rows_that_do_not_fit_into_memory_are_refused_with_the_figure(capsys: pytest.CaptureFixture[str],
                                                                      tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 1e3)
    assert "GB of memory, and 0.0 GB are free" in refused(capsys, "sweep", *SITUATIONS)
    text = refused(capsys, "sweep", *GRID, "hardware.cores=range(8,9)", "table=true")
    assert "about 12 rows" in text
    assert "(largest: hardware.l2_mib with 3)" in text
    monkeypatch.setattr(fronts, "FEW_IN_SMALL", 1)
    text = refused(capsys, "sweep", *SITUATIONS)
    assert re.search(r"would have about \d\d\d rows, .* \(largest: hardware.l2_mib with 16\)", text)
    assert not [path for path in tmp_path.iterdir() if path.name != "runs"]


def test_what_would_not_finish_is_refused_with_the_estimate(capsys: pytest.CaptureFixture[str], tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fronts, "LONGEST_S", 1e-3)
    monkeypatch.setattr(fronts, "SURELY_SOON", (10**9, 2000))
    text = refused(capsys, "sweep", "hardware.l2_mib=range(1,2001)", "hardware.hbm_gb_per_s=range(500,2500)",
                   "hardware.link_gb_per_s=range(100,400)", "technique=none")
    assert "the sweep of 1,200,000,000 designs would take about" in text
    assert "(largest: hardware.l2_mib with 2,000)" in text
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused_before_anything_is_evaluated(capsys: pytest.CaptureFixture[str],
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["sweep", *GRID]) == 0
    monkeypatch.setattr("dse.grid.table.tabulate", None)
    capsys.readouterr()
    assert "holds something else" in refused(capsys, "sweep", "hardware.l2_mib=8,16", "name=grid")
