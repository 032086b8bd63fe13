"""Temporary files and folders, locked while their process lives, so that another can remove what the dead left.

The system lets go of a lock when its process ends, however it ends: nothing is guessed from process numbers or times.
On a file system without locks nothing counts as left behind, and so nothing is removed that another may be writing.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PART = ".part"
RANDOM = 8  # characters that tempfile puts between prefix and suffix


@contextmanager
def temporary_file(folder: Path, name: str) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new hidden file in `folder`, open for writing; removed at the end unless it was moved."""
    path, descriptor = _made(lambda: _new_file(folder, name))
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield path, stream
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def temporary_folder(folder: Path, name: str) -> Iterator[Path]:
    """A new hidden folder in `folder`; removed at the end, with all that is in it, unless it was moved."""
    path, descriptor = _made(lambda: _new_folder(folder, name))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """One process at a time; for what takes a moment. Where `folder` cannot be locked, as many as come."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def abandoned(folder: Path, name: str | None = None) -> Iterator[Path]:
    """Temporaries of processes that have ended, those of `name` or all; each is removed when the next is asked for."""
    for path in parts(folder, name):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue  # moved or removed in between, or not ours to look at
        try:
            if _locked(descriptor, path, fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield path
                _remove(path)
        finally:
            os.close(descriptor)


def clear(folder: Path, name: str | None = None) -> None:
    """Removes the temporaries of processes that have ended, those of `name` or all."""
    for _ in abandoned(folder, name):
        pass


def parts(folder: Path, name: str | None = None) -> list[Path]:
    """Temporaries in `folder`, those of `name` or all, whether their processes live or not."""
    return sorted(folder.glob(f".{'*' if name is None else glob.escape(name)}.{'?' * RANDOM}{PART}"))


def _made(new: Callable[[], tuple[Path, int]]) -> tuple[Path, int]:
    """What `new` makes, locked; made anew where another process took it for abandoned before it was."""
    while True:
        path, descriptor = new()
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_at(descriptor, path):
            return path, descriptor
        os.close(descriptor)


def _new_file(folder: Path, name: str) -> tuple[Path, int]:
    descriptor, path = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=PART)
    return Path(path), descriptor


def _new_folder(folder: Path, name: str) -> tuple[Path, int]:
    while True:
        path = tempfile.mkdtemp(dir=folder, prefix=f".{name}.", suffix=PART)
        with suppress(FileNotFoundError):
            return Path(path), os.open(path, os.O_RDONLY)


def _locked(descriptor: int, path: Path, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how)
    except OSError:  # in use, or no locks here
        return False
    return _is_at(descriptor, path)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()
