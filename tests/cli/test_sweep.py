"""`dse sweep` as a user types it: tables, front, figures, summary, and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pytest
from command_line import refused

from dse.cli import grid_sweep
from dse.cli.main import main
from dse.grid import designs
from dse.grid.designs import SituationBlocks

GRID = ("hardware.l2_mib=8,40,104", "hardware.hbm_gb_per_s=1600,3200", "name=grid", "figures=false")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_grid_is_tabulated_with_and_without_the_technique(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *GRID[:-1]]) == 0
    summary = capsys.readouterr().out
    table = rows(Path("runs/grid/results.csv"))
    assert len(table) == 3 * 2 * 2
    assert list(table[0])[:3] == ["hardware.l2_mib", "hardware.hbm_gb_per_s", "technique"]
    assert {(row["hardware.l2_mib"], row["hardware.hbm_gb_per_s"], row["technique"]) for row in table} == {
        (l2, hbm, technique) for l2 in ("8", "40", "104") for hbm in ("1600", "3200") for technique in
        ("none", "preserve")}
    same = parquet.read_table("runs/grid/results.parquet").to_pylist()
    assert [float(row["ttft_s"]) for row in table] == [row["ttft_s"] for row in same]
    for technique in ("none", "preserve"):
        assert technique in summary
    assert "runs/grid" in summary
    assert Path("runs/grid/summary.txt").read_text() == summary
    suffixes = {path.suffix for path in Path("runs/grid").iterdir()}
    assert suffixes >= {".csv", ".parquet", ".json", ".png", ".svg", ".txt"}


def test_without_a_technique_its_parameters_change_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Switches and limits of the technique, one of them no number, are axes; all rows of `none` are the same design."""
    assert main(["sweep", "technique.kv_cache=true,false", "technique.limit_mib=null,16", "name=own"]) == 0
    capsys.readouterr()
    table = rows(Path("runs/own/results.csv"))
    times = {technique: [row["request_s"] for row in table if row["technique"] == technique]
             for technique in ("none", "preserve")}
    assert len(times["none"]) == len(times["preserve"]) == 4
    assert len(set(times["none"])) == 1
    assert len(set(times["preserve"])) == 4
    assert max(times["preserve"], key=float) < times["none"][0]


def test_a_row_is_the_evaluation_of_that_design_bit_for_bit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *GRID]) == 0
    capsys.readouterr()
    for row in rows(Path("runs/grid/results.csv")):
        assert main(["evaluate", "output=json", f"hardware.l2_mib={row['hardware.l2_mib']}",
                     f"hardware.hbm_gb_per_s={row['hardware.hbm_gb_per_s']}", f"technique={row['technique']}"]) == 0
        one = json.loads(capsys.readouterr().out)["technique_metrics"]
        for part, key in (("latency", "ttft_s"), ("latency", "tpot_s"), ("cost", "group_usd"), ("area", "die_mm2"),
                          ("objective", "tokens_per_s_per_usd")):
            assert float(row[key]) == one[part][key], key


def test_the_best_of_each_technique_and_the_front_are_exact(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *GRID]) == 0
    capsys.readouterr()
    table = rows(Path("runs/grid/results.csv"))
    record = json.loads(Path("runs/grid/sweep.json").read_text())
    assert [found["technique"] for found in record["best"]] == ["none", "preserve"]
    for found in record["best"]:
        values = [float(row["tokens_per_s_per_usd"]) for row in table
                  if row["technique"] == found["technique"] and float(row["feasible"])]
        assert found["tokens_per_s_per_usd"] == max(values)
    points = {(float(row["throughput_tokens_per_s"]), float(row["group_usd"])) for row in table
              if float(row["feasible"])}
    exact = {one for one in points if not any(
        other[0] >= one[0] and other[1] <= one[1] and other != one for other in points)}
    front = {(float(row["throughput_tokens_per_s"]), float(row["group_usd"])) for row in
             rows(Path("runs/grid/pareto.csv"))}
    assert front == exact


