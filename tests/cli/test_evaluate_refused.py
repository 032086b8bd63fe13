"""What `dse evaluate` refuses, each in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import refused

from dse.case import GROUPS
from dse.cli.hydra_run import composed, groups
from dse.cli.main import main
from dse.errors import InputError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("overrides", "words"), [
    (["hardware.l2_mb=8"], ["hardware.l2_mb", "hardware.l2_mib"]),
    (["hardwear=h100"], ["hardwear"]),
    (["hardware=h1000"], ["hardware=h1000", "h100", "ascend_910b"]),
    (["cost/process=n1"], ["cost/process=n1", "n5"]),
    (["hardware.l2_mib=large"], ["hardware.l2_mib=large", "number", "MiB"]),
    (["hardware.l2_mib=-8"], ["hardware.l2_mib=-8", ">= 1e-09"]),
    (["hardware.l2_mib=0"], ["hardware.l2_mib=0", ">= 1e-09"]),
    (["traffic.batch=2.5"], ["traffic.batch=2.5", "whole number"]),
    (["traffic.batch=0"], ["traffic.batch=0", ">= 1"]),
    (["parallelism.tensor_parallel=0"], ["parallelism.tensor_parallel=0"]),
    (["model.kv_heads=7"], ["model.kv_heads=7", "divide"]),
    (["precision.weights=fp7"], ["precision.weights=fp7", "int8"]),
    (["hardware=a100", "precision=fp8"], ["a100", "fp8"]),
    (["parallelism.tensor_parallel=1", "precision=bf16"], ["hardware.hbm_gb=64", "weights"]),
    (["output=xml"], ["output=xml", "json"]),
    (["objective=beauty"], ["objective=beauty", "tokens_per_s_per_usd"]),
    (["technique.limit_mib=-1"], ["technique.limit_mib=-1"]),
    (["hardware.l2_mib=8,16"], ["hardware.l2_mib", "dse sweep"]),
    (["hardware.l2_mib"], ["hardware.l2_mib"]),
    (["model.huggingface=/nowhere/config.json"], ["/nowhere/config.json"]),
    (["cost.process.wafer_usd=null"], ["cost.process.wafer_usd"]),
    (["--config-dir", "/nowhere"], ["/nowhere"]),
    (["--fast"], ["--fast", "--config-dir"]),
    (["+colour=red"], ["colour", "objective"]),
    (["+colour.top=red"], ["colour", "hardware"]),
    (["+hardware.colour=red"], ["hardware.colour", "l2_mib"]),
    (["hardware=null"], ["hardware=null"]),
    (["~hardware.l2_mib"], ["hardware.l2_mib is missing"]),
    (["hardware.l2_mib=nan"], ["hardware.l2_mib=nan"]),
    (["hardware.l2_mib=[1,2]"], ["hardware.l2_mib=[1, 2]"]),
    (["hardware.l2_mib=${nothing}"], ["hardware.l2_mib", "nothing"]),
    (["cost.process.wafer_usd.base=1"], ["cost.process.wafer_usd", "low <= base <= high"]),
    (["cost.process.wafer_usd.source=null"], ["cost.process.wafer_usd lacks source"]),
    (["cost.process.wafer_usd.unit=EUR"], ["cost.process.wafer_usd.unit=", "EUR", "USD"]),
    (["traffic.total_tokens=1"], ["traffic.total_tokens=1"]),
    (["a b"], ["a b"]),
    (["hardware.l2_mib=1e300"], ["hardware.l2_mib=1e+300", "<= 1e+09 in MiB"]),
    (["hardware.name=nan"], ["hardware.name=nan", "word"]),
    (["technique.name=[a]"], ["technique.name=", "word"]),
    (["~technique.name"], ["technique.name is missing"]),
    (["model.parameters=nan"], ["model.parameters=nan", "finite"]),
    (["cost.process.wafer_usd.source=[a]"], ["cost.process.wafer_usd.source=", "in words"]),
    (["cost.process.wafer_usd.date=[1]"], ["cost.process.wafer_usd.date=[1]", "year"]),
    (["cost.process.wafer_usd.base=" + "9" * 400], ["cost.process.wafer_usd.base=999", "finite"]),
    (["hardware.topology='a\\nb'"], ["hardware.topology=a", "choose one"]),
    (["~output"], ["output is missing", "output=table"]),
    (["uncertainty=5"], ["uncertainty=5", "percentiles"]),
    (["--config-dir"], ["--config-dir lacks its value"]),
    (["hardware=h100", "--config-dir", ""], ["--config-dir lacks its value"]),
    (["--cfg", "all jobs"], ["--cfg all jobs", "job, hydra, all"]),
])
def test_bad_input_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path, overrides: list[str],
                                   words: list[str]) -> None:
    text = refused(capsys, "evaluate", *overrides)
    assert all(word in text for word in words), text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("text", "words"), [
    ("defaults:\n\t- h100\n", ["hardware=own", "cannot start any token", "line 2"]),
    ("l2_mib: 1\nl2_mib: 2\n", ["hardware=own", "duplicate key l2_mib"]),
    ("a: [1,2\n", ["hardware=own", "line 1"]),
    ("l2_mib: *other\n", ["hardware=own", "undefined alias"]),
    ("5\n", ["hardware=own", "int"]),
    ("", ["latency is missing"]),
    ("defaults: [own]\n", ["hardware=own", "leads back to itself"]),
    ("defaults: [nowhere]\n", ["nowhere"]),
    ("name: \udce9\n", ["hardware=own", "utf-8"]),
])
def test_a_file_that_is_no_configuration_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str,
                                                         words: list[str]) -> None:
    folder = tmp_path / "mine" / "hardware"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_bytes(text.encode(errors="surrogateescape"))
    said = refused(capsys, "evaluate", "hardware=own", "--config-dir", "mine")
    assert all(word in said for word in words), said


def test_a_group_that_is_no_mapping_is_refused() -> None:
    for group in GROUPS:
        for value in (None, 5, "text", [1]):
            with pytest.raises(InputError, match=f"^{group}=.* is not allowed: choose an option of {group}$"):
                groups({**composed([]), group: value}, ())


def test_an_unknown_verb_and_no_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert "evaluate" in refused(capsys, "evalute")
    assert main([]) == 2
    assert "usage: dse VERB" in capsys.readouterr().out
