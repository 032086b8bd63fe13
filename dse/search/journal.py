"""Studies in one file that only grows: Optuna's own journal, with a finished trial as a single line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from dse.search.file_lock import exclusive
from dse.search.journal_replay import Op, Replay, distribution_text, frozen
from dse.search.store import Claim, SavedStudy, StorageError, Store
from dse.search.workers import WorkerFiles

WRITER = "dse"
FIRST = b'{"'  # how every line begins
DISTRIBUTIONS, PARAMS = b'"distributions":', b',"params":'  # of a finished trial, in this order


class JournalStore(Store):
    """The journal at `path`. Optuna and optuna-dashboard open the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)
        self._workers = WorkerFiles(path)
        self._forget()

    def _forget(self) -> None:
        self._replay = Replay()
        self._distributions: dict[bytes, Any] = {}
        self._offset = 0
        self._given: dict[int, int] = {}

    def studies(self) -> list[SavedStudy]:
        """All studies, in the order of their making."""
        self._read()
        return list(self._replay.studies.values())

    def trials(self, study: SavedStudy) -> list[FrozenTrial]:
        """All trials of a study, by number."""
        self._read()
        return [frozen(trial, number) for number, trial in enumerate(self._replay.trials[study.place])]

    def claims(self, study: SavedStudy) -> list[Claim]:
        """What processes say that they are working on."""
        return self._workers.claims(study.name)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """The sole right to append; a torn last line, left by a process that was killed, is cut back first."""
        with exclusive(self.path):
            self._read()
            self._cut_torn_line()
            yield

    def create(self, name: str, directions: Sequence[str], user_attrs: dict[str, Any]) -> SavedStudy:
        """A new study."""
        place = self._replay._made
        numbers = [StudyDirection[direction.upper()].value for direction in directions]
        self._append([{"op_code": Op.CREATE_STUDY, "study_name": name, "directions": numbers},
                      *({"op_code": Op.SET_STUDY_USER_ATTR, "study_id": place, "user_attr": {key: value}}
                        for key, value in user_attrs.items())])
        return self._replay.studies[place]

    def set_attr(self, study: SavedStudy, key: str, value: Any) -> None:
        """Sets an attribute of a study."""
        self._append([{"op_code": Op.SET_STUDY_USER_ATTR, "study_id": study.place, "user_attr": {key: value}}])

    def delete(self, study: SavedStudy) -> None:
        """Removes a study: a line says so, and nobody reads it any more."""
        self._append([{"op_code": Op.DELETE_STUDY, "study_id": study.place}])

    def claim(self, study: SavedStudy, points: list[dict[str, Any]]) -> None:
        """Says what this process is working on."""
        self._workers.claim(study.name, points)

    def drop_claim(self, study: SavedStudy, worker: str) -> None:
        """Removes the claim of a process that is gone."""
        self._workers.drop(worker)

    def add(self, study: SavedStudy, trials: Sequence[FrozenTrial]) -> None:
        """Appends finished trials, a line each, in one write and one sync."""
        self._append([_line(study.place, trial) for trial in trials])
        self._given[study.place] = len(self._replay.trials[study.place])

    def fresh(self, study: SavedStudy) -> list[FrozenTrial]:
        """Trials since the last call; those that other programs left unfinished are marked failed first."""
        trials = self._replay.trials[study.place]
        start = self._given.get(study.place, 0)
        now = datetime.now(UTC).isoformat()
        self._append([{"op_code": Op.SET_TRIAL_STATE_VALUES, "trial_id": trial["trial_id"], "values": None,
                       "state": TrialState.FAIL.value, "datetime_complete": now} for trial in trials[start:]
                      if not TrialState(trial.get("state", TrialState.RUNNING)).is_finished()])
        self._given[study.place] = len(trials)
        return [frozen(trial, number) for number, trial in enumerate(trials[start:], start)]

    def close(self) -> None:
        """Removes this process's claims."""
        self._workers.close()

    def _read(self) -> None:
        """Takes the lines that are new in the file, up to the last whole one."""
        try:
            with self.path.open("rb") as stream:
                if os.fstat(stream.fileno()).st_size < self._offset:
                    self._forget()
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            self._forget()
            return
        except OSError as error:
            raise StorageError(self.where, error.strerror or str(error)) from error
        self._take(data)

    def _take(self, data: bytes) -> None:
        lines = data.split(b"\n")
        last = len(lines) - 2  # behind the last newline stands nothing, or a torn line
        for place, text in enumerate(lines[:-1]):
            try:
                line = self._line(text)
                self._replay.apply(line)
            except (ValueError, TypeError, KeyError) as error:
                if place == last:
                    return
                raise StorageError(self.where, f"the line at byte {self._offset} is not of a journal, and whole lines "
                                   "follow it: the file was damaged, restore it from a copy") from error
            self._offset += len(text) + 1

    def _line(self, text: bytes) -> Any:
        """The line as data. The distributions of a study are the same text in each of its lines: read once."""
        start, stop = text.find(DISTRIBUTIONS), text.find(PARAMS)
        if not 0 <= start < stop or text.find(DISTRIBUTIONS, start + 1) >= 0 or text.find(PARAMS, stop + 1) >= 0:
            return json.loads(text)
        same = text[start + len(DISTRIBUTIONS):stop]
        if same not in self._distributions:
            self._distributions[same] = json.loads(same)
        line = json.loads(text[:start] + text[stop + 1:])
        line["distributions"] = self._distributions[same]
        return line

    def _cut_torn_line(self) -> None:
        try:
            size = self.path.stat().st_size
            if size > self._offset:
                self._refuse_other()
                _cut(self.path, self._offset)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageError(self.where, error.strerror or str(error)) from error

    def _refuse_other(self) -> None:
        """StorageError for a file without a single line of a journal, which is not ours to cut."""
        with self.path.open("rb") as stream:
            first = stream.read(len(FIRST)).strip(b"\0")
        if self._offset == 0 and not FIRST.startswith(first):
            raise StorageError(self.where, "the file is not a journal: choose another storage")

    def _append(self, lines: list[dict[str, Any]]) -> None:
        """Writes lines, durable on return; if the disk takes only part of them, none is left in the file."""
        if not lines:
            return
        data = b"".join(json.dumps({"worker_id": WRITER, **line}, separators=(",", ":")).encode() + b"\n"
                        for line in lines)
        try:
            new = not self.path.exists()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                _write(descriptor, data, self._offset)
            finally:
                os.close(descriptor)
            if new:
                _sync_folder(self.path.parent)
        except OSError as error:
            reason = f"{error.strerror or error}; what was saved before is still there"
            raise StorageError(self.where, reason) from error
        for line in lines:
            self._replay.apply(line)
        self._offset += len(data)