def test_groups_and_formats_are_axes_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "hardware=a100,h100", "precision.kv_cache=bf16,int8", "technique=none,preserve_kv",
                 "traffic.batch=1,8", "precision=int8", "name=kinds", "figures=false"]) == 0
    capsys.readouterr()
    table = rows(Path("runs/kinds/results.csv"))
    assert len(table) == 16
    assert {row["hardware"] for row in table} == {"a100", "h100"}
    assert {row["technique"] for row in table} == {"none", "preserve_kv"}
    tpot = {(row["hardware"], row["precision.kv_cache"], row["technique"], row["traffic.batch"]): float(row["tpot_s"])
            for row in table}
    assert tpot["a100", "int8", "none", "8"] < tpot["a100", "bf16", "none", "8"]
    assert tpot["h100", "int8", "none", "8"] < tpot["a100", "int8", "none", "8"]


def test_a_constant_and_a_range_are_axes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "cost.process.wafer_usd=9000,18000", "hardware.l2_mib=range(8,41,16)", "technique=none",
                 "name=constants", "figures=false"]) == 0
    capsys.readouterr()
    table = rows(Path("runs/constants/results.csv"))
    assert [row["hardware.l2_mib"] for row in table] == ["8", "24", "40"] * 2
    dies = np.array([float(row["die_usd"]) for row in table]).reshape(2, 3)
    np.testing.assert_allclose(dies[1], 2.0 * dies[0], rtol=1e-12)


def test_infeasible_designs_are_rows_and_never_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "parallelism.tensor_parallel=1,2,8", "precision=bf16", "name=tight", "figures=false"]) == 0
    summary = capsys.readouterr().out
    table = rows(Path("runs/tight/results.csv"))
    by_split = {row["parallelism.tensor_parallel"]: row for row in table}
    assert float(by_split["1"]["hbm_capacity"]) > 0.0
    assert float(by_split["1"]["feasible"]) == 0.0
    assert json.loads(Path("runs/tight/sweep.json").read_text())["best"][0]["parallelism.tensor_parallel"] == 8
    assert "feasible" in summary


def test_no_feasible_design_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "hardware.hbm_gb=1,2", "name=nothing"]) == 0
    assert "no design is feasible" in capsys.readouterr().out
    assert len(rows(Path("runs/nothing/pareto.csv"))) == 0


def test_no_feasible_design_is_said_without_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "hardware.hbm_gb=1,2", "table=false", "name=nothing"]) == 0
    assert "4 designs, 4 evaluations, settled" in capsys.readouterr().out
    assert rows(Path("runs/nothing/results.csv")) == rows(Path("runs/nothing/pareto.csv")) == []


def test_the_same_command_gives_the_same_numbers_and_replaces_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *GRID]) == 0
    first = Path("runs/grid/results.csv").read_bytes()
    assert main(["sweep", *GRID]) == 0
    assert Path("runs/grid/results.csv").read_bytes() == first
    assert sorted(path.name for path in Path("runs").iterdir()) == ["grid"]
    assert "holds something else" in _refusal_after_run(capsys, "hardware.l2_mib=8,16", "name=grid")
    assert Path("runs/grid/results.csv").read_bytes() == first


def _refusal_after_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    return refused(capsys, "sweep", *arguments)


def test_the_record_can_make_the_sweep_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *GRID]) == 0
    capsys.readouterr()
    record = json.loads(Path("runs/grid/sweep.json").read_text())
    assert {"dse", "git_commit", "python"} <= set(record["provenance"])
    wafer = record["configuration"]["cost"]["process"]["wafer_usd"]
    assert wafer["low"] <= wafer["base"] <= wafer["high"]
    assert wafer["source"]
    first = Path("runs/grid/results.csv").read_bytes()
    assert main(record["command"][1:]) == 0
    assert Path("runs/grid/results.csv").read_bytes() == first


