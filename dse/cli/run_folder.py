"""The folder of a run under runs/: there as a whole or not at all, and replaced only by the command that made it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from dse.atomic import write, write_text
from dse.errors import InputError

RUNS = Path("runs")


def run_folder(name: str | None, record_file: str, command: list[str]) -> Path:
    """The folder for a run of this name, date and time where there is none.

    InputError where the name is not a plain one, or the folder holds something that another command made.
    """
    folder = RUNS / str(name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
    if folder.parent != RUNS or folder.name.startswith("."):
        raise InputError(f"name={folder.relative_to(RUNS)} is not allowed: give a plain name, of a folder in {RUNS}")
    if folder.exists() and _made_by(folder / record_file) != command:
        raise InputError(f"name={folder.name} is not allowed: {folder} holds something else; choose another name or "
                         "remove that folder")
    return folder


def fill_folder(folder: Path, fill: Callable[[Path], str]) -> str:
    """Has `fill` write all files into a folder of its own, moves that into place; returns what `fill` returns."""
    RUNS.mkdir(exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=RUNS, prefix=f".{folder.name}."))
    try:
        said = fill(building)
        _move(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return said


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """The record of a run as JSON."""
    write_text(path, json.dumps(record, indent=2, allow_nan=False, default=str) + "\n")


def write_csv(path: Path, table: Any) -> None:
    """A table of pyarrow as CSV."""
    from pyarrow import csv

    write_binary(path, lambda stream: csv.write_csv(table, stream))


def write_binary(path: Path, fill: Callable[[IO[bytes]], None]) -> None:
    """A file that `fill` writes, whole or not at all."""
    write(path, fill)


def _made_by(record: Path) -> Any:
    try:
        return json.loads(record.read_text())["command"] if record.is_file() else None
    except (ValueError, KeyError):
        return None


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
