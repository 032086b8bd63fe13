"""`dse search` and `dse studies` as a user types them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from command_line import refused

import dse
from dse.cli.main import main

QUICK = ("n_trials=12", "study.certificate_s=0", "sampler=random")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def searched(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["search", "output=json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_search_is_saved_shown_listed_and_exported(capsys: pytest.CaptureFixture[str]) -> None:
    found = searched(capsys, *QUICK, "space=chip", "study.name=chip")
    assert (found["name"], found["complete"], found["failed"], found["running"]) == ("chip", 12, 0, 0)
    assert set(found["best"]["design"]) == set(found["space"])
    assert main(["studies", "show", "chip", "output=json"]) == 0
    assert json.loads(capsys.readouterr().out) == found
    assert main(["studies", "list"]) == 0
    assert "chip" in capsys.readouterr().out
    for form in ("csv", "parquet", "json"):
        assert main(["studies", "export", "chip", f"format={form}"]) == 0
    with Path("chip.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(json.loads(Path("chip.json").read_text())["trials"]) == 12
    assert parquet.read_table("chip.parquet").num_rows == 12
    assert {"hardware.l2_mib", "tokens_per_s_per_usd", "origin"} <= set(rows[0])


def test_a_trial_is_the_evaluation_of_its_design_bit_for_bit(capsys: pytest.CaptureFixture[str]) -> None:
    best = searched(capsys, *QUICK, "space=chip")["best"]
    assert main(["evaluate", "output=json", *(f"{key}={value!r}" for key, value in best["design"].items())]) == 0
    one = json.loads(capsys.readouterr().out)["technique_metrics"]
    for part, key in (("latency", "ttft_s"), ("cost", "group_usd"), ("objective", "tokens_per_s_per_usd")):
        assert best["metrics"][key] == one[part][key]


def test_the_same_command_goes_on_and_its_default_name_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    axes = ("hardware.l2_mib=interval(8,256)", "hardware.cores=range(16,65,8)")
    first = searched(capsys, *QUICK, *axes)
    again = searched(capsys, *QUICK[1:], *axes, "n_trials=20")
    assert again["name"] == first["name"]
    assert again["complete"] == 20
    assert again["space"] == {"hardware.l2_mib": "interval(8, 256)", "hardware.cores": "range(16, 64, step 8)"}
    assert searched(capsys, *QUICK, axes[0])["name"] != first["name"]


def test_technique_is_an_axis_with_its_own_parameters_or_a_study_each(capsys: pytest.CaptureFixture[str]) -> None:
    axis = searched(capsys, *QUICK, "technique=choice(none,preserve)", "technique.limit_mib=interval(1,64)",
                    "hardware.l2_mib=interval(8,256)", "study.name=axis")
    assert axis["space"]["technique.limit_mib"] == "interval(1, 64) when technique in preserve"
    assert main(["studies", "export", "axis", "format=json"]) == 0
    rows = json.loads(Path("axis.json").read_text())["trials"]
    assert {row["technique"] for row in rows} == {"none", "preserve"}
    assert all(("technique.limit_mib" in row) == (row["technique"] == "preserve") for row in rows)
    capsys.readouterr()
    each = searched(capsys, *QUICK, "technique=none,preserve", "hardware.l2_mib=interval(8,256)", "study.name=each")
    assert [study["name"] for study in each] == ["each-none", "each-preserve"]
    assert main(["studies", "compare", "each-none", "each-preserve", "output=json"]) == 0
    assert json.loads(capsys.readouterr().out)["same_points"] >= 1


def test_lists_beside_the_space_make_a_study_each(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("hardware.l2_mib=8,16,32", "model=llama3_8b,llama3_70b", "seed=range(1,3)", "study.name=many", *QUICK)
    names = ["many-llama3_8b-seed1", "many-llama3_8b-seed2", "many-llama3_70b-seed1", "many-llama3_70b-seed2"]
    found = searched(capsys, *arguments)
    assert [study["name"] for study in found] == names
    assert [study["seed"] for study in found] == [1, 2, 1, 2]
    assert all(list(study["space"]) == ["hardware.l2_mib"] for study in found)
    assert found[0]["best"]["metrics"]["ttft_s"] < found[2]["best"]["metrics"]["ttft_s"]
    assert main(["search", *arguments]) == 0
    rows = capsys.readouterr().out.split("\n\n")[-1].splitlines()
    assert rows[0].startswith("study")
    assert [row.split()[0] for row in rows[2:]] == names
    model = searched(capsys, *QUICK, "model=choice(llama3_8b,llama3_70b)", "hardware.l2_mib=8,16", "study.name=axis")
    assert model["space"]["model"] == "choice(llama3_8b, llama3_70b)"


@pytest.mark.parametrize("launcher", [(), ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")])
def test_studies_are_jobs_of_hydras_own_sweeper(capsys: pytest.CaptureFixture[str], launcher: tuple[str, ...]) -> None:
    """In a process of their own: joblib's workers outlive a sweep, and stay in the folder where they began."""
    arguments = ("hardware.l2_mib=interval(8,256)", "hardware.cores=16,32", "technique=none,preserve", *QUICK)
    alone = searched(capsys, *arguments, "study.name=alone")
    subprocess.run([sys.executable, "-m", "dse", "search", "hydra/sweeper=basic", *launcher, "hydra.sweep.dir=jobs",
                    *arguments, "study.name=jobs", "output=json"], check=True, capture_output=True)
    for job, study in enumerate(alone):
        [found] = json.loads(Path(f"jobs/{job}/result.json").read_text())
        assert found["name"] == study["name"].replace("alone", "jobs")
        for key in ("best", "space", "hypervolume", "complete"):
            assert found[key] == study[key]


