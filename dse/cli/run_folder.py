"""The folder of a run under runs/: there as a whole or not at all, and replaced only by the command that made it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from dse.atomic import write, write_text
from dse.cli.progress import ProgressLine
from dse.errors import InputError
from dse.in_use import abandoned, exclusive, temporary_folder

RUNS = Path("runs")
ASIDE = ".old"
LONGEST_NAME = 100  # a file system takes 255 bytes, of which temporary names have a few


def run_folder(name: object, record_file: str, command: list[str]) -> Path:
    """The folder for a run of this name, date and time where there is none.

    InputError where the name is not a plain one, or the folder holds something that another command made. What runs
    left that were killed while they wrote their folders is removed first.
    """
    _clear()
    plain = str(name or datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
    folder = RUNS / plain
    is_word = isinstance(name, (str, int, float)) and not isinstance(name, bool) and "\0" not in plain
    if not (name is None or is_word) or folder.parent != RUNS or plain.startswith(".") or len(plain) > LONGEST_NAME:
        given = repr(plain[:LONGEST_NAME])[1:-1]
        raise InputError(f"name={given} is not allowed: give a plain name, of a folder in {RUNS}, of up to "
                         f"{LONGEST_NAME} characters")
    if folder.exists() and _made_by(folder / record_file) != command:
        raise InputError(f"name={folder.name} is not allowed: {folder} holds something else; choose another name or "
                         "remove that folder")
    return folder


def fill_folder(folder: Path, fill: Callable[[Path], str]) -> str:
    """Has `fill` write all files into a folder of its own, moves that into place; returns what `fill` returns.

    OSError names the file as it would have been in `folder`, which is as it was.
    """
    RUNS.mkdir(exist_ok=True)
    try:
        with temporary_folder(RUNS, folder.name) as building:
            said = fill(building)
            _move(building, folder)
    except OSError as error:
        if error.filename is not None:
            error.filename, error.filename2 = _final(str(error.filename), folder), None
        raise
    return said


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """The record of a run as JSON."""
    write_text(path, json.dumps(record, indent=2, allow_nan=False, default=str) + "\n")


def write_csv(path: Path, table: Any) -> None:
    """A table of pyarrow as CSV; where that takes long it says how far it is."""
    from dse.cli.csv_text import csv_parts

    line = ProgressLine(f"rows of {path.name}")

    def fill(stream: IO[bytes]) -> None:
        for done, text in csv_parts(table):
            stream.write(text)
            line.tell(done / max(1, len(table)))

    write_binary(path, fill)
    line.clear()


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
    with exclusive(RUNS):
        if not folder.exists():
            os.replace(building, folder)
            return
        with temporary_folder(RUNS, folder.name + ASIDE) as aside:
            os.replace(folder, aside / folder.name)
            try:
                os.replace(building, folder)
            except BaseException:
                os.replace(aside / folder.name, folder)
                raise


def _clear() -> None:
    """Removes what killed runs left; an older folder that one had set aside and not replaced goes back into place."""
    if not RUNS.is_dir():
        return
    with exclusive(RUNS):
        for left in abandoned(RUNS):
            for older in left.glob("*"):
                if left.name.startswith(f".{older.name}{ASIDE}.") and not (RUNS / older.name).exists():
                    with suppress(OSError):
                        os.replace(older, RUNS / older.name)


def _final(written: str, folder: Path) -> str:
    """The name that a file will have in `folder`, of one in the folder that is being filled."""
    below = Path(written).parts[len(RUNS.parts):]
    ours = Path(written).is_relative_to(RUNS) and below[:1] and below[0].startswith(f".{folder.name}.")
    return str(folder.joinpath(*below[1:])) if ours else written
