"""The table of a study as a file: one row a trial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dse.atomic import write, write_text
from dse.search.saved import SavedSearch


def write_table(study: SavedSearch, form: str, path: Path) -> None:
    """Writes every trial to `path` as csv, parquet or json: all of it or nothing."""
    rows = [study.row(trial) for trial in study.trials]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    if form == "json":
        write_text(path, json.dumps({**study.described(), "trials": rows}, indent=2) + "\n")
        return
    import pyarrow as pa
    from pyarrow import csv, parquet

    table = pa.table({key: _column([row.get(key) for row in rows]) for key in keys})
    writer = csv.write_csv if form == "csv" else parquet.write_table
    write(path, lambda stream: writer(table, stream))


def _column(values: list[Any]) -> Any:
    """Values as one column: numbers, truths or text; mixed ones as text."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} or len(kinds) == 1:
        return pa.array([float(value) if float in kinds and value is not None else value for value in values])
    return pa.array([None if value is None else str(value) for value in values])
