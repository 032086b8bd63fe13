"""The verb `plot`: the figures of a saved sweep, uncertainty run or evaluation.

usage: dse plot FOLDER|FILE.json [...] [along=AXIS]

Draws what was saved before; nothing is evaluated again. A sweep's folder gets its figures from results.parquet and
sweep.json, that of an uncertainty run from its tables. Beside the JSON of an evaluation (dse evaluate output=json >
FILE.json) go FILE_latency and FILE_cost: where its time and its money go.

  along=AXIS   the axis of a sweep that the objective is drawn along; without it: hardware.l2_mib, else the numeric
               axis with most values

examples:
  dse plot runs/preserve_l2
  dse plot runs/preserve_l2 along=hardware.hbm_gb_per_s
  dse plot runs/preserve_l2 design.json
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dse.errors import InputError

UNCERTAINTY = "uncertainty.json"
ALONG = "along="


def run(arguments: Sequence[str]) -> int:
    """Draws each folder's figures again; exit status 0."""
    paths = [Path(argument) for argument in arguments if not argument.startswith(ALONG)]
    along = next((argument.removeprefix(ALONG) for argument in reversed(arguments) if argument.startswith(ALONG)), None)
    if not paths:
        raise InputError("plot takes the folder of a saved sweep, as in dse plot runs/preserve_l2, or the JSON of an "
                         "evaluation")
    for path in paths:
        if path.suffix == ".json" and along is not None:
            raise InputError(f"along={along} is not allowed: {path} is one evaluated design, without axes")
        if path.suffix == ".json":
            _draw_evaluation(path)
        else:
            _draw_folder(path, along)
    return 0


def _draw_evaluation(path: Path) -> None:
    from dse.cli.draw import draw_evaluation

    try:
        answer = json.loads(path.read_text())
        _ = answer["baseline"], answer["technique_metrics"], answer["design"], answer["provenance"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} holds no evaluation: {error}") from error
    stem = path.with_suffix("")
    draw_evaluation(answer, stem)
    for part in ("latency", "cost"):
        print(f"{stem}_{part}.png", f"{stem}_{part}.svg", sep="\n")


def _draw_folder(folder: Path, along: str | None) -> None:
    from dse.cli.draw import draw_sweep, draw_uncertainty

    if (folder / UNCERTAINTY).is_file():
        if along is not None:
            raise InputError(f"along={along} is not allowed: {folder} holds an uncertainty run, whose axis is set when "
                             "it is made, as uncertainty.along")
        left_out = draw_uncertainty(folder, _record(folder / UNCERTAINTY))
    else:
        left_out = draw_sweep(*load_sweep(folder), folder, along)
    for line in left_out:
        print(line)
    for path in sorted([*folder.glob("*.png"), *folder.glob("*.svg")]):
        print(path)


def _record(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(path.read_text())
        _ = record["command"], record["percentiles"], record["intervals"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} holds no uncertainty run: {error}") from error
    return record


def load_sweep(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns and record of a saved sweep; InputError where the folder does not hold one."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        record = json.loads((folder / "sweep.json").read_text())
        table = parquet.read_table(folder / "results.parquet")
    except (OSError, ValueError, pa.ArrowInvalid) as error:
        raise InputError(f"{folder} holds no sweep: {str(error).splitlines()[0]}") from error
    return {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}, record
