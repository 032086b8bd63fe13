"""The verb `plot`: the figures of a saved sweep, uncertainty run, study or evaluation.

usage: dse plot FOLDER|STUDY|FILE.json [...] [along=AXIS] [storage=WHERE]

Draws what was saved before; nothing is evaluated again. A sweep's folder gets its figures from results.parquet and
sweep.json, that of an uncertainty run from its tables. Beside the JSON of an evaluation (dse evaluate output=json >
FILE.json) go FILE_latency and FILE_cost: where its time and its money go. A study's figures go into runs/STUDY: front
(its Pareto front), history (its best so far, a baseline beside it) and importance (which dimensions decide).

  along=AXIS      the axis of a sweep that the objective is drawn along; without it: hardware.l2_mib, else the numeric
                  axis with most values
  storage=WHERE   where a study is, as of dse search

examples:
  dse plot runs/preserve_l2
  dse plot runs/preserve_l2 along=hardware.hbm_gb_per_s
  dse plot runs/preserve_l2 design.json
  dse plot chip
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dse.errors import InputError

UNCERTAINTY = "uncertainty.json"
ALONG, STORAGE = "along=", "storage="


def run(arguments: Sequence[str]) -> int:
    """Draws each folder's figures again; exit status 0."""
    along, storage = (_option(arguments, key) for key in (ALONG, STORAGE))
    given = [argument for argument in arguments if not argument.startswith((ALONG, STORAGE))]
    if not given:
        raise InputError("plot takes the folder of a saved sweep, as in dse plot runs/preserve_l2, the name of a study "
                         "or the JSON of an evaluation")
    for text in given:
        path = Path(text)
        is_folder = path.is_dir() and storage is None
        if along is not None and not is_folder:
            raise InputError(f"along={along} is not allowed: {text} is not the folder of a sweep")
        if path.suffix == ".json":
            _draw_evaluation(path)
        elif is_folder:
            _draw_folder(path, along)
        else:
            _draw_study(text, storage)
    return 0


def _option(arguments: Sequence[str], key: str) -> str | None:
    return next((argument.removeprefix(key) for argument in reversed(arguments) if argument.startswith(key)), None)


def _draw_study(name: str, storage: str | None) -> None:
    """Draws a study; a word that is neither a folder nor a study of the default journal holds no sweep either."""
    from dse.cli.draw_study import draw_study
    from dse.search.saved import all_studies
    from dse.search.store import DEFAULT_JOURNAL

    if storage is None and name not in {study.name for study in all_studies()}:
        raise InputError(f"{name} holds no sweep: there is no such folder, and no study of that name in "
                         f"{DEFAULT_JOURNAL}")
    for line in draw_study(name, storage):
        print(line)


def _draw_evaluation(path: Path) -> None:
    from dse.cli.draw import draw_evaluation

    try:
        answer = json.loads(path.read_text())
        _ = answer["technique"], answer["design"]["hardware"]["name"], answer["provenance"]["dse"]
        for side in ("baseline", "technique_metrics"):
            _refuse_no_bar(f"{side}.latency.operators", [one["time_s"] for one in answer[side]["latency"]["operators"]])
            _refuse_no_bar(f"{side}.cost.items_usd", answer[side]["cost"]["items_usd"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} holds no evaluation: {error}") from error
    stem = path.with_suffix("")
    draw_evaluation(answer, stem)
    for part in ("latency", "cost"):
        print(f"{stem}_{part}.png", f"{stem}_{part}.svg", sep="\n")


def _refuse_no_bar(key: str, lengths: Iterable[float]) -> None:
    """ValueError where the parts of a bar are not lengths, or it has none: its figure would have no scale."""
    known = list(lengths)
    if not all(length >= 0.0 for length in known) or not 0.0 < sum(known) < math.inf:
        raise ValueError(f"{key} are no finite amounts from 0 on, of which one is more")


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
        _ = record["command"], record["percentiles"], record["intervals"], record["provenance"]["dse"]
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
