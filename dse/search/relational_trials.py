"""Trials as rows of Optuna's tables: written a statement a table, read a statement a table."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial

from dse.search.journal_replay import distribution, distribution_text

NUMBER = frozenset("-0123456789")
TRIALS, PARAMS = models.TrialModel.__table__, models.TrialParamModel.__table__
VALUES, USER_ATTRS = models.TrialValueModel.__table__, models.TrialUserAttributeModel.__table__
SYSTEM_ATTRS = models.TrialSystemAttributeModel.__table__
FINITE = models.TrialValueModel.TrialValueType.FINITE


def insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Inserts rows in one statement; none where there are none."""
    if rows:
        connection.execute(sa.insert(table), rows)


def added(connection: sa.Connection, study: int, trials: Sequence[FrozenTrial]) -> int:
    """Appends finished trials to a study; gives the id of the last."""
    count = connection.execute(sa.select(sa.func.count()).where(TRIALS.c.study_id == study)).scalar_one()
    numbered = sa.insert(TRIALS).returning(TRIALS.c.trial_id, sort_by_parameter_order=True)
    places = connection.execute(numbered, [
        {"study_id": study, "number": number, "state": trial.state,
         "datetime_start": utc(trial.datetime_start), "datetime_complete": utc(trial.datetime_complete)}
        for number, trial in enumerate(trials, count)]).scalars().all()
    both = list(zip(places, trials, strict=True))
    insert(connection, PARAMS, [
        {"trial_id": place, "param_name": key, "param_value": trial.distributions[key].to_internal_repr(value),
         "distribution_json": distribution_text(trial.distributions[key])}
        for place, trial in both for key, value in trial.params.items()])
    insert(connection, VALUES, [
        {"trial_id": place, "objective": number, "value": value, "value_type": FINITE}
        for place, trial in both for number, value in enumerate(trial.values or ())])
    for table, name in ((USER_ATTRS, "user_attrs"), (SYSTEM_ATTRS, "system_attrs")):
        insert(connection, table, [{"trial_id": place, "key": key, "value_json": json.dumps(value)}
                                   for place, trial in both for key, value in getattr(trial, name).items()])
    return int(places[-1])


def read(connection: sa.Connection, study: int, last: int, named: bool) -> list[FrozenTrial]:
    """Trials behind the one with the id `last`; constraints by name where `named`, else as one list alone."""
    of = (TRIALS.c.study_id == study, TRIALS.c.trial_id > last)

    def parts(table: sa.Table, *columns: str, order: str = "trial_id", also: tuple[Any, ...] = ()) -> (
            dict[int, list[tuple[Any, ...]]]):
        chosen = sa.select(table.c.trial_id, *(table.c[name] for name in columns))
        return grouped(connection.execute(
            chosen.join(TRIALS, TRIALS.c.trial_id == table.c.trial_id).where(*of, *also).order_by(table.c[order])))

    rows = connection.execute(sa.select(
        TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state, TRIALS.c.datetime_start, TRIALS.c.datetime_complete
    ).where(*of).order_by(TRIALS.c.trial_id)).all()
    if not rows:
        return []
    with _no_collection():
        params = parts(PARAMS, "param_name", "param_value", "distribution_json", order="param_id")
        values = parts(VALUES, "value", "value_type", order="objective")
        user = parts(USER_ATTRS, "key", "value_json")
        system = parts(SYSTEM_ATTRS, "key", "value_json",
                       also=() if named else (~SYSTEM_ATTRS.c.key.startswith("constraints:"),))
        return [_frozen(row, params.get(row[0], []), values.get(row[0], []), user.get(row[0], []),
                        system.get(row[0], [])) for row in rows]


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


def grouped(rows: sa.CursorResult[Any]) -> dict[int, list[tuple[Any, ...]]]:
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


def utc(time: datetime | None) -> datetime | None:
    """A local time as the tables hold it."""
    return None if time is None else time.astimezone(UTC).replace(tzinfo=None)


def _local(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
