"""The folder of an uncertainty run: tables, figures, summary, and all that is needed to make them again."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dse.atomic import write_text
from dse.cli.report import columns as text_columns
from dse.cli.run_folder import fill_folder, run_folder, write_csv, write_record
from dse.evaluation import dollars
from dse.provenance import provenance
from dse.uncertainty.analysis import Analysis
from dse.uncertainty.headline import Headline, Spread, headlines
from dse.uncertainty.intervals import constants
from dse.uncertainty.tables import (
    bands_table,
    front_table,
    influence_table,
    optimum_table,
    percentile_name,
    robust_table,
    shift_table,
    unknown_keys,
)

RECORD = "uncertainty.json"
DECIDING = 3  # assumptions that the summary names for each quantity
LONGEST_SUMMARY = 12


class Outcome(NamedTuple):
    """A finished run."""

    found: Analysis
    settings: Mapping[str, Any]
    command: tuple[str, ...]
    elapsed_s: float


def write_outcome(outcome: Outcome, name: str | None) -> Path:
    """Writes the run's folder, all of it or nothing, and prints the summary; returns the folder.

    A folder of the same name is replaced if the same command made it, else InputError.
    """
    folder = run_folder(name, RECORD, ["dse", "uncertainty", *outcome.command])
    summary = fill_folder(folder, lambda building: _fill(building, outcome, folder))
    sys.stdout.write(summary)
    return folder


def _fill(folder: Path, outcome: Outcome, final: Path) -> str:
    """Writes every file into `folder`, which will become `final`; returns the summary."""
    found = outcome.found
    rows = {"front": front_table(found), "optimum": optimum_table(found), "shift": shift_table(found),
            "sobol": influence_table(found), "robust": robust_table(found)}
    _write(folder / "bands.csv", bands_table(found))
    for name, own in rows.items():
        if own:
            _write(folder / f"{name}.csv", {key: [row.get(key) for row in own] for key in _keys(own)})
    record = _record(outcome)
    write_record(folder / RECORD, record)
    left_out = []
    if outcome.settings["figures"] and any(one["undecided"] < 1.0 for one in record["answers"]):
        from dse.cli.draw import draw_uncertainty

        left_out = draw_uncertainty(folder, record)
    summary = summary_text(outcome, rows, final) + "".join(f"{line}\n" for line in left_out)
    write_text(folder / "summary.txt", summary)
    return summary


def _keys(rows: Sequence[Mapping[str, Any]]) -> dict[str, None]:
    return {key: None for row in rows for key in row}


def _write(path: Path, table: Mapping[str, Any]) -> None:
    """A table as CSV; what is not known is empty."""
    import pyarrow as pa

    write_csv(path, pa.table({name: pa.array(_plain(column), from_pandas=True) for name, column in table.items()}))


def _plain(column: Any) -> Any:
    """A column that holds numbers of both kinds, or numbers beside words, as one kind."""
    if isinstance(column, np.ndarray):
        return column
    values = list(column)
    if any(isinstance(value, str) for value in values):
        return [value if isinstance(value, str) else f"{value:g}" for value in values]
    if any(isinstance(value, float) for value in values):
        return [math.nan if value is None else float(value) for value in values]
    return values


def _record(outcome: Outcome) -> dict[str, Any]:
    found, asked = outcome.found, outcome.found.asked
    return {
        "provenance": provenance(),
        "command": ["dse", "uncertainty", *outcome.command],
        "objective": asked.aim.name, "dollars": dollars(outcome.settings["cost"]),
        "samples": asked.samples, "seed": asked.seed, "shape": found.ensemble.shape, "factor": asked.factor,
        "existing": outcome.settings["uncertainty"]["existing"], "kept": found.kept,
        "percentiles": asked.percentiles, "index_samples": asked.index_samples,
        "given": found.competition.given, "axes": found.competition.chosen, "along": found.competition.along,
        "designs": found.ensemble.size,
        "answers": [_answer(found, one) for one in headlines(found)],
        "unknowns": unknown_keys(found),
        "intervals": _intervals(outcome),
        "configuration": dict(outcome.settings),
    }


def _answer(found: Analysis, one: Headline) -> dict[str, Any]:
    return {**dict(zip(found.competition.given, one.situation, strict=True)),
            **{key: _known(value) for key, value in one._asdict().items() if key != "situation"}}


def _known(value: Any) -> Any:
    """A number, or nothing where it is not known: JSON has no NaN."""
    if isinstance(value, Spread):
        return {"base": _known(value.base), **{name: _known(one) for name, one in value.percentiles.items()}}
    return None if isinstance(value, float) and math.isnan(value) else value


def _intervals(outcome: Outcome) -> list[dict[str, Any]]:
    """Every interval that was drawn, once, with its source where the first configuration has it."""
    known = constants(outcome.settings)
    drawn = dict.fromkeys(one for member in outcome.found.ensemble.members for one in member.intervals)
    listed = []
    for one in drawn:
        field, constant = known[one.key]
        same = (constant.low, constant.base, constant.high) == (one.low, one.base, one.high)
        listed.append({"key": one.key, "unknown": one.unknown, "meaning": field.meaning, "low": one.low,
                       "base": one.base, "high": one.high, "unit": field.unit, "form": one.form,
                       **({"mark": constant.mark, "source": constant.source} if same else {})})
    return listed


def summary_text(outcome: Outcome, rows: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path) -> str:
    """What a person reads at the end."""
    found = outcome.found
    intervals = {one.key for member in found.ensemble.members for one in member.intervals}
    head = (f"{found.ensemble.size:,} designs under {found.asked.samples:,} draws of {len(intervals)} uncertain "
            f"constants ({len(found.ensemble.unknowns)} unknowns, {found.ensemble.shape}, seed {found.asked.seed}) in "
            f"{outcome.elapsed_s:.1f} s")
    undecided = [one.undecided for one in headlines(found)]
    parts = [head, _left_out(outcome), _spreads(found), *_moves(found), _deciding(found, rows["sobol"]),
             f"no design is feasible in any draw: see the violations in {folder / 'bands.csv'}" if min(undecided) == 1.0
             else "", f"amounts: {dollars(outcome.settings['cost'])}; results: {folder}"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _left_out(outcome: Outcome) -> str:
    found, chips = outcome.found, outcome.settings["uncertainty"]["existing"]
    if not chips:
        return ""
    named = ", ".join(chips) if isinstance(chips, (list, tuple)) else str(chips)
    return (f"{found.kept:,} of the draws are kept ({found.kept / found.asked.samples:.1%}), those in which {named} "
            "can be made; Sobol indices are those of all draws")


def _spreads(found: Analysis) -> str:
    """Best objective and optimum of each class."""
    names = [percentile_name(one) for one in found.asked.percentiles]
    low, high = names[0], names[-1]
    along = found.competition.along
    rows = [(*found.competition.given, "technique", "", "at base", low, "p50" if "p50" in names else "", high)]
    for one in headlines(found)[:LONGEST_SUMMARY]:
        lines = [(f"best {found.asked.aim.name}", one.objective), (f"best {along}", one.optimum)]
        for name, spread in lines:
            if spread is not None:
                at = (spread.percentiles.get(percentile, math.nan) for percentile in (low, "p50", high))
                rows.append((*map(str, one.situation), one.technique, name, _shown(spread.base), *map(_shown, at)))
    more = len(headlines(found)) - LONGEST_SUMMARY
    return (text_columns(rows, left=len(found.competition.given) + 2)
            + (f"\n({more} more in {RECORD})" if more > 0 else ""))


def _shown(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _moves(found: Analysis) -> Iterator[str]:
    """What the technique does to the optimum, in a sentence for each situation."""
    for one in headlines(found)[:LONGEST_SUMMARY]:
        if one.gain is None or one.undecided == 1.0:
            continue
        where = f" ({', '.join(map(str, one.situation))})" if one.situation else ""
        names = list(one.gain.percentiles)
        low, high = names[0], names[-1]
        said = (f"{one.technique} over none{where}: {one.gain.base:.3f} x at base, {one.gain.percentiles[low]:.3f} to "
                f"{one.gain.percentiles[high]:.3f} x from {low} to {high}")
        if one.shift is not None and one.probability_moved is not None:
            said += (f"\nbest {found.competition.along} with it over that without: {one.shift.base:.3g} x at base, "
                     f"more than {found.asked.factor:g} x in {one.probability_moved:.1%} of the draws")
        yield said + (f"\nno design is feasible in {one.undecided:.1%} of the draws" if one.undecided else "")


def _deciding(found: Analysis, influence: Sequence[Mapping[str, Any]]) -> str:
    """The assumptions with the largest total index of each quantity."""
    rows = [(*found.competition.given, "technique", "of", "deciding assumption", "first order", "total", "at low",
             "at base", "at high")]
    count: dict[tuple[Any, ...], int] = {}
    for row in influence:
        if not row["total"] > 0.0:  # certain, or not known
            continue
        which = tuple(row[key] for key in (*found.competition.given, "technique", "quantity"))
        count[which] = count.get(which, 0) + 1
        if count[which] <= DECIDING:
            rows.append((*map(str, which), row["assumption"], _index(row, "first_order"), _index(row, "total"),
                         *(f"{row[key]:.4g}" for key in ("at_low", "at_base", "at_high"))))
    return text_columns(rows, left=len(found.competition.given) + 3) if len(rows) > 1 else ""


def _index(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:.2f} ± {row[f'{name}_error']:.2f}"
