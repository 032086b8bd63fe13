"""Constants come back from tables that the model made; rows are read, picked and left out as said."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml
from builders import CONF, option, style_of
from calibration.synthetic import DEVICES, TRUTH, rows, write_tables

from dse.calibration.__main__ import main
from dse.calibration.fit import PARTS, Fitted, errors, fit_with_intervals, groups
from dse.calibration.predict import impossible, predicted_s
from dse.calibration.report import report
from dse.calibration.study import FITTED, HELD_OUT, calibration
from dse.calibration.style_file import style_yaml
from dse.calibration.tables import ALL_GATHER, ALL_REDUCE, DECODE_ATTENTION, GEMM, REDUCE_SCATTER, Row, read_folder
from dse.errors import InputError
from dse.figures.residuals import draw_residuals, residuals_data
from dse.latency.style import latency_style

BOTH = ("a100_sxm", "h100_sxm")
NAMES = [name for _, names in PARTS.values() for name in names]


def test_constants_come_back() -> None:
    """Tables of both chips, without noise, from constants far from the start: each within 3 %, inside its interval."""
    found, intervals = fit_with_intervals(rows(BOTH), DEVICES, style_of("h100"))
    for name in NAMES:
        assert getattr(found, name) == pytest.approx(getattr(TRUTH, name), rel=0.03), name
        low, base, high = intervals[name]
        assert low <= base == getattr(found, name) <= high


def test_constants_of_one_chip_predict_the_other() -> None:
    """The model is right about itself: fitted on A100 alone, H100 is predicted within 2 % on average."""
    made = rows(BOTH)
    found = calibration(made, DEVICES, style_of("h100"), {})
    alone = next(split for split in found.splits if split.fitted_on == ("a100_sxm",))
    for table in alone.tables:
        assert table.split == (FITTED if table.system == "a100_sxm" else HELD_OUT)
        if table.kind != ALL_REDUCE:  # A100 says nothing of a switch that adds
            assert table.mean_absolute < 0.02
    assert [split.fitted_on for split in found.splits] == [BOTH, ("a100_sxm",), ("h100_sxm",)]
    assert found.impossible_rows == 0


def test_a_ring_comes_back_and_its_halves_are_checked_alone() -> None:
    """Collectives of a library on A100: all constants but the switch's come back from its all-reduces.

    All-gathers and reduce-scatters that took half as long again are said to be a third too fast and move no constant.
    """
    truth, start = TRUTH._replace(short_ring=1.0), style_of("a100")._replace(short_ring=1.0)
    reduces = [row for row in rows(["a100_sxm"], truth) if row.kind == ALL_REDUCE]
    halves = [row._replace(kind=kind) for row in reduces for kind in (ALL_GATHER, REDUCE_SCATTER)]
    slow = [row._replace(time_s=1.5 * predicted_s(row, DEVICES["a100_sxm"], truth)) for row in halves]
    found = calibration(reduces + slow, DEVICES, start, {})
    for name in PARTS["collectives"][1][:-1]:
        assert getattr(found.style, name) == pytest.approx(getattr(truth, name), rel=0.05), name
    said = {table.kind: (table.split, table.bias) for table in found.splits[0].tables}
    assert said[ALL_REDUCE] == (FITTED, pytest.approx(0.0, abs=0.01))
    for kind in (ALL_GATHER, REDUCE_SCATTER):
        assert said[kind] == (HELD_OUT, pytest.approx(1.0 / 1.5 - 1.0, abs=0.02))


def test_a_constant_without_rows_keeps_its_place() -> None:
    """Only GEMM of A100: attention and collectives stay as they were."""
    start = style_of("h100")
    found, intervals = fit_with_intervals([row for row in rows(["a100_sxm"]) if row.kind == GEMM], DEVICES, start)
    assert found.attention_floor_s == pytest.approx(start.attention_floor_s)
    assert found.one_shot_startup_s == start.one_shot_startup_s
    assert "one_shot_startup_s" not in intervals
    assert found.matmul_share == pytest.approx(TRUTH.matmul_share, rel=0.03)


def test_the_program_from_folder_to_style(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables, out = tmp_path / "tables", tmp_path / "out"
    tables.mkdir()
    write_tables(tables, rows(["a100_sxm"]))
    assert main([str(tables), "--name", "mine", "--out", str(out), "--date", "2026", "--source", 'our "lab"']) == 0
    assert sorted(path.name for path in out.iterdir()) == ["mine.yaml", "report.md", "residuals.png", "residuals.svg"]
    written = yaml.safe_load((out / "mine.yaml").read_text(encoding="utf-8"))
    style = latency_style(written)
    assert style.matmul_share == pytest.approx(TRUTH.matmul_share, rel=0.03)
    assert (written["matmul_share"]["mark"], written["matmul_share"]["source"]) == ("fitted", 'our "lab"')
    assert written["l2_usable_share"] == option("latency", "gpu")["l2_usable_share"]
    assert "## Fitted on a100_sxm" in (out / "report.md").read_text(encoding="utf-8")
    assert "mine.yaml" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["nowhere"], "FOLDER=nowhere is not allowed: it is no folder"),
    ([str(CONF)], "it holds no table with a known name"),
])
def test_a_folder_that_cannot_be_is_refused(arguments: list[str], sentence: str,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_unknown_hardware_and_no_rows_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tables(tmp_path, rows(["a100_sxm"]))
    assert main([str(tmp_path), "--device", "a100_sxm=b900"]) == 2
    assert "hardware=b900 is not allowed: choose one of " in capsys.readouterr().err
    assert main([str(tmp_path), "--only", "nobody"]) == 2
    assert "--only and --without leave no row" in capsys.readouterr().err


def test_repeated_rows_count_once_and_unfit_ones_are_said(tmp_path: Path) -> None:
    """Three times 10, 11 and 30 us: the middle one. Sides below 512, messages above 64 MB, all-to-alls are no part."""
    (tmp_path / "gemm_fp8_x100_pcie_vllm_1.0.csv").write_text(
        "m,n,k,latency_us\n1,512,512,10\n1,512,512,30\n1,512,512,11\n1,64,512,5\n", encoding="utf-8")
    (tmp_path / "nccl_collectives_x.csv").write_text(
        "system,op_name,nccl_dtype,num_gpus,bytes,latency_us\nx100_pcie,all_reduce,half,8,8192,20\n"
        "x100_pcie,all_reduce,half,8,134217728,900\nx100_pcie,all_gather,half,8,8192,15\n"
        "x100_pcie,alltoall,half,8,8192,16\nx100_pcie,reduce_scatter,int8,8,8192,15\n", encoding="utf-8")
    found = read_folder(tmp_path)
    assert sorted(found.rows) == [
        Row("x100_pcie", "NCCL", ALL_GATHER, "bf16", (8.0, 8192.0), pytest.approx(15e-6)),
        Row("x100_pcie", "NCCL", ALL_REDUCE, "bf16", (8.0, 8192.0), pytest.approx(20e-6)),
        Row("x100_pcie", "vllm", GEMM, "fp8", (1.0, 512.0, 512.0), pytest.approx(11e-6))]
    assert found.left_out == {("gemm_fp8_x100_pcie_vllm_1.0.csv", "no shape of a transformer"): 1,
                              ("nccl_collectives_x.csv", "message below 4 KB or above 64 MB"): 1}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "gemm_bf16_x100_vllm_1.0.csv").write_text("m,n,latency_us\n1,512,10\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"gemm_bf16_x100_vllm_1\.0\.csv cannot be read: .*'k'"):
        read_folder(tmp_path)


def test_a_cache_read_faster_than_hbm_is_impossible() -> None:
    """64 sequences of 16384 tokens, 8 KV heads: 4 GiB in 2.0 ms would be 2.15 TB/s of A100's 2.039; in 2.2 ms not."""
    row = Row("a100_sxm", "vllm", DECODE_ATTENTION, "bf16", (64.0, 16384.0, 64.0, 8.0), 2.0e-3)
    assert impossible(row, DEVICES["a100_sxm"])
    assert not impossible(row._replace(time_s=2.2e-3), DEVICES["a100_sxm"])
    assert not impossible(row._replace(shape=(1.0, 128.0, 64.0, 8.0), time_s=1e-7), DEVICES["a100_sxm"])


