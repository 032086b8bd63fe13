"""Which processes work on a study kept on a PostgreSQL server, and on what.

Each process holds an advisory lock of the server for as long as its connection lives; the server lets go of it when the
process or its machine is gone.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import sqlalchemy as sa
from optuna.storages._rdb import models

from dse.search.store import Claim

ATTRS = models.StudySystemAttributeModel.__table__
PREFIX = "dse:claim:"


class ServerWorkers:
    """Claims as attributes of the study; their writers hold a lock on the number in the attribute's name."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._number = uuid.uuid4().int >> 65
        self._locked = False

    def claim(self, study: int, points: list[dict[str, Any]]) -> None:
        """Writes what this process is working on; inside a transaction."""
        if not self._locked:
            self._connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": self._number})
            self._locked = True
        key = f"{PREFIX}{self._number}"
        self._connection.execute(sa.delete(ATTRS).where(ATTRS.c.study_id == study, ATTRS.c.key == key))
        if points:
            self._connection.execute(sa.insert(ATTRS).values(study_id=study, key=key, value_json=json.dumps(points)))

    def claims(self, study: int) -> list[Claim]:
        """Every claim on a study; inside a transaction."""
        found = self._connection.execute(sa.select(ATTRS.c.key, ATTRS.c.value_json).where(
            ATTRS.c.study_id == study, ATTRS.c.key.startswith(PREFIX))).all()
        return [Claim(key, self._alive(int(key.removeprefix(PREFIX))), json.loads(text)) for key, text in found]

    def drop(self, worker: str) -> None:
        """Removes the claim of a process that is gone; inside a transaction."""
        self._connection.execute(sa.delete(ATTRS).where(ATTRS.c.key == worker))

    def close(self) -> None:
        """Removes this process's claims; inside a transaction."""
        self._connection.execute(sa.delete(ATTRS).where(ATTRS.c.key == f"{PREFIX}{self._number}"))
        if self._locked:
            self._connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": self._number})
            self._locked = False

    def _alive(self, number: int) -> bool:
        if number == self._number:
            return True
        got = self._connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": number}).scalar_one()
        if got:
            self._connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": number})
        return not got
