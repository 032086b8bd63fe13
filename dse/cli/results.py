"""The folder of a sweep: tables, front, figures, summary, and all that is needed to make them again."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dse.atomic import write_text
from dse.cli.report import columns as text_columns
from dse.cli.run_folder import fill_folder, run_folder, write_binary, write_csv, write_record
from dse.figures.labels import is_chosen, quantity
from dse.grid.groups import best_of_groups, fronts_of_groups, numbered
from dse.grid.table import Columns
from dse.provenance import provenance

RECORD = "sweep.json"
LONGEST_SUMMARY = 24
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
    designs: int
    evaluated: int
    notes: tuple[str, ...] = ()  # lines of the summary that say how it came about

    @property
    def all_designs(self) -> bool:
        """Whether the table has a row for every design, and not for those on a front alone."""
        return self.designs == len(self.table["feasible"])


def checked_folder(name: str | None, command: Sequence[str]) -> Path:
    """The folder of this sweep; InputError where it holds something that another command made."""
    return run_folder(name, RECORD, ["dse", "sweep", *command])


def write_results(results: Results, name: str | None) -> Path:
    """Writes the sweep's folder, all of it or nothing, and prints the summary; returns the folder.

    A folder of the same name is replaced if the same command made it, else InputError.
    """
    folder = checked_folder(name, results.command)
    record = _record(results)
    summary = fill_folder(folder, lambda building: _fill(building, results, record, folder))
    sys.stdout.write(summary)
    return folder


def given_axes(axes: Sequence[str]) -> list[str]:
    """Axes that no designer chooses: model, prompt, assumptions."""
    return [axis for axis in axes if axis != "technique" and not is_chosen(axis)]


def situations(table: Columns, axes: Sequence[str]) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Axes that no designer chooses (model, prompt, assumptions), and for each row the number of its combination.

    A best or a front over such an axis would mean nothing, so each combination has its own.
    """
    given = given_axes(axes)
    codes = np.zeros(len(next(iter(table.values()))), dtype=np.intp)
    for axis in given:
        own, firsts = numbered(table[axis])
        codes = codes * len(firsts) + own
    return given, codes


def best(table: Columns, objective: str, axes: Sequence[str]) -> list[dict[str, Any]]:
    """Row of the best feasible design of each technique in each situation; none where no design is feasible.

    The best has the largest or the smallest `objective`, whichever way that metric is better; of equal ones it is the
    first. Situations and techniques come in the order in which they first appear.
    """
    values = np.where(table["feasible"] > 0.0, quantity(objective).better * table[objective], -np.inf)
    places, _ = numbered(situations(table, axes)[1])
    techniques, kinds = numbered(table["technique"])
    found = best_of_groups(values, places * len(kinds) + techniques)
    columns = [column[found].tolist() for column in table.values()]
    return [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]


def front_rows(table: Columns, axes: Sequence[str]) -> npt.NDArray[np.intp]:
    """Places of the rows on the exact Pareto front of each situation, in the order of their price.

    Throughput up, price of the group down, feasible designs alone.
    """
    more, less = FRONT
    groups, _ = numbered(situations(table, axes)[1])
    places = fronts_of_groups(np.stack([-table[more], table[less]]), table["feasible"] > 0.0, groups)
    return places[np.lexsort((table[less][places], groups[places]))]


def _record(results: Results) -> dict[str, Any]:
    table = results.table
    return {
        "provenance": provenance(),
        "command": ["dse", "sweep", *results.command],
        "objective": results.objective,
        "chip": results.chip,
        "axes": {axis: list(dict.fromkeys(table[axis].tolist())) for axis in results.axes},
        "designs": results.designs,
        "evaluated": results.evaluated,
        "rows": len(table["feasible"]),
        "feasible": int(np.sum(table["feasible"] > 0.0)),
        "best": best(table, results.objective, results.axes),
        "configuration": dict(results.settings),
    }


def summary_text(results: Results, record: Mapping[str, Any], on_front: int, folder: Path) -> str:
    """What a person reads at the end of a sweep with `on_front` designs on its fronts."""
    rate = results.designs / max(results.evaluation_s, 1e-9)
    said = f"{record['feasible']:,} feasible, evaluated" if results.all_designs else _said_of_fronts(results)
    head = f"{results.designs:,} designs, {said} in {results.evaluation_s:.2f} s ({rate:,.0f}/s)"
    head = "\n".join((head, *results.notes))
    if not record["best"]:
        where = f": see the violations in {folder / 'results.csv'}" if results.all_designs else ""
        return f"{head}\nno design is feasible{where}\n"
    front = f"{on_front} designs on the Pareto front of {FRONT[0]} (up) and {FRONT[1]} (down)"
    given = given_axes(results.axes)
    if given:
        front += f", one front for each {', '.join(given)}"
    return f"{head}\n\n{_best_text(results, record['best'], given)}\n\n{front}\nresults: {folder}\n"


def _said_of_fronts(results: Results) -> str:
    proved = ", the rest proved not to matter" if results.evaluated < results.designs else ""
    return f"{results.evaluated:,} evaluations{proved}, settled"


def _best_text(results: Results, found: Sequence[Mapping[str, Any]], given: Sequence[str]) -> str:
    objective = results.objective
    axes = [*given, *(axis for axis in results.axes if axis not in ("technique", *given))]
    reference = {tuple(row[axis] for axis in given): row[objective] for row in found if row["technique"] == "none"}
    rows = [("best", *axes, objective, "over none", "die mm2", "group USD")]
    for row in found[:LONGEST_SUMMARY]:
        base = reference.get(tuple(row[axis] for axis in given))
        rows.append((row["technique"], *(f"{row[axis]}" for axis in axes), f"{row[objective]:.6g}",
                     f"{row[objective] / base:.3f} x" if base else "", f"{row['die_mm2']:.0f}",
                     f"{row['group_usd']:,.0f}"))
    more = len(found) - LONGEST_SUMMARY
    return text_columns(rows) + (f"\n({more} more in {RECORD})" if more > 0 else "")


def _fill(folder: Path, results: Results, record: Mapping[str, Any], final: Path) -> str:
    """Writes every file of the sweep into `folder`, which will become `final`; returns the summary."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(dict(results.table))
    write_csv(folder / "results.csv", table)
    few = [*results.axes, "technique"]  # metrics in dictionaries would take seconds and hardly less room
    write_binary(folder / "results.parquet", lambda stream: parquet.write_table(table, stream, use_dictionary=few))
    front = front_rows(results.table, results.axes)
    write_csv(folder / "pareto.csv", pa.table({name: column[front] for name, column in results.table.items()}))
    write_record(folder / RECORD, record)
    left_out = []
    if record["best"] and results.settings["figures"]:
        from dse.cli.draw import draw_sweep

        left_out = draw_sweep(results.table, record, folder)
    summary = summary_text(results, record, len(front), final) + "".join(f"{line}\n" for line in left_out)
    write_text(folder / "summary.txt", summary)
    return summary
