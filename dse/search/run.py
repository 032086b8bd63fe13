"""A whole search: opens or makes the study, runs it to its target, and says what came out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from dse.errors import InputError
from dse.search.certificate import Certificate, certificate
from dse.search.engine import Progress, Search
from dse.search.header import ATTRIBUTE, differences, header, refusal, saved_header
from dse.search.objectives import Goal
from dse.search.problem import Problem
from dse.search.samplers import Sampling
from dse.search.saved import SavedSearch, saved_search
from dse.search.space import Point
from dse.search.store import SavedStudy, StorageError, Store, open_store

ADOPTED = "adopted"
CERTIFICATE = "certificate"
MOST_ADOPTED = 0.5  # share of the target that may go to the points of an adopted study


@dataclass(frozen=True)
class Settings:
    """How a search is run: what does not change what is searched for."""

    name: str
    n_trials: int
    sampling: Sampling
    seed: int = 0
    storage: str | None = None
    adopt: bool = False
    known: Sequence[tuple[str, Point]] = ()
    certificate_s: float = 0.0
    command: tuple[str, ...] = ()
    report: Callable[[Progress], None] = field(default=lambda progress: None)
    stop: Callable[[], bool] = field(default=lambda: False)


@dataclass(frozen=True)
class Outcome:
    """What a run of a search did, and the study as it stands."""

    study: SavedSearch
    where: str
    added: int
    target: int
    stopped: bool
    exhausted: bool
    sampling: Sampling
    certificate: Certificate | None


def run(problem: Problem, goal: Goal, settings: Settings) -> Outcome:
    """Runs a study to its target, from wherever it stands.

    Raises InputError where the saved study was made for something else, StorageError where it cannot be kept.
    """
    if settings.n_trials < 1:
        raise InputError(f"n_trials={settings.n_trials} is not allowed: it takes a whole number >= 1")
    if not problem.settled:
        problem.structure({})  # says at once what is not allowed
    logging.getLogger("optuna").setLevel(logging.ERROR)
    with closing(open_store(settings.storage)) as store:
        study, adopted = opened(store, problem, goal, settings)
        search = Search(problem, goal, store, study, settings.sampling, settings.n_trials, settings.seed,
                        [*adopted, *settings.known], settings.report, settings.stop)
        search.run()
        found = saved_search(store, study, search.memory.finished)
        proof = None
        if settings.certificate_s > 0.0 and not settings.stop() and found.feasible:
            proof = certificate(problem, goal, found, settings.certificate_s)
            _keep(store, study, proof)
            found = saved_search(store, study, search.memory.finished)
        return Outcome(found, store.where, search.added, settings.n_trials, settings.stop(), search.exhausted,
                       settings.sampling, proof)


def opened(store: Store, problem: Problem, goal: Goal, settings: Settings) -> (
        tuple[SavedStudy, list[tuple[str, Point]]]):
    """The study to work on, made where it is not there, and the points of the study that it adopts."""
    asked = header(problem.space, goal, problem.assumptions, settings.command, settings.seed)
    directions = [one.direction for one in goal.objectives]
    with store.locked(settings.name):
        saved = store.named(settings.name)
        if saved is None:
            return store.create(settings.name, directions, {ATTRIBUTE: asked}), []
        found = differences(saved_header(saved, store.where), asked)
        if not found:
            return saved, _adopted(store, saved, problem, settings.n_trials)
        if not settings.adopt:
            raise refusal(settings.name, found)
        return _successor(store, problem, asked, directions, settings)


def _successor(store: Store, problem: Problem, asked: Mapping[str, Any], directions: Sequence[str],
               settings: Settings) -> tuple[SavedStudy, list[tuple[str, Point]]]:
    """The study NAME-2, NAME-3, ... of this search: the one that is there already, or a new one."""
    number, older = 2, settings.name
    while (saved := store.named(f"{settings.name}-{number}")) is not None:
        if not differences(saved_header(saved, store.where), asked):
            return saved, _adopted(store, saved, problem, settings.n_trials)
        older = saved.name
        number += 1
    made = store.create(f"{settings.name}-{number}", directions, {ATTRIBUTE: dict(asked), ADOPTED: older})
    return made, _adopted(store, made, problem, settings.n_trials)


def _adopted(store: Store, study: SavedStudy, problem: Problem, target: int) -> list[tuple[str, Point]]:
    """Points of the study that this one adopts, as they lie in its own space, the best first."""
    name = study.user_attrs.get(ADOPTED)
    older = store.named(name) if name else None
    if older is None:
        return []
    points = [problem.space.nearest(point) for point in saved_search(store, older).points_best_first()]
    return [(f"adopted from {name}", point) for point in points[:max(1, int(MOST_ADOPTED * target))]]


def _keep(store: Store, study: SavedStudy, proof: Certificate) -> None:
    with store.locked(study.name):
        store.set_attr(study, CERTIFICATE, proof.described())


__all__ = ["Outcome", "Settings", "StorageError", "opened", "run"]