def test_evaluate_with_the_sweeper_is_the_same_thing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *GRID]) == 0
    first = Path("runs/grid/results.csv").read_bytes()
    assert main(["evaluate", "--multirun", "hydra/sweeper=grid", *GRID[:-2], "name=other", "figures=false"]) == 0
    capsys.readouterr()
    assert Path("runs/other/results.csv").read_bytes() == first


def test_plot_draws_a_saved_sweep_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *GRID[:-1]]) == 0
    pictures = {path.name: path.read_bytes() for path in Path("runs/grid").glob("*.svg")}
    assert pictures
    for name in pictures:
        Path("runs/grid", name).unlink()
    assert main(["plot", "runs/grid"]) == 0
    assert {path.name: path.read_bytes() for path in Path("runs/grid").glob("*.svg")} == pictures
    capsys.readouterr()
    assert "no sweep" in refused(capsys, "plot", "runs/none")


def test_the_command_line_wins_over_an_axis_of_an_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "experiment=preserve_l2", "hardware.l2_mib=8,16", "name=own", "figures=false"]) == 0
    capsys.readouterr()
    assert {row["hardware.l2_mib"] for row in rows(Path("runs/own/results.csv"))} == {"8", "16"}


def test_a_key_that_others_refer_to_moves_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    axis = "latency.one_shot_startup_us=5,50"
    assert main(["sweep", axis, "technique=none", "name=one", "figures=false"]) == 0
    assert main(["sweep", axis, "technique=none", "latency.two_shot_startup_us=${latency.one_shot_startup_us}",
                 "name=both", "figures=false"]) == 0
    capsys.readouterr()
    one, both = (float(rows(Path("runs", name, "results.csv"))[1]["tpot_s"]) for name in ("one", "both"))
    assert both > one


def test_each_model_has_its_own_best_and_its_own_front(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "model=llama3_8b,qwen2_7b", "hardware.l2_mib=8,40", "technique=none,preserve", "name=models",
                 "figures=false"]) == 0
    assert "one front for each model" in capsys.readouterr().out
    record = json.loads(Path("runs/models/sweep.json").read_text())
    assert [(row["model"], row["technique"]) for row in record["best"]] == [
        ("llama3_8b", "none"), ("llama3_8b", "preserve"), ("qwen2_7b", "none"), ("qwen2_7b", "preserve")]
    assert {row["model"] for row in rows(Path("runs/models/pareto.csv"))} == {"llama3_8b", "qwen2_7b"}


def test_less_is_better_where_the_metric_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", *GRID, "objective=usd_per_million_tokens"]) == 0
    capsys.readouterr()
    table = rows(Path("runs/grid/results.csv"))
    for found in json.loads(Path("runs/grid/sweep.json").read_text())["best"]:
        assert found["usd_per_million_tokens"] == min(
            float(row["usd_per_million_tokens"]) for row in table
            if row["technique"] == found["technique"] and float(row["feasible"]))


def test_plot_draws_an_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "output=json"]) == 0
    Path("design.json").write_text(capsys.readouterr().out)
    assert main(["plot", "design.json"]) == 0
    capsys.readouterr()
    assert {path.name for path in Path().iterdir()} == {
        "design.json", "design_latency.png", "design_latency.svg", "design_cost.png", "design_cost.svg"}
    Path("other.json").write_text("{}")
    assert "other.json holds no evaluation" in refused(capsys, "plot", "other.json")
    damaged = json.loads(Path("design.json").read_text())
    damaged["baseline"]["cost"]["items_usd"] = {"die": 0.0}
    Path("other.json").write_text(json.dumps(damaged))
    assert "baseline.cost.items_usd are no finite amounts" in refused(capsys, "plot", "other.json")
    damaged["provenance"] = None
    Path("other.json").write_text(json.dumps(damaged))
    assert "other.json holds no evaluation" in refused(capsys, "plot", "other.json")