def test_what_would_be_ignored_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "seed is no part of a design" in refused(capsys, "search", "space=chip", "seed=interval(1,9)")
    said = refused(capsys, "search", "space=chip", "hydra/launcher=joblib")
    assert "hydra/launcher=joblib is not allowed here" in said
    assert "hydra/sweeper=basic" in said
    assert "hydra/launcher=joblib" in refused(capsys, "sweep", "hardware.l2_mib=8,16", "hydra/launcher=joblib")


def test_a_derived_field_follows_its_axis(capsys: pytest.CaptureFixture[str]) -> None:
    found = searched(capsys, *QUICK, "hardware.hbm_gb=choice(64,96,128)", "hardware.tdp_w=${hardware.hbm_gb}",
                     "hardware.cores=range(16,33,4)", "study.name=derived")
    design = found["best"]
    if design is None:  # a chip of 64 to 128 W may be too hot: the table tells as well
        assert found["feasible"] == 0
    assert main(["studies", "export", "derived", "format=json"]) == 0
    row = json.loads(Path("derived.json").read_text())["trials"][0]
    capsys.readouterr()
    assert main(["evaluate", "output=json", f"hardware.hbm_gb={row['hardware.hbm_gb']}",
                 f"hardware.tdp_w={row['hardware.hbm_gb']}", f"hardware.cores={row['hardware.cores']}"]) == 0
    violations = json.loads(capsys.readouterr().out)["technique_metrics"]["violations"]
    assert row["tdp"] == violations["tdp"]


def test_groups_are_axes_and_what_does_not_go_together_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = searched(capsys, "n_trials=100", "study.certificate_s=0", "hardware=a100,h100", "precision=bf16,fp8",
                     "hardware.l2_mib=8,40", "study.name=groups")
    assert found["complete"] == 6  # a100 does not multiply in fp8


