"""Studies in a relational database, in Optuna's own tables: SQLite in a file, PostgreSQL for many machines.

Optuna's storage makes and checks the tables. Trials are written here, a batch in one transaction and a statement a
table, where Optuna takes a dozen transactions a trial.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from dse.errors import InputError
from dse.search.file_lock import guarded
from dse.search.journal_replay import distribution, distribution_text
from dse.search.server_workers import ServerWorkers
from dse.search.store import Claim, SavedStudy, StorageError, Store
from dse.search.workers import WorkerFiles

NUMBER = frozenset("-0123456789")
REVISION = "v3.2.0.a"  # of Optuna's tables; any other is left to Optuna to check
STUDIES, DIRECTIONS = models.StudyModel.__table__, models.StudyDirectionModel.__table__
STUDY_ATTRS, TRIALS = models.StudyUserAttributeModel.__table__, models.TrialModel.__table__
PARAMS, VALUES = models.TrialParamModel.__table__, models.TrialValueModel.__table__
USER_ATTRS, SYSTEM_ATTRS = models.TrialUserAttributeModel.__table__, models.TrialSystemAttributeModel.__table__
FINITE = models.TrialValueModel.TrialValueType.FINITE


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
            attrs = _grouped(self._connection.execute(
                sa.select(STUDY_ATTRS.c.study_id, STUDY_ATTRS.c.key, STUDY_ATTRS.c.value_json)))
            directions = _grouped(self._connection.execute(sa.select(
                DIRECTIONS.c.study_id, DIRECTIONS.c.direction).order_by(DIRECTIONS.c.objective)))
            found = self._connection.execute(sa.select(STUDIES.c.study_id, STUDIES.c.study_name)
                                             .order_by(STUDIES.c.study_id)).all()
        return [SavedStudy(place, name, tuple(direction.name.lower() for direction, in directions.get(place, [])),
                           {key: json.loads(text) for key, text in attrs.get(place, [])}) for place, name in found]

    def trials(self, study: SavedStudy) -> list[FrozenTrial]:
        """All trials of a study, by number."""
        with self._transaction():
            return self._trials(study, -1, named=True)

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
        self._insert(DIRECTIONS, [{"study_id": place, "objective": number,
                                   "direction": StudyDirection[direction.upper()]}
                                  for number, direction in enumerate(directions)])
        study = SavedStudy(place, name, tuple(directions), {})
        for key, value in user_attrs.items():
            self.set_attr(study, key, value)
        return study

    def set_attr(self, study: SavedStudy, key: str, value: Any) -> None:
        """Sets an attribute of a study."""
        self._connection.execute(sa.delete(STUDY_ATTRS).where(STUDY_ATTRS.c.study_id == study.place,
                                                              STUDY_ATTRS.c.key == key))
        self._insert(STUDY_ATTRS, [{"study_id": study.place, "key": key, "value_json": json.dumps(value)}])
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
        if not trials:
            return
        count = self._connection.execute(sa.select(sa.func.count()).where(TRIALS.c.study_id == study.place)
                                         ).scalar_one()
        numbered = sa.insert(TRIALS).returning(TRIALS.c.trial_id, sort_by_parameter_order=True)
        places = self._connection.execute(numbered, [
            {"study_id": study.place, "number": number, "state": trial.state,
             "datetime_start": _utc(trial.datetime_start), "datetime_complete": _utc(trial.datetime_complete)}
            for number, trial in enumerate(trials, count)]).scalars().all()
        both = list(zip(places, trials, strict=True))
        self._insert(PARAMS, [
            {"trial_id": place, "param_name": key, "param_value": trial.distributions[key].to_internal_repr(value),
             "distribution_json": distribution_text(trial.distributions[key])}
            for place, trial in both for key, value in trial.params.items()])
        self._insert(VALUES, [{"trial_id": place, "objective": number, "value": value, "value_type": FINITE}
                              for place, trial in both for number, value in enumerate(trial.values or ())])
        for table, name in ((USER_ATTRS, "user_attrs"), (SYSTEM_ATTRS, "system_attrs")):
            self._insert(table, [{"trial_id": place, "key": key, "value_json": json.dumps(value)}
                                 for place, trial in both for key, value in getattr(trial, name).items()])
        self._seen[study.place] = places[-1]

    def fresh(self, study: SavedStudy) -> list[FrozenTrial]:
        """Trials since the last call; those that other programs left unfinished are marked failed first."""
        last = self._seen.get(study.place, -1)
        self._connection.execute(
            sa.select(STUDIES.c.study_id).where(STUDIES.c.study_id == study.place).with_for_update())
        self._connection.execute(sa.update(TRIALS).where(
            TRIALS.c.study_id == study.place, TRIALS.c.trial_id > last,
            TRIALS.c.state.in_([TrialState.RUNNING, TrialState.WAITING])
        ).values(state=TrialState.FAIL, datetime_complete=_utc(datetime.now())))
        with _no_collection():
            found = self._trials(study, last, named=False)
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

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(sa.insert(table), rows)

    def _trials(self, study: SavedStudy, last: int, named: bool) -> list[FrozenTrial]:
        """Trials behind the one with the id `last`; constraints by name where `named`, else as one list alone."""
        of = (TRIALS.c.study_id == study.place, TRIALS.c.trial_id > last)

        def parts(table: sa.Table, *columns: str, order: str = "trial_id", also: tuple[Any, ...] = ()) -> (
                dict[int, list[tuple[Any, ...]]]):
            chosen = sa.select(table.c.trial_id, *(table.c[name] for name in columns))
            return _grouped(self._connection.execute(
                chosen.join(TRIALS, TRIALS.c.trial_id == table.c.trial_id).where(*of, *also).order_by(table.c[order])))

        rows = self._connection.execute(sa.select(
            TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state, TRIALS.c.datetime_start, TRIALS.c.datetime_complete
        ).where(*of).order_by(TRIALS.c.trial_id)).all()
        if not rows:
            return []
        params = parts(PARAMS, "param_name", "param_value", "distribution_json", order="param_id")
        values = parts(VALUES, "value", "value_type", order="objective")
        user = parts(USER_ATTRS, "key", "value_json")
        system = parts(SYSTEM_ATTRS, "key", "value_json",
                       also=() if named else (~SYSTEM_ATTRS.c.key.startswith("constraints:"),))
        return [_frozen(row, params.get(row[0], []), values.get(row[0], []), user.get(row[0], []),
                        system.get(row[0], [])) for row in rows]

    def _make_tables(self, url: str) -> None:
        """Optuna makes or checks its tables, one process at a time; skipped where they are known to be right."""
        if self._is_current():
            return
        from optuna.storages import RDBStorage

        with guarded(self.path) if self.path else self._server_lock():
            if not self._is_current():
                storage = RDBStorage(url)
                storage.engine.dispose()

    def _is_current(self) -> bool:
        try:
            with self._connection.begin():
                revision = self._connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        except DatabaseError as error:
            if "readonly" in str(error) or not _is_missing(error):
                raise
            return False
        return bool(revision == REVISION)

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


@contextmanager
def _no_collection() -> Iterator[None]:
    """Python's garbage collector walks all objects again and again while very many are made that all stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def lock_key(name: str) -> int:
    """A number of 63 bits for a server's advisory lock."""
    return int.from_bytes(hashlib.sha256(f"dse {name}".encode()).digest()[:8], "big") >> 1