def test_report_and_figure_of_a_calibration() -> None:
    made = rows(["a100_sxm"])
    found = calibration(made, DEVICES, TRUTH, {})
    text = report(found, {("table.csv", "a reason"): 3}, "the command")
    assert "| matmul_share | 0.71 |" in text
    assert "| table.csv | a reason | 3 |" in text
    panels = residuals_data(found)
    assert len(panels) == len(groups(made)) == 4
    assert all(panel.mean_absolute < 0.01 for panel in panels)
    assert len(draw_residuals(panels).axes) == 6


def test_a_style_file_reads_back() -> None:
    raw = option("latency", "gpu")
    text = style_yaml("other", "a comment", raw, {"hbm_share": Fitted(0.5, 0.61234, 0.7)}, "2026", "here")
    read = yaml.safe_load(text)
    assert read["hbm_share"] == {"low": 0.5, "base": 0.612, "high": 0.7, "unit": "share", "date": 2026,
                                 "mark": "fitted", "source": "here"}
    assert {key: value for key, value in read.items() if key not in ("hbm_share", "name")} == {
        key: value for key, value in raw.items() if key not in ("hbm_share", "name")}


def test_a_style_file_keeps_its_choices() -> None:
    """A library's style is written with its ring, one without a word of it without."""
    raw = {**option("latency", "gpu"), "short_ring": True}
    ring = yaml.safe_load(style_yaml("other", "a comment", raw, {}, "2026", "here"))
    assert latency_style(ring) == style_of("h100")._replace(short_ring=1.0)
    silent = {key: value for key, value in option("latency", "gpu").items() if key != "short_ring"}
    assert "short_ring" not in style_yaml("other", "a comment", silent, {}, "2026", "here")


def test_errors_are_relative() -> None:
    row = rows(["a100_sxm"])[0]
    found = errors([row._replace(time_s=2.0 * row.time_s)], DEVICES, TRUTH)
    assert math.isclose(float(found[0]), -0.5)
