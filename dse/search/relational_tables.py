"""Optuna's tables in a database: made where there are none, checked by Optuna where they are not known to be right."""

from __future__ import annotations

from pathlib import Path

import optuna
import sqlalchemy as sa
from optuna.storages._rdb import models
from sqlalchemy.exc import DatabaseError

from dse.search.store import StorageError

REVISION = "v3.2.0.a"  # of Optuna's tables; any other is left to Optuna to check
VERSION = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))


def are_current(connection: sa.Connection) -> bool:
    """The tables are there, in the form that is read and written here."""
    try:
        with connection.begin():
            revision = connection.execute(sa.select(VERSION.c.version_num)).scalar()
    except DatabaseError as error:
        if "readonly" in str(error) or not _is_missing(error):
            raise
        return False
    return bool(revision == REVISION)


def make(connection: sa.Connection, url: str) -> None:
    """Makes the tables of an empty database, all or none; any other is left to Optuna.

    StorageError where the tables are of an Optuna that is older, or newer, than the one that is installed.
    Optuna's own way takes 0.3 s, most of it to find out which form of the tables is the newest.
    """
    if _newest_of_optuna() == REVISION:
        with connection.begin():
            if not sa.inspect(connection).get_table_names():
                _make(connection)
                return
    from optuna.storages import RDBStorage

    try:
        RDBStorage(url).engine.dispose()
    except RuntimeError as error:
        where = connection.engine.url.render_as_string(hide_password=True)
        raise StorageError(where, "its tables are of another version of Optuna: bring them up with optuna storage "
                           f"upgrade --storage {where}") from error


def _make(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # else each table is a transaction of its own
    models.BaseModel.metadata.create_all(connection)
    VERSION.create(connection)
    connection.execute(sa.insert(VERSION).values(version_num=REVISION))
    connection.execute(sa.insert(models.VersionInfoModel.__table__).values(
        schema_version=models.SCHEMA_VERSION, library_version=optuna.__version__))


def _newest_of_optuna() -> str:
    """The newest form of the tables that the installed Optuna knows, from the names of its files."""
    folder = Path(models.__file__).parent / "alembic" / "versions"
    return max((path.stem.rstrip("_") for path in folder.glob("v*.py")), default="")


def _is_missing(error: DatabaseError) -> bool:
    text = str(error.orig).lower()
    return "no such table" in text or "does not exist" in text