def _write(descriptor: int, data: bytes, start: int) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest):]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, start)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cut(path: Path, size: int) -> None:
    """Cuts the file back to `size`; what stood behind it is kept in `<file>.torn-N`."""
    with path.open("r+b") as stream:
        stream.seek(size)
        torn = stream.read()
        number = 1
        while (backup := path.with_name(f"{path.name}.torn-{number}")).exists():
            number += 1
        backup.write_bytes(torn)
        stream.truncate(size)
        os.fsync(stream.fileno())


def _line(study: int, trial: FrozenTrial) -> dict[str, Any]:
    """A finished trial as one line."""
    line = {
        "op_code": Op.CREATE_TRIAL, "study_id": study, "state": trial.state.value,
        "datetime_start": _utc(trial.datetime_start), "datetime_complete": _utc(trial.datetime_complete),
        "distributions": {key: distribution_text(one) for key, one in trial.distributions.items()},
        "params": {key: trial.distributions[key].to_internal_repr(value) for key, value in trial.params.items()},
        "user_attrs": trial.user_attrs, "system_attrs": trial.system_attrs, "intermediate_values": {},
    }
    values = trial.values
    if values is None or len(values) == 1:
        return {**line, "value": None if values is None else values[0], "values": None}
    return {**line, "value": None, "values": values}


def _utc(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat()
