"""`dse uncertainty` as a user types it: its tables against the sweep's, seeds, figures, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from command_line import refused

from dse.cli.main import main

GRID = ("hardware.l2_mib=8,32,104", "hardware.hbm_gb_per_s=1600,3200")
RUN = (*GRID, "samples=64", "uncertainty.index_samples=16", "seed=1", "name=u")
TABLES = ("bands", "front", "optimum", "shift", "sobol", "robust")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(name: str, run: str = "u") -> list[dict[str, str]]:
    with Path("runs", run, f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def run(*arguments: str) -> None:
    assert main(["uncertainty", *RUN, *arguments]) == 0


def test_a_run_writes_its_tables_figures_and_summary(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    summary = capsys.readouterr().out
    assert Path("runs/u/summary.txt").read_text() == summary
    assert "64 draws" in summary
    assert "preserve over none" in summary
    assert {path.name for path in Path("runs/u").iterdir()} >= {
        *(f"{name}.csv" for name in TABLES), "uncertainty.json", "bands.png", "bands.svg",
        "front_bands.png", "front_bands.svg", "tornado_shift.svg"}
    assert len(rows("bands")) == 3 * 2 * 2
    assert [path.name for path in Path("runs").iterdir()] == ["u"]


def test_base_results_are_those_of_the_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    run("figures=false")
    assert main(["sweep", *GRID, "name=s", "figures=false"]) == 0
    capsys.readouterr()
    with Path("runs/s/results.csv").open(newline="") as stream:
        sweep = list(csv.DictReader(stream))
    for ours, theirs in zip(rows("bands"), sweep, strict=True):
        for key in theirs:
            if key != "feasible":
                assert ours[key] == theirs[key], key
    best = {row["technique"]: row for row in json.loads(Path("runs/s/sweep.json").read_text())["best"]}
    record = json.loads(Path("runs/u/uncertainty.json").read_text())
    for answer in record["answers"]:
        assert answer["objective"]["base"] == best[answer["technique"]]["tokens_per_s_per_usd"]
        assert answer["optimum"]["base"] == best[answer["technique"]]["hardware.l2_mib"]


def test_probabilities_add_up_and_bands_are_ordered(capsys: pytest.CaptureFixture[str]) -> None:
    run("figures=false", "cost.memory.shoreline_mm=1")
    capsys.readouterr()
    for technique in ("none", "preserve"):
        own = [row for row in rows("bands") if row["technique"] == technique]
        assert sum(float(row["probability_best"]) for row in own) == pytest.approx(1.0)
        assert all(0.0 <= float(row[name]) <= 1.0 for row in own for name in
                   ("probability_feasible", "probability_on_front", "regret_mean", "regret_p95"))
        for row in own:
            values = [float(row[f"group_usd_{name}"]) for name in ("p05", "p25", "p50", "p75", "p95")]
            assert values == sorted(values)
        for axis in ("hardware.l2_mib", "hardware.hbm_gb_per_s"):
            assert sum(float(row["probability"]) for row in rows("optimum")
                       if (row["technique"], row["axis"]) == (technique, axis)) == pytest.approx(1.0)
    assert sum(float(row["probability"]) for row in rows("shift")) == pytest.approx(1.0)


def test_the_probability_of_moving_is_that_of_the_shifts_beyond_the_factor(capsys: pytest.CaptureFixture[str]) -> None:
    run("figures=false", "uncertainty.factor=3")
    capsys.readouterr()
    record = json.loads(Path("runs/u/uncertainty.json").read_text())
    moved = next(one["probability_moved"] for one in record["answers"] if one["technique"] == "preserve")
    assert moved == pytest.approx(sum(float(row["probability"]) for row in rows("shift") if float(row["ratio"]) > 3.0))


def test_the_same_command_gives_the_same_bytes_and_another_seed_others(capsys: pytest.CaptureFixture[str]) -> None:
    run("figures=false")
    first = {name: Path(f"runs/u/{name}.csv").read_bytes() for name in TABLES}
    run("figures=false")
    assert {name: Path(f"runs/u/{name}.csv").read_bytes() for name in TABLES} == first
    run("figures=false", "seed=2", "name=other")
    capsys.readouterr()
    assert Path("runs/other/bands.csv").read_bytes() != first["bands"]
    assert "holds something else" in refused(capsys, "uncertainty", *RUN)


def test_the_front_at_base_and_what_it_reaches_fit_the_designs(capsys: pytest.CaptureFixture[str]) -> None:
    run("figures=false")
    capsys.readouterr()
    for technique in ("none", "preserve"):
        front = [(float(row["group_usd"]), float(row["throughput_tokens_per_s"])) for row in rows("bands")
                 if row["technique"] == technique and float(row["on_front_at_base"]) > 0.0]
        reached = [row for row in rows("front") if row["technique"] == technique]
        for row in reached[::24]:
            had = [rate for usd, rate in front if usd <= float(row["group_usd"])]
            assert float(row["throughput_tokens_per_s"] or -1.0) == max(had, default=-1.0)
        assert [float(row["probability_feasible"]) for row in reached] == sorted(
            float(row["probability_feasible"]) for row in reached)


def test_draws_in_which_an_existing_chip_cannot_be_made_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    chip = ("hardware=h100", "model=llama3_8b", "precision=bf16", "samples=256", "uncertainty.index_samples=2",
            "figures=false")
    assert main(["uncertainty", *chip, "name=all"]) == 0
    assert main(["uncertainty", *chip, "name=made", "uncertainty.existing=[h100]"]) == 0
    said = capsys.readouterr().out
    record = json.loads(Path("runs/made/uncertainty.json").read_text())
    assert record["existing"] == ["h100"]
    before, after = (float(rows("bands", name)[0]["probability_feasible"]) for name in ("all", "made"))
    assert before < 0.5
    assert after == 1.0
    assert record["kept"] == round(before * 256)
    assert f"{record['kept']} of the draws are kept" in said
    assert json.loads(Path("runs/all/uncertainty.json").read_text())["kept"] == 256


def test_certain_constants_have_no_width(capsys: pytest.CaptureFixture[str]) -> None:
    run("figures=false", "uncertainty.of=[cost.process.wafer_usd]", "cost.process.wafer_usd=12000")
    capsys.readouterr()
    assert all(row["die_usd_p05"] == row["die_usd"] == row["die_usd_p95"] for row in rows("bands"))
    assert json.loads(Path("runs/u/uncertainty.json").read_text())["intervals"] == []


def test_a_constant_that_is_an_axis_is_not_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["uncertainty", "cost.l2.mm2_per_mib=0.5,1.0", "hardware.l2_mib=8,64", "samples=32", "name=c",
                 "uncertainty.index_samples=4", "figures=false"]) == 0
    capsys.readouterr()
    record = json.loads(Path("runs/c/uncertainty.json").read_text())
    assert "cost.l2.mm2_per_mib" not in {one["key"] for one in record["intervals"]}
    assert record["given"] == ["cost.l2.mm2_per_mib"]
    assert len(record["answers"]) == 4
    for size in ("0.5", "1"):
        assert sum(float(row["probability"]) for row in rows("optimum", "c")
                   if row["cost.l2.mm2_per_mib"] == size and row["technique"] == "none") == pytest.approx(1.0)


def test_one_design_chips_and_models_are_answered_too(capsys: pytest.CaptureFixture[str]) -> None:
    few = ("samples=16", "uncertainty.index_samples=4")
    assert main(["uncertainty", *few, "name=one"]) == 0
    assert main(["uncertainty", *few, "hardware=a100,h100", "model=llama3_8b,qwen2_7b", "precision=bf16",
                 "technique=none,preserve", "name=kinds"]) == 0
    assert "tornado" in capsys.readouterr().out
    assert len(rows("bands", "one")) == 2
    chips = [row for row in rows("optimum", "kinds") if row["axis"] == "hardware"]
    assert {row["value"] for row in chips} == {"a100", "h100"}
    assert {row["model"] for row in chips} == {"llama3_8b", "qwen2_7b"}


def test_less_can_be_better(capsys: pytest.CaptureFixture[str]) -> None:
    run("figures=false", "objective=usd_per_million_tokens")
    capsys.readouterr()
    record = json.loads(Path("runs/u/uncertainty.json").read_text())
    gain = next(one["gain"] for one in record["answers"] if one["technique"] == "preserve")
    assert gain["base"] >= 1.0
    robust = {row["rule"]: row for row in rows("robust") if row["technique"] == "preserve"}
    assert float(robust["least mean regret"]["regret_mean"]) <= float(robust["best at base"]["regret_mean"])


def test_no_feasible_design_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["uncertainty", "hardware.l2_mib=8,16", "hardware.hbm_gb=1", "samples=16", "name=none",
                 "uncertainty.index_samples=4"]) == 0
    said = capsys.readouterr().out
    assert "no design is feasible in any draw" in said
    assert "nan" not in said
    assert not list(Path("runs/none").glob("*.svg"))
    assert all(row["probability_feasible"] == "0" and not row["assured"] for row in rows("bands", "none"))


def test_plot_draws_a_saved_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    run()
    pictures = {path.name: path.read_bytes() for path in Path("runs/u").glob("*.svg")}
    assert len(pictures) == 7
    for name in pictures:
        Path("runs/u", name).unlink()
    assert main(["plot", "runs/u"]) == 0
    capsys.readouterr()
    assert {path.name: path.read_bytes() for path in Path("runs/u").glob("*.svg")} == pictures


@pytest.mark.parametrize(("arguments", "words"), [
    (["samples=0"], ["samples=0", ">= 1"]),
    (["samples=many"], ["samples=many", "whole number"]),
    (["seed=-1"], ["seed=-1", ">= 0"]),
    (["samples=1000000000"], ["samples=1000000000", "at most"]),
    (["uncertainty.shape=normal"], ["uncertainty.shape=normal", "triangular"]),
    (["uncertainty.of=[hardware]"], ["uncertainty.of=hardware", "cost.process"]),
    (["uncertainty.percentiles=[5,500]"], ["uncertainty.percentiles=[5, 500]", "0 to 100"]),
    (["uncertainty.existing=[h1000]"], ["uncertainty.existing=h1000", "h100"]),
    (["uncertainty.factor=0"], ["uncertainty.factor=0", "> 0"]),
    (["uncertainty.factor=inf"], ["uncertainty.factor=inf", "<= 1e+09"]),
    (["uncertainty.index_samples=1000"], ["uncertainty.index_samples=1000", "power of two"]),
    (["uncertainty.quantities=[beauty]"], ["uncertainty.quantities=beauty", "shift"]),
    (["uncertainty.along=traffic.batch"], ["uncertainty.along=traffic.batch", "hardware.l2_mib"]),
    (["+uncertainty.colour=red"], ["uncertainty.colour", "shape"]),
    (["objective=beauty"], ["objective=beauty"]),
    (["hardware.hbm_gb=8,-16"], ["hardware.hbm_gb=-16"]),
    (["hardware.hbm_gb=range(1,100001)"], ["200,000 designs"]),
    (["cost.process.wafer_usd.mark=guess"], ["cost.process.wafer_usd.mark", "published"]),
])
def test_bad_input_is_one_sentence_and_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path,
                                                      arguments: list[str], words: list[str]) -> None:
    text = refused(capsys, "uncertainty", "hardware.l2_mib=8,16", "samples=16", "uncertainty.index_samples=4",
                   *arguments)
    assert all(word in text for word in words), text
    assert list(tmp_path.iterdir()) == []
