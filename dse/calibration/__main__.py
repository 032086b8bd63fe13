"""`python -m dse.calibration FOLDER`: fits a latency style to measured tables, writes it and a report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dse.atomic import write_text
from dse.calibration.report import report
from dse.calibration.study import calibration
from dse.calibration.style_file import style_yaml
from dse.calibration.tables import Row, read_folder
from dse.errors import InputError
from dse.figures.residuals import draw_residuals, residuals_data
from dse.figures.style import save
from dse.hardware import accelerator
from dse.latency.style import latency_style
from dse.shipped import configuration_folder
from dse.version import __version__


def main(arguments: Sequence[str]) -> int:
    """Runs the calibration; 0, or 2 with one sentence where something given is not allowed."""
    given = _parser().parse_args(arguments)
    try:
        _calibrate(given)
    except InputError as error:
        print(f"dse.calibration: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m dse.calibration", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of CSV tables (docs/calibration.md)")
    parser.add_argument("--style", default="gpu", help="style to start from, a file of conf/latency (gpu)")
    parser.add_argument("--name", default="fitted", help="name of the style that is written (fitted)")
    parser.add_argument("--out", type=Path, default=Path("calibration"), help="folder of what is written (calibration)")
    parser.add_argument("--device", action="append", default=[], metavar="SYSTEM=HARDWARE",
                        help="chip of conf/hardware that a system of the tables is; by default the name before its _")
    parser.add_argument("--only", action="append", default=[], metavar="FRAMEWORK", help="use no other framework")
    parser.add_argument("--without", action="append", default=[], metavar="FRAMEWORK", help="leave a framework out")
    parser.add_argument("--date", default="", help="date for the constants' entry")
    parser.add_argument("--source", default="measured by the user", help="source for the constants' entry")
    return parser


def _calibrate(given: argparse.Namespace) -> None:
    folder = read_folder(given.folder)
    rows = [row for row in folder.rows if row.framework not in given.without
            and (not given.only or row.framework in given.only)]
    if not rows:
        raise InputError("--only and --without leave no row of the tables")
    hardware = _hardware(rows, dict(pair.partition("=")[::2] for pair in given.device))
    raw = _option("latency", given.style)
    rates = {(system, form): float(rate) for system, chip in hardware.items()
             for form, rate in (chip.get("matrix_rate") or {}).items()}
    devices = {system: accelerator(chip) for system, chip in hardware.items()}
    found = calibration(rows, devices, latency_style(raw), rates)
    given.out.mkdir(parents=True, exist_ok=True)
    command = "python -m dse.calibration " + " ".join(sys.argv[1:])
    comment = f"Fitted by dse {__version__}: {command}"
    text = style_yaml(given.name, comment, raw, found.constants, given.date or "unknown", given.source)
    write_text(given.out / f"{given.name}.yaml", text)
    write_text(given.out / "report.md", report(found, folder.left_out, command))
    save(draw_residuals(residuals_data(found)), given.out / "residuals", f"dse {__version__}")
    print(f"{given.out}: {given.name}.yaml, report.md, residuals.png, residuals.svg")


def _hardware(rows: Sequence[Row], named: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    systems = sorted({row.system for row in rows})
    return {system: _option("hardware", named.get(system, system.partition("_")[0])) for system in systems}


def _option(group: str, name: str) -> dict[str, Any]:
    """The option `name` of a group with what its defaults list names in the same group; InputError if there is none."""
    path = configuration_folder() / group / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in path.parent.glob("*.yaml")))
        raise InputError(f"{group}={name} is not allowed: choose one of {known}")
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    parents = [one for one in raw.pop("defaults", ()) if isinstance(one, str) and one != "_self_"]
    base: dict[str, Any] = {}
    for parent in parents:
        base |= _option(group, parent)
    return base | raw


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