def test_fronts_without_a_table_are_those_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    axes = ["hardware.l2_mib=range(8,129,8)", "hardware.hbm_gb_per_s=800,1600,1800", "hardware.link_gb_per_s=100,196",
            "traffic.total_tokens=4096,16384", "objective=tokens_per_s_per_mm2", "figures=false"]
    assert main(["sweep", *axes, "name=table"]) == 0
    assert main(["sweep", *axes, "name=fronts", "table=false"]) == 0
    assert "384 designs, 384 evaluations, settled" in capsys.readouterr().out
    front = [{tuple(row.items()) for row in rows(Path("runs", name, "pareto.csv"))} for name in ("table", "fronts")]
    assert front[0] == front[1]
    records = [json.loads(Path("runs", name, "sweep.json").read_text()) for name in ("table", "fronts")]
    assert records[0]["best"] == records[1]["best"]
    assert records[0]["designs"] == records[1]["designs"] == 2 * 16 * 3 * 2 * 2


SITUATIONS = ("traffic.prompt_tokens=range(64,1024,64)", "hardware.l2_mib=range(8,129,8)", "table=false",
              "figures=false", "name=many")


def test_an_interrupted_sweep_over_many_situations_goes_on_where_it_was(capsys: pytest.CaptureFixture[str],
                                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """15 prompts with 16 sizes of L2 each: blocks of 64 designs are 4 of each technique, and 3 of the 8 are 37.5 %."""
    monkeypatch.setattr(designs, "BLOCK", 64)
    assert main(["sweep", *SITUATIONS]) == 0
    whole = Path("runs/many/results.csv").read_bytes()
    settled, worked_out = SituationBlocks.places, list[int]()

    def stopped(self: SituationBlocks, number: int, *sought: Any) -> Any:
        if len(worked_out) == 3:
            raise KeyboardInterrupt
        worked_out.append(number)
        return settled(self, number, *sought)

    with monkeypatch.context() as patched:
        patched.setattr(SituationBlocks, "places", stopped)
        for _ in range(2):  # the second time before anything more is done
            assert main(["sweep", *SITUATIONS]) == 130
            assert "interrupted with 37.5% of the work done" in capsys.readouterr().err
        worked_out.clear()
        patched.setattr(SituationBlocks, "places", lambda *given: worked_out.append(0) or settled(*given))
        assert main(["sweep", *SITUATIONS]) == 0
    assert len(worked_out) == 5
    assert "went on with what an interrupted run had settled" in capsys.readouterr().out
    assert Path("runs/many/results.csv").read_bytes() == whole


def test_a_hundred_million_designs_have_their_exact_best(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "hardware.l2_mib=range(1,257)", "hardware.hbm_gb_per_s=range(800,1801,2)",
                 "hardware.link_gb_per_s=range(100,401,1)", "hardware.cores=range(16,33)", "name=large",
                 "figures=false"]) == 0
    said = capsys.readouterr().out
    assert "more than 500,000 designs: the exact front and the bests alone" in said
    assert "evaluations, the rest proved not to matter" in said
    record = json.loads(Path("runs/large/sweep.json").read_text())
    assert record["designs"] == 2 * 256 * 501 * 301 * 17
    assert record["evaluated"] < record["designs"] / 100
    assert [row["technique"] for row in record["best"]] == ["none", "preserve"]
    assert [path.name for path in Path("runs").iterdir()] == ["large"]


def test_a_table_is_made_where_it_is_sensible_or_asked_for(capsys: pytest.CaptureFixture[str],
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid_sweep, "LARGEST_UNASKED_TABLE", 5)
    assert main(["sweep", *GRID]) == 0
    assert "the exact front and the bests alone" in capsys.readouterr().out
    assert len(rows(Path("runs/grid/results.csv"))) < 12
    shutil.rmtree("runs")
    assert main(["sweep", *GRID, "table=true"]) == 0
    assert "the exact front and the bests alone" not in capsys.readouterr().out
    assert len(rows(Path("runs/grid/results.csv"))) == 12
