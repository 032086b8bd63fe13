"""What the system refuses is one sentence that names the file, and exit status 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dse.cli import main as command_line

ROOT = Path(__file__).resolve().parents[2]
FULL = Path("/dev/full")
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from dse.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def ended(folder: Path, arguments: list[str], **streams: object) -> tuple[int, str]:
    process = subprocess.run([sys.executable, *arguments], cwd=folder, stderr=subprocess.PIPE, text=True, check=False,
                             env={**os.environ, "PYTHONPATH": str(ROOT)}, **streams)  # type: ignore[call-overload]
    return process.returncode, process.stderr


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [["--help"], ["explain", "die_usd"], ["evaluate"]])
@pytest.mark.parametrize("how", [["-u"], []])
def test_standard_output(tmp_path: Path, arguments: list[str], how: list[str]) -> None:
    with FULL.open("w") as full:
        found = ended(tmp_path, [*how, "-m", "dse", *arguments], stdout=full)
    assert found == (1, "dse: standard output: No space left on device\n")


@pytest.mark.parametrize(("arguments", "file"), [
    (["sweep", "hardware.l2_mib=8,16", "figures=false", "name=small"], "runs/small/results.csv"),
    (["uncertainty", "hardware.l2_mib=8,16", "figures=false", "name=small", "samples=64"], "runs/small/bands.csv"),
    (["evaluate", "-m", "technique=none,preserve", "hydra.sweep.dir=jobs"], "jobs/multirun.yaml"),
])
def test_a_file_that_cannot_be_written(tmp_path: Path, arguments: list[str], file: str) -> None:
    status, said = ended(tmp_path, ["-c", LIMITED, *arguments], stdout=subprocess.DEVNULL)
    assert status == 1
    last = said.splitlines()[-1]
    assert last.removeprefix(f"dse: {tmp_path}/").removeprefix("dse: ") == f"{file}: File too large"
    assert not list(tmp_path.glob("runs/*"))


def test_an_error_of_no_file_is_of_the_system(monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    def fail(arguments: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("dse.cli.explain.run", fail)
    assert command_line.main(["explain", "die_usd"]) == 1
    assert capsys.readouterr().err == "dse: the system: Too many open files\n"
