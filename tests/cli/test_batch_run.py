"""The verbs of batches compose once themselves, and leave to Hydra what asks for more of Hydra."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import refused

from dse.cli import batch_run
from dse.cli.main import main

GRID = ("hardware.l2_mib=8,40", "figures=false")
CALLBACK = """# @package _global_
hydra:
  callbacks:
    said:
      _target_: hydra.experimental.callbacks.LogJobReturnCallback
"""


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def given_to_hydra(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines that Hydra's own entry was given; they run all the same."""
    seen: list[list[str]] = []
    hydra_entry = batch_run.run_under_hydra

    def noted(task: object, arguments: list[str]) -> None:
        seen.append(arguments)
        hydra_entry(task, arguments)

    monkeypatch.setattr(batch_run, "run_under_hydra", noted)
    return seen


def test_a_plain_sweep_is_composed_once(given_to_hydra: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    composed = []
    load = ConfigLoaderImpl.load_configuration
    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration",
                        lambda *given, **named: composed.append(1) or load(*given, **named))
    assert main(["sweep", *GRID, "name=once"]) == 0
    assert len(composed) == 1
    assert given_to_hydra == []


@pytest.mark.parametrize("more", ["hydra.verbose=false", "+hydra.job.chdir=false", "--config-dir=."])
def test_a_flag_or_a_setting_of_hydra_is_for_hydra_and_gives_the_same(more: str,
                                                                       given_to_hydra: list[list[str]]) -> None:
    assert main(["sweep", *GRID, "name=ours"]) == 0
    assert main(["sweep", *GRID, "name=hydras", more]) == 0
    assert given_to_hydra == [["--multirun", "hydra/sweeper=grid", *GRID, "name=hydras", more]]
    assert Path("runs/ours/results.csv").read_bytes() == Path("runs/hydras/results.csv").read_bytes()


def test_what_a_configuration_file_asks_of_hydra_is_for_hydra(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped, mine = Path(batch_run.__file__).resolve().parents[2] / "conf", Path("conf").resolve()
    Path(mine, "experiment").mkdir(parents=True)
    Path(mine, "experiment", "called.yaml").write_text(CALLBACK)
    for entry in shipped.iterdir():
        if entry.name != "experiment":
            Path(mine, entry.name).symlink_to(entry)
    seen: list[list[str]] = []
    monkeypatch.setattr(batch_run, "configuration_folder", lambda: mine)
    monkeypatch.setattr(batch_run, "run_under_hydra", lambda task, arguments: seen.append(arguments))
    assert main(["sweep", *GRID, "experiment=called"]) == 0
    assert seen == [["--multirun", "hydra/sweeper=grid", *GRID, "experiment=called"]]
    assert not Path("runs").exists()


def test_what_cannot_be_composed_is_one_sentence_as_under_hydra(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("hardware=nothing", "hardware.l2=8", "hardware.l2_mib=8,", "traffic.batch=[1"):
        ours = refused(capsys, "sweep", "hardware.hbm_gb_per_s=1600,3200", wrong)
        theirs = refused(capsys, "sweep", "hardware.hbm_gb_per_s=1600,3200", wrong, "hydra.verbose=false")
        assert ours.replace(" hydra.verbose=false", "") == theirs.replace("--multirun hydra/sweeper=grid ", "").replace(
            " hydra.verbose=false", "")
