"""Which processes work on a study kept in a file, and on what: one small file a process, locked while it lives.

The system lets go of a lock when its process ends, however it ends, so that nothing has to be guessed from process
numbers or times, and a number that is used again, another container or a stopped clock cannot mislead.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from pathlib import Path
from typing import Any

from dse.search.store import Claim, StorageError


class WorkerFiles:
    """The claims on the studies of one storage file; they lie in the folder `<file>.workers`."""

    def __init__(self, storage: Path) -> None:
        self.folder = storage.with_name(storage.name + ".workers")
        self._own: dict[str, tuple[Path, int]] = {}

    def claim(self, study: str, points: list[dict[str, Any]]) -> None:
        """Writes what this process is working on. Not synced to disk: a claim matters only while the system runs."""
        if study not in self._own:
            if not points:
                return
            self._own[study] = self._created()
        _, descriptor = self._own[study]
        data = json.dumps({"study": study, "points": points}).encode()
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, data, 0)
        except OSError as error:
            raise StorageError(str(self.folder), error.strerror or str(error)) from error

    def claims(self, study: str) -> list[Claim]:
        """Every claim on a study, and what a process left that ended before it had written one."""
        if not self.folder.is_dir():
            return []
        found = (self._read(path) for path in sorted(self.folder.glob("*.claim")))
        return [Claim(path, alive, points) for path, alive, name, points in found
                if name == study or not (name or alive)]

    def drop(self, worker: str) -> None:
        """Removes the claim of a process that is gone."""
        (self.folder / worker).unlink(missing_ok=True)

    def close(self) -> None:
        """Removes this process's claims, and the folder if it was the last."""
        for path, descriptor in self._own.values():
            path.unlink(missing_ok=True)
            os.close(descriptor)
        self._own.clear()
        try:
            self.folder.rmdir()
        except OSError:
            return  # others are at work, or there is no folder

    def _created(self) -> tuple[Path, int]:
        for _ in range(100):  # another process may remove the empty folder in between
            try:
                self.folder.mkdir(exist_ok=True)
                path = self.folder / f"{uuid.uuid4().hex}.claim"
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StorageError(str(self.folder), error.strerror or str(error)) from error
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            return path, descriptor
        raise StorageError(str(self.folder), "the folder disappears as soon as it is made")

    def _read(self, path: Path) -> tuple[str, bool, str, list[dict[str, Any]]]:
        own = any(path == mine for mine, _ in self._own.values())
        try:
            alive = own or _is_locked(path)
            saved = json.loads(path.read_bytes() or b"{}")
        except FileNotFoundError:
            return path.name, False, "", []
        except ValueError:  # its process ended while writing: it had not begun to evaluate
            saved = {}
        return path.name, alive, saved.get("study", ""), saved.get("points", [])


def _is_locked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
