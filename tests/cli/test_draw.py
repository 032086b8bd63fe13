"""Which figures a sweep gets, and along which axis."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import refused

from dse.cli.main import main


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def drawn(folder: str = "runs/one") -> set[str]:
    return {path.name for path in Path(folder).glob("*.svg")}


@pytest.mark.parametrize(("axes", "figures"), [
    (["hardware.l2_mib=8,16", "traffic.batch=1,2,4"], {"performance_per_cost.svg", "pareto.svg"}),
    (["hardware.l2_mib=8,16", "objective=tpot_s"], {"objective_along.svg", "pareto.svg"}),
    (["traffic.batch=1,2,4", "objective=tpot_s"], {"objective_along.svg", "pareto.svg"}),
    (["technique.limit_mib=0,16,32", "technique.managed_l2=true,false"], {"objective_along.svg", "pareto.svg"}),
    (["hardware.hbm_gb_per_s=800,1600"], {"pareto.svg"}),
    (["technique.managed_l2=true,false", "technique.kv_cache=true"], {"pareto.svg"}),
    (["traffic.batch=8,16,max", "hardware.l2_mib=8,16"], {"performance_per_cost.svg", "pareto.svg"}),
    (["traffic.batch=1,2,4", "technique=none,preserve,overlap"],
     {"objective_along.svg", "pareto.svg", "speedup.svg"}),
    (["traffic.batch=1,2,4", "technique=preserve,overlap"], {"objective_along.svg", "pareto.svg"}),
], ids=["l2", "l2_less", "less", "limit", "two_values", "switch", "words", "techniques", "techniques_without_none"])
def test_the_curve_is_drawn_along_l2_or_the_longest_numeric_axis(axes: list[str], figures: set[str]) -> None:
    assert main(["sweep", *axes, "name=one"]) == 0
    assert drawn() == figures


def test_plot_draws_along_the_axis_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "traffic.batch=1,2,4", "hardware.hbm_gb_per_s=800,1600", "technique=none,preserve",
                 "name=one"]) == 0
    first = Path("runs/one/objective_along.svg").read_bytes()
    assert main(["plot", "runs/one", "along=hardware.hbm_gb_per_s"]) == 0
    assert Path("runs/one/objective_along.svg").read_bytes() != first
    assert main(["plot", "runs/one"]) == 0
    assert Path("runs/one/objective_along.svg").read_bytes() == first
    capsys.readouterr()
    said = refused(capsys, "plot", "runs/one", "along=technique")
    assert "along=technique" in said
    assert "traffic.batch, hardware.hbm_gb_per_s" in said
    assert "along=traffic.batch" in refused(capsys, "plot", "design.json", "along=traffic.batch")


def test_fronts_alone_have_no_curve(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "traffic.batch=1,2,4", "hardware.hbm_gb_per_s=800,1600", "table=false", "name=one"]) == 0
    assert drawn() == {"pareto.svg"}
    capsys.readouterr()
    assert "the fronts alone" in refused(capsys, "plot", "runs/one", "along=traffic.batch")
