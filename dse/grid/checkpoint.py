"""How far a streamed run has come, on disk, so that the same command goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from dse.errors import InputError
from dse.grid.cache import fingerprint
from dse.grid.front import Front, Objective
from dse.grid.grid import Grid
from dse.grid.stream import BLOCK, Progress


def identity(grid: Grid, objectives: tuple[Objective, ...]) -> str:
    """A name for this grid, these objectives and this version of the model: blocks of another one do not fit."""
    return hashlib.sha256(repr((grid, objectives, BLOCK, fingerprint())).encode()).hexdigest()


def save(path: Path, progress: Progress, grid: Grid, objectives: tuple[Objective, ...]) -> None:
    """Write `progress` to `path`, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-", suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, identity=identity(grid, objectives), counts=np.array(progress[:3]),
                     places=progress.front.places, values=progress.front.values)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path, grid: Grid, objectives: tuple[Objective, ...]) -> Progress | None:
    """The progress saved at `path`; None where there is none. InputError where it is of another run."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            parts = {name: kept[name] for name in kept.files}
        same = str(parts["identity"]) == identity(grid, objectives)
        blocks, designs, feasible = (int(count) for count in parts["counts"])
        progress = Progress(blocks, designs, feasible, Front(parts["places"], parts["values"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no saved progress: remove it to start again") from error
    if not same:
        raise InputError(f"{path} is of another grid, other objectives or another version of the model: remove it to "
                         "start again")
    return progress