def _grouped(rows: sa.CursorResult[Any]) -> dict[int, list[tuple[Any, ...]]]:
    """Rows by their first column, which is left out."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows.all():
        found.setdefault(row[0], []).append(row[1:])
    return found


def _loaded(text: str) -> Any:
    """A value from JSON; most are numbers, and there are ten of them a trial."""
    if text[0] in NUMBER:
        return int(text) if text.isdigit() else float(text)
    return json.loads(text)


def _frozen(row: Any, params: list[Any], values: list[Any], user: list[Any], system: list[Any]) -> FrozenTrial:
    place, number, state, start, complete = row
    distributions = {name: distribution(text) for name, _, text in params}
    return FrozenTrial(
        number=number, trial_id=place, state=state, value=None,
        values=[models.TrialValueModel.stored_repr_to_value(*value) for value in values] or None,
        datetime_start=_local(start), datetime_complete=_local(complete),
        params={name: distributions[name].to_external_repr(value) for name, value, _ in params},
        distributions=distributions, user_attrs={key: _loaded(text) for key, text in user},
        system_attrs={key: _loaded(text) for key, text in system}, intermediate_values={})


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC).replace(tzinfo=None)


def _local(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)


def _is_missing(error: DatabaseError) -> bool:
    text = str(error.orig).lower()
    return "no such table" in text or "does not exist" in text


def _reason(error: BaseException) -> str:
    text = str(getattr(error, "orig", None) or error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
