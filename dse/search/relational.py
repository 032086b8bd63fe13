"""Studies in a relational database, in Optuna's own tables: SQLite in a file, PostgreSQL for many machines.

Trials are written a batch in one transaction and a statement a table, where Optuna takes a dozen transactions a trial.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from dse.errors import InputError
from dse.search import relational_tables, relational_trials
from dse.search.file_lock import guarded
from dse.search.relational_trials import TRIALS, grouped, insert, utc
from dse.search.server_workers import ServerWorkers
from dse.search.store import Claim, SavedStudy, StorageError, Store
from dse.search.workers import WorkerFiles

STUDIES, DIRECTIONS = models.StudyModel.__table__, models.StudyDirectionModel.__table__
STUDY_ATTRS = models.StudyUserAttributeModel.__table__


class RelationalStore(Store):
    """The database at `url`; `path` is its file, None for a server."""

    def __init__(self, url: str, path: Path | None) -> None:
        self.path = path
        try:
            self._engine = sa.create_engine(url, **({} if path else {"pool_pre_ping": True}))
            self.where = self._engine.url.render_as_string(hide_password=True)
        except (SQLAlchemyError, ImportError) as error:
            raise InputError(f"storage={url.partition('@')[0]} cannot be used: {_reason(error)}") from error
        self._inside = False
        self._seen: dict[int, int] = {}
        with self._failures():
            self._connection = self._engine.connect()
            self._make_tables(url)
            self._workers: WorkerFiles | ServerWorkers = (
                WorkerFiles(path) if path else ServerWorkers(self._connection))

    def studies(self) -> list[SavedStudy]:
        """All studies, in the order of their making."""
        with self._transaction():
            attrs = grouped(self._connection.execute(
                sa.select(STUDY_ATTRS.c.study_id, STUDY_ATTRS.c.key, STUDY_ATTRS.c.value_json)))
            directions = grouped(self._connection.execute(sa.select(
                DIRECTIONS.c.study_id, DIRECTIONS.c.direction).order_by(DIRECTIONS.c.objective)))
            found = self._connection.execute(sa.select(STUDIES.c.study_id, STUDIES.c.study_name)
                                             .order_by(STUDIES.c.study_id)).all()
        return [SavedStudy(place, name, tuple(direction.name.lower() for direction, in directions.get(place, [])),
                           {key: json.loads(text) for key, text in attrs.get(place, [])}) for place, name in found]

    def trials(self, study: SavedStudy) -> list[FrozenTrial]:
        """All trials of a study, by number."""
        with self._transaction():
            return relational_trials.read(self._connection, study.place, -1, named=True)

    def claims(self, study: SavedStudy) -> list[Claim]:
        """What processes say that they are working on."""
        with self._transaction():
            return self._workers.claims(self._work(study))

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """The sole right to write to a study: one transaction, durable at its end, undone where it fails."""
        with guarded(self.path) if self.path else nullcontext(), self._transaction():
            if not self.path:
                self._connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(name)})
            self._inside = True
            try:
                yield
            finally:
                self._inside = False

    def create(self, name: str, directions: Sequence[str], user_attrs: dict[str, Any]) -> SavedStudy:
        """A new study."""
        place = self._connection.execute(sa.insert(STUDIES).values(study_name=name).returning(STUDIES.c.study_id)
                                         ).scalar_one()
        insert(self._connection, DIRECTIONS, [
            {"study_id": place, "objective": number, "direction": StudyDirection[direction.upper()]}
            for number, direction in enumerate(directions)])
        study = SavedStudy(place, name, tuple(directions), {})
        for key, value in user_attrs.items():
            self.set_attr(study, key, value)
        return study

    def set_attr(self, study: SavedStudy, key: str, value: Any) -> None:
        """Sets an attribute of a study."""
        self._connection.execute(sa.delete(STUDY_ATTRS).where(STUDY_ATTRS.c.study_id == study.place,
                                                              STUDY_ATTRS.c.key == key))
        insert(self._connection, STUDY_ATTRS, [{"study_id": study.place, "key": key, "value_json": json.dumps(value)}])
        study.user_attrs[key] = value

    def delete(self, study: SavedStudy) -> None:
        """Removes a study with its trials."""
        own = sa.select(TRIALS.c.trial_id).where(TRIALS.c.study_id == study.place)
        for table in models.BaseModel.metadata.tables.values():
            if "trial_id" in table.c and table is not TRIALS:
                self._connection.execute(sa.delete(table).where(table.c.trial_id.in_(own)))
        for table in (TRIALS, *(table for table in models.BaseModel.metadata.tables.values()
                                if "study_id" in table.c and table not in (TRIALS, STUDIES)), STUDIES):
            self._connection.execute(sa.delete(table).where(table.c.study_id == study.place))

    def claim(self, study: SavedStudy, points: list[dict[str, Any]]) -> None:
        """Says what this process is working on."""
        self._workers.claim(self._work(study), points)

    def drop_claim(self, study: SavedStudy, worker: str) -> None:
        """Removes the claim of a process that is gone."""
        self._workers.drop(worker)

    def add(self, study: SavedStudy, trials: Sequence[FrozenTrial]) -> None:
        """Appends finished trials, a statement a table."""
        if trials:
            self._seen[study.place] = relational_trials.added(self._connection, study.place, trials)

    def fresh(self, study: SavedStudy) -> list[FrozenTrial]:
        """Trials since the last call; those that other programs left unfinished are marked failed first."""
        last = self._seen.get(study.place, -1)
        self._connection.execute(
            sa.select(STUDIES.c.study_id).where(STUDIES.c.study_id == study.place).with_for_update())
        self._connection.execute(sa.update(TRIALS).where(
            TRIALS.c.study_id == study.place, TRIALS.c.trial_id > last,
            TRIALS.c.state.in_([TrialState.RUNNING, TrialState.WAITING])
        ).values(state=TrialState.FAIL, datetime_complete=utc(datetime.now())))
        found = relational_trials.read(self._connection, study.place, last, named=False)
        if found:
            self._seen[study.place] = max(trial._trial_id for trial in found)
        return found

    def close(self) -> None:
        """Removes this process's claims and lets go of the database."""
        try:
            with self._transaction():
                self._workers.close()
        except StorageError:
            return  # a server that is gone has let go already
        finally:
            self._connection.close()
            self._engine.dispose()

    def _work(self, study: SavedStudy) -> Any:
        return study.name if self.path else study.place

    def _make_tables(self, url: str) -> None:
        """Makes or checks the tables, one process at a time; skipped where they are known to be right."""
        if relational_tables.are_current(self._connection):
            return
        with guarded(self.path) if self.path else self._server_lock():
            if not relational_tables.are_current(self._connection):
                relational_tables.make(self._connection, url)

    @contextmanager
    def _server_lock(self) -> Iterator[None]:
        with self._engine.connect() as other, other.begin():
            other.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("tables")})
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._inside:
            yield
            return
        with self._failures(), self._connection.begin():
            yield

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, ImportError) as error:
            raise StorageError(getattr(self, "where", "the database"), f"{_reason(error)}; what was saved before is "
                               "still there") from error


def lock_key(name: str) -> int:
    """A number of 63 bits for a server's advisory lock."""
    return int.from_bytes(hashlib.sha256(f"dse {name}".encode()).digest()[:8], "big") >> 1


def _reason(error: BaseException) -> str:
    text = str(getattr(error, "orig", None) or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
