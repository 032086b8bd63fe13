"""The verb `plot`: the figures of a saved sweep.

usage: dse plot FOLDER [FOLDER ...]

Draws the figures of sweeps that were saved before, from their results.parquet and sweep.json, into the same folders:
nothing is evaluated again.

examples:
  dse plot runs/preserve_l2
  dse plot runs/preserve_l2 runs/preserve_models
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dse.errors import InputError


def run(arguments: Sequence[str]) -> int:
    """Draws each folder's figures again; exit status 0."""
    if not arguments:
        raise InputError("plot takes the folder of a saved sweep, as in dse plot runs/preserve_l2")
    for argument in arguments:
        _draw(Path(argument))
    return 0


def _draw(folder: Path) -> None:
    from dse.cli.draw import draw_sweep

    table, record = load_sweep(folder)
    for line in draw_sweep(table, record, folder):
        print(line)
    for path in sorted([*folder.glob("*.png"), *folder.glob("*.svg")]):
        print(path)


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
