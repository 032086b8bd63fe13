"""The right to write to a journal file: among processes of ours at once, and with Optuna's own.

Ours hold a lock of the operating system on `<file>.guard`, which ends with its process, so that it can never be stale.
Under it they also make the symbolic link `<file>.lock` that Optuna's journal waits for. Such a link can be left behind
by a killed process: one that carries our mark is stale as soon as we hold the guard; Optuna's own is taken as stale
after `PATIENCE_S`, a thousand times what one of its writes takes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dse.search.store import StorageError

PATIENCE_S = 3.0
OURS = ".guard"


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """One process of ours at a time."""
    guard = path.with_name(path.name + OURS)
    try:
        descriptor = os.open(guard, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(str(path), error.strerror or str(error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """The sole right to append to the journal at `path`; StorageError where its folder cannot be written."""
    with guarded(path):
        link = path.with_name(path.name + ".lock")
        _make(link, path.name + OURS)
        try:
            yield
        finally:
            link.unlink(missing_ok=True)


def _make(link: Path, target: str) -> None:
    began = time.monotonic()
    while True:
        try:
            os.symlink(target, link)
        except FileExistsError:
            if _is_stale(link, target, began):
                link.unlink(missing_ok=True)
            else:
                time.sleep(0.002)
            continue
        except OSError as error:
            raise StorageError(str(link.parent), error.strerror or str(error)) from error
        return


def _is_stale(link: Path, target: str, began: float) -> bool:
    try:
        if os.readlink(link) == target:
            return True
        age_s = time.time() - link.lstat().st_mtime
    except OSError as error:
        if error.errno == errno.EINVAL:  # an ordinary file: Optuna's other kind of lock
            return time.monotonic() - began > PATIENCE_S
        return False  # gone in between
    return max(age_s, time.monotonic() - began) > PATIENCE_S
