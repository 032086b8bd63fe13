"""Where studies are kept: what a store must do, and how one is opened from a word, a path or a URL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.errors import InputError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

DEFAULT_JOURNAL = "runs/studies.journal"
DEFAULT_SQLITE = "runs/studies.sqlite3"
SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")


class StorageError(OSError):
    """A store that cannot be read or written; one sentence, and what was saved before is still there."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(None, what, where)


class SavedStudy(NamedTuple):
    """A study in a store: its place there, its name, directions (maximize, minimize) and the attributes on it."""

    place: int
    name: str
    directions: tuple[str, ...]
    user_attrs: dict[str, Any]


class Claim(NamedTuple):
    """Points that a process is working on. A claim whose process is gone is open to everybody."""

    worker: str
    alive: bool
    points: list[dict[str, Any]]


class Store(ABC):
    """A place for many studies. Everything that writes happens inside `locked`, which one process at a time enters."""

    where: str

    @abstractmethod
    def studies(self) -> list[SavedStudy]:
        """All studies, in the order of their making."""

    @abstractmethod
    def trials(self, study: SavedStudy) -> list[FrozenTrial]:
        """All trials of a study, by number."""

    @abstractmethod
    def claims(self, study: SavedStudy) -> list[Claim]:
        """What processes, this one too, say that they are working on."""

    @contextmanager
    @abstractmethod
    def locked(self, name: str) -> Iterator[None]:
        """The sole right to write to the study `name`; it ends with the process, whatever ends the process."""
        yield

    @abstractmethod
    def create(self, name: str, directions: Sequence[str], user_attrs: dict[str, Any]) -> SavedStudy:
        """A new study; inside `locked`."""

    @abstractmethod
    def set_attr(self, study: SavedStudy, key: str, value: Any) -> None:
        """Sets an attribute of a study; inside `locked`."""

    @abstractmethod
    def delete(self, study: SavedStudy) -> None:
        """Removes a study with its trials; inside `locked`."""

    @abstractmethod
    def claim(self, study: SavedStudy, points: list[dict[str, Any]]) -> None:
        """Says what this process is working on, in place of what it said before; inside `locked`."""

    @abstractmethod
    def drop_claim(self, study: SavedStudy, worker: str) -> None:
        """Removes the claim of a process that is gone; inside `locked`."""

    @abstractmethod
    def add(self, study: SavedStudy, trials: Sequence[FrozenTrial]) -> None:
        """Appends finished trials, durable on return, all of them in one go; inside `locked`."""

    @abstractmethod
    def fresh(self, study: SavedStudy) -> list[FrozenTrial]:
        """Trials since the last call for this study (all of them in the first), less those that `add` was given.

        Inside `locked`. Trials that other programs left unfinished are marked failed in the store.
        """

    @abstractmethod
    def close(self) -> None:
        """Lets go of everything; safe to call twice."""

    def named(self, name: str) -> SavedStudy | None:
        """The study of that name; None where there is none."""
        return next((study for study in self.studies() if study.name == name), None)


def open_store(storage: str | None, create: bool = True) -> Store:
    """The store that `storage` names: `journal`, `sqlite`, a path, or a URL (sqlite:///PATH, postgresql://...).

    With `create` false, a store that is not there is an InputError.
    """
    given = str(storage or "journal").strip()
    if "://" in given:
        return _by_url(given, create)
    path = Path({"journal": DEFAULT_JOURNAL, "sqlite": DEFAULT_SQLITE}.get(given, given))
    _check_path(path, given, create)
    if path.suffix in SQLITE_SUFFIXES:
        from dse.search.relational import RelationalStore

        return RelationalStore(f"sqlite:///{path}", path)
    from dse.search.journal import JournalStore

    return JournalStore(path)


def _by_url(url: str, create: bool) -> Store:
    from dse.search.relational import RelationalStore

    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        path = Path(rest.removeprefix("/"))
        _check_path(path, url, create)
        return RelationalStore(url, path)
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        return RelationalStore(url.replace("postgres://", "postgresql://", 1), None)
    raise InputError(f"storage={url} is not allowed: give journal, sqlite, a path, sqlite:///PATH or postgresql://...")


def _check_path(path: Path, given: str, create: bool) -> None:
    if path.is_dir() or not path.name:
        raise InputError(f"storage={given} is not allowed: it is a folder, and a file is wanted")
    if path.exists():
        return
    if not create:
        raise InputError(f"storage={given} is not there: no study was saved in {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(str(path.parent), error.strerror or str(error)) from error