def test_a_file_of_the_users_own_is_a_space(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "space"
    folder.mkdir(parents=True)
    (folder / "small.yaml").write_text(
        "hardware.l2_mib: interval(8, 64)\ntraffic.batch: {values: [1, 2, 4], when: {technique: preserve}}\n"
        "technique: [none, preserve]\n")
    assert main(["search", "--config-dir", "mine", "space=small", "output=json", *QUICK]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["space"]["traffic.batch"] == "choice(1, 2, 4) when technique in preserve"


def test_a_study_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    searched(capsys, "space=chip", "study.name=chip", "n_trials=60", "sampler=random", "study.baseline=true",
             "study.certificate_s=0.1", "storage=mine.journal")
    assert main(["studies", "plot", "chip", "storage=mine.journal"]) == 0
    drawn = capsys.readouterr().out.splitlines()
    assert drawn[:4] == ["runs/chip/front.png", "runs/chip/front.svg", "runs/chip/history.png", "runs/chip/history.svg"]
    assert [line.partition(":")[0] for line in drawn[4:]] == ["no figure importance"]
    first = Path("runs/chip/history.svg").read_bytes()
    assert main(["plot", "chip", "storage=mine.journal"]) == 0
    assert Path("runs/chip/history.svg").read_bytes() == first
    capsys.readouterr()
    assert "no study of that name" in refused(capsys, "plot", "chip")
    assert "no study was saved" in refused(capsys, "studies", "plot", "chip")
    searched(capsys, "hardware.cores=range(16,33,4)", "hardware.hbm_gb=64,80", "study.name=one",
             "objectives=[ttft_s]", "n_trials=10", "study.certificate_s=0")
    assert main(["plot", "one"]) == 0
    assert "no figure front: a study of a single objective has no front" in capsys.readouterr().out


def test_delete_asks_first(capsys: pytest.CaptureFixture[str]) -> None:
    searched(capsys, *QUICK, "space=chip", "study.name=chip")
    assert "yes=true" in refused(capsys, "studies", "delete", "chip")
    assert main(["studies", "delete", "chip", "yes=true"]) == 0
    capsys.readouterr()
    assert "study chip is not in" in refused(capsys, "studies", "show", "chip")
    assert searched(capsys, *QUICK, "space=chip", "study.name=chip")["complete"] == 12


def test_evaluate_with_the_sweeper_is_the_same_thing(capsys: pytest.CaptureFixture[str]) -> None:
    first = searched(capsys, *QUICK, "space=chip", "study.name=first")
    sweeper = ("-m", "hydra/sweeper=study", "output=json")
    assert main(["evaluate", *sweeper, *QUICK, "space=chip", "study.name=second"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["best"] == first["best"]


def test_a_notebook_has_the_same_search(capsys: pytest.CaptureFixture[str]) -> None:
    first = searched(capsys, *QUICK, "space=chip", "study.name=chip")
    study = dse.search("space=chip", "sampler=random", "study.certificate_s=0", n_trials=15, name="chip")
    assert study.described()["complete"] == 15
    assert dse.load_study("chip").described()["complete"] == 15
    assert first["hypervolume"] > 0.0
    assert len(study.study().trials) == 15


def test_help_says_it_all_and_imports_nothing_heavy(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("search", "studies"):
        assert main([verb, "--help"]) == 0
        assert "examples:" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "words"), [
    ([], ["space is empty", "interval"]),
    (["hardware.l2_mib=8"], ["space is empty"]),
    (["hardware.l2_mib=interval(64,8)"], ["interval(64,8)", "lower one first"]),
    (["hardware.l2_mib=interval(-8,8)"], ["hardware.l2_mib=-8", ">= 1e-09"]),
    (["hardware.l2_mb=interval(8,16)"], ["hardware.l2_mb is unknown", "hardware.l2_mib"]),
    (["hardware=h100,h1000"], ["hardware=h1000", "h100"]),
    (["traffic.batch=interval(1.5,8)"], ["traffic.batch", "whole"]),
    (["space=chip", "n_trials=0"], ["n_trials=0", ">= 1"]),
    (["space=chip", "n_trials=many"], ["n_trials=many"]),
    (["space=nothing"], ["space=nothing", "chip"]),
    (["space=chip", "sampler=cmaes"], ["sampler=cmaes"]),
    (["space=chip", "sampler=grid"], ["sampler=grid", "continuous"]),
    (["space=chip", "objectives=[beauty]"], ["objectives=beauty", "ttft_s"]),
    (["space=chip", "objectives=[ttft_s:up]"], ["objectives=ttft_s:up", "maximize"]),
    (["space=chip", "limits={group_usd:-1}"], ["limits.group_usd=-1", "> 0"]),
    (["space=chip", "study.nme=x"], ["study.nme is unknown", "study.name"]),
    (["space=chip", "storage=mysql://here"], ["storage=mysql://here", "postgresql"]),
    (["space=chip", "output=yaml"], ["output=yaml"]),
    (["space=chip", "objectives=5"], ["objectives=5", "list"]),
    (["space=chip", "limits=5"], ["limits=5", "by metric"]),
    (["space=chip", "study.certificate_s=nan"], ["study.certificate_s=nan", "seconds"]),
    (["technique.kv_cache=interval(0,1)"], ["technique.kv_cache=", "takes true or false"]),
    (["hardware.l2_mib=choice([1],2)"], ["hardware.l2_mib=choice([1],2)", "number, a word"]),
    (["hardware.l2_mib=range(8,16,0)"], ["hardware.l2_mib=range(8,16,0)", "a step other than 0"]),
    (["hardware.hbm_gb_per_s=interval(1e3,1e300)"], ["hardware.hbm_gb_per_s=1e+300", "<= 1e+09"]),
    (["hardware.l2_mib=8,16", "hardware.l2_mib=interval(3,4)"], ["hardware.l2_mib is given twice"]),
])
def test_bad_input_is_one_sentence_and_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path,
                                                      arguments: list[str], words: list[str]) -> None:
    text = refused(capsys, "search", *arguments)
    assert all(word in text for word in words), text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("arguments", "words"), [
    ([], ["list, show"]), (["show"], ["takes 1 name"]), (["list", "colour=red"], ["colour=red"]),
    (["export", "a", "format=xml"], ["format=xml", "parquet"]), (["show", "a"], ["no study was saved"])])
def test_bad_words_to_studies_are_one_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str],
                                               words: list[str]) -> None:
    text = refused(capsys, "studies", *arguments)
    assert all(word in text for word in words), text
