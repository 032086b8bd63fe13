"""The folder of a sweep: tables, front, figures, summary, and all that is needed to make them again."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from dse.atomic import write, write_text
from dse.cli.report import columns as text_columns
from dse.errors import InputError
from dse.grid.pareto import pareto_mask
from dse.grid.table import Columns
from dse.provenance import provenance

RUNS = Path("runs")
RECORD = "sweep.json"
FRONT = ("throughput_tokens_per_s", "group_usd")  # the more, the less


class Results(NamedTuple):
    """A finished sweep."""

    table: Columns
    axes: tuple[str, ...]
    objective: str
    settings: Mapping[str, Any]
    command: tuple[str, ...]
    chip: Mapping[str, Any] | None
    evaluation_s: float


def write_results(results: Results, name: str | None) -> Path:
    """Writes the sweep's folder, all of it or nothing, and prints the summary; returns the folder.

    A folder of the same name is replaced if the same command made it, else InputError.
    """
    folder = RUNS / str(name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
    _refuse_other(folder, results)
    record = _record(results)
    RUNS.mkdir(exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=RUNS, prefix=f".{folder.name}."))
    try:
        summary = _fill(building, results, record, folder)
        _move(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    sys.stdout.write(summary)
    return folder


def best(table: Columns, objective: str) -> dict[str, dict[str, Any]]:
    """Row of the best feasible design of each technique; techniques without a feasible design are left out."""
    found = {}
    values = np.where(table["feasible"] > 0.0, table[objective], -np.inf)
    for technique in dict.fromkeys(table["technique"].tolist()):
        place = int(np.argmax(np.where(table["technique"] == technique, values, -np.inf)))
        if np.isfinite(values[place]):
            found[technique] = {key: column[place].item() for key, column in table.items()}
    return found


def front_rows(table: Columns) -> Any:
    """Places of the rows on the exact Pareto front: throughput up, price of the group down, feasible designs alone."""
    more, less = FRONT
    mask = pareto_mask(np.stack([-table[more], table[less]]), table["feasible"] > 0.0)
    places = np.flatnonzero(mask)
    return places[np.argsort(table[less][places], kind="stable")]


def _record(results: Results) -> dict[str, Any]:
    table = results.table
    return {
        "provenance": provenance(),
        "command": ["dse", "sweep", *results.command],
        "objective": results.objective,
        "chip": results.chip,
        "axes": {axis: list(dict.fromkeys(table[axis].tolist())) for axis in results.axes},
        "rows": len(table["feasible"]),
        "feasible": int(np.sum(table["feasible"] > 0.0)),
        "best": best(table, results.objective),
        "configuration": dict(results.settings),
    }


def summary_text(results: Results, record: Mapping[str, Any], folder: Path) -> str:
    """What a person reads at the end of a sweep."""
    rate = record["rows"] / max(results.evaluation_s, 1e-9)
    head = (f"{record['rows']:,} designs, {record['feasible']:,} feasible, evaluated in {results.evaluation_s:.2f} s "
            f"({rate:,.0f}/s)")
    if not record["best"]:
        return f"{head}\nno design is feasible: see the violations in {folder / 'results.csv'}\n"
    objective = results.objective
    axes = [axis for axis in results.axes if axis != "technique"]
    reference = record["best"].get("none")
    rows = [("best", *axes, objective, "over none", "die mm2", "group USD")]
    for technique, row in record["best"].items():
        gain = f"{row[objective] / reference[objective]:.3f} x" if reference else ""
        rows.append((technique, *(f"{row[axis]}" for axis in axes), f"{row[objective]:.6g}", gain,
                     f"{row['die_mm2']:.0f}", f"{row['group_usd']:,.0f}"))
    front = f"{len(front_rows(results.table))} designs on the Pareto front of {FRONT[0]} (up) and {FRONT[1]} (down)"
    return f"{head}\n\n{text_columns(rows)}\n\n{front}\nresults: {folder}\n"


def _fill(folder: Path, results: Results, record: Mapping[str, Any], final: Path) -> str:
    """Writes every file of the sweep into `folder`, which will become `final`; returns the summary."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    table = pa.table({name: pa.array(column) for name, column in results.table.items()})
    _binary(folder / "results.csv", lambda stream: csv.write_csv(table, stream))
    _binary(folder / "results.parquet", lambda stream: parquet.write_table(table, stream))
    front = table.take(pa.array(front_rows(results.table)))
    _binary(folder / "pareto.csv", lambda stream: csv.write_csv(front, stream))
    write_text(folder / RECORD, json.dumps(record, indent=2, allow_nan=False, default=str) + "\n")
    left_out = []
    if record["best"] and results.settings["figures"]:
        from dse.cli.draw import draw_sweep

        left_out = draw_sweep(results.table, record, folder)
    summary = summary_text(results, record, final) + "".join(f"{line}\n" for line in left_out)
    write_text(folder / "summary.txt", summary)
    return summary


def _binary(path: Path, fill: Any) -> None:
    def put(stream: IO[bytes]) -> None:
        fill(stream)

    write(path, put)


def _refuse_other(folder: Path, results: Results) -> None:
    if folder.parent != RUNS or folder.name.startswith("."):
        raise InputError(f"name={folder.relative_to(RUNS)} is not allowed: give a plain name, for a folder under {RUNS}")
    if not folder.exists():
        return
    record = folder / RECORD
    try:
        made_by = json.loads(record.read_text())["command"] if record.is_file() else None
    except (ValueError, KeyError):
        made_by = None
    if made_by != ["dse", "sweep", *results.command]:
        raise InputError(f"name={folder.name} is not allowed: {folder} holds something else; choose another name or "
                         "remove that folder")


def _move(building: Path, folder: Path) -> None:
    """Puts the finished folder in place; an older one is set aside first and removed only then."""
    os.chmod(building, 0o755)
    aside = None
    if folder.exists():
        aside = Path(tempfile.mkdtemp(dir=RUNS, prefix=f".{folder.name}.old."))
        os.replace(folder, aside / folder.name)
    os.replace(building, folder)
    if aside:
        shutil.rmtree(aside, ignore_errors=True)
