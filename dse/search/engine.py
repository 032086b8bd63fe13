"""The one engine of every search: asks for a batch, evaluates it with the compiled model, stores it, again and again.

Whatever ends a process, the store holds whole trials, and says which points were being worked on. Under the store's
lock a process takes in what others have stored, fails what a dead process had claimed, and claims points of its own,
never more than the target leaves open; so that any number of processes, started and killed at any time, together make
exactly `n_trials` trials.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.study._tell import _tell_with_warning
from optuna.trial import FrozenTrial, TrialState, create_trial

from dse.objective import Metrics
from dse.search.exact_steps import ExactSteps
from dse.search.memory import TrialMemory
from dse.search.new_points import NewPoints
from dse.search.objectives import Goal
from dse.search.problem import Problem
from dse.search.samplers import GRID, Sampling, distribution, made, skip_drawn
from dse.search.space import Point, PointKey, point_key
from dse.search.store import Claim, SavedStudy, Store

METRICS_ATTR, DESIGNS_ATTR, ORIGIN_ATTR = "metrics", "designs_evaluated", "origin"
WORST = 1e30  # stands for an objective or violation that is not a number
TRIES = 20
WAIT_S = 0.05


class Asked(NamedTuple):
    """A point that is to be evaluated: its running trial in memory, and where it came from."""

    trial: optuna.Trial
    point: Point
    origin: str


class Progress(NamedTuple):
    """Where a search stands: trials complete, the target, trials of this run, seconds, and the best mark so far."""

    complete: int
    target: int
    added: int
    elapsed_s: float
    best: float | None


@dataclass
class Search:
    """One process's part in a study. `queued` are labelled points that come first."""

    problem: Problem
    goal: Goal
    store: Store
    study: SavedStudy
    sampling: Sampling
    target: int
    seed: int
    queued: Sequence[tuple[str, Point]] = ()
    report: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False
    added: int = 0
    exhausted: bool = False
    _done: set[PointKey] = field(default_factory=set)
    _feasible: list[FrozenTrial] = field(default_factory=list)
    _lost: list[Point] = field(default_factory=list)
    _best: float | None = None
    _designs: int = 0

    def __post_init__(self) -> None:
        self.memory = TrialMemory(self.study.name, [StudyDirection[one.direction.upper()]
                                                    for one in self.goal.objectives])
        self._optuna = optuna.Study(self.study.name, self.memory)
        self._distributions = {dimension.key: distribution(dimension.domain)
                               for dimension in self.problem.space.dimensions}
        self._steps = ExactSteps(self.problem, self.goal, self.seed) if self.sampling.exact_steps else None
        self._new = NewPoints(self.problem, self.seed)

    def run(self) -> None:
        """Brings the study to its target, or to the end of a finite space, or stops after a batch when told to."""
        began = time.perf_counter()
        while not self.stop():
            with self.store.locked(self.study.name):
                others = self._take_in()
                open_trials = self.target - self.complete
                if open_trials <= 0 or self.exhausted:
                    break
                claimed = sum(len(claim.points) for claim in others)
                batch = self._asked(min(open_trials - claimed, self.sampling.batch), others)
                self.store.claim(self.study, [asked.point for asked in batch])
            if batch:
                self._evaluate(batch)
                self.report(Progress(self.complete, self.target, self.added, time.perf_counter() - began,
                                     self._best))
            elif self.exhausted and not claimed:
                break
            else:
                self.exhausted = False
                time.sleep(WAIT_S)  # the rest is being worked on by other processes

    @property
    def complete(self) -> int:
        """Finished trials that have a result."""
        return len(self._done)

    def _take_in(self) -> list[Claim]:
        """Takes in what others stored, fails what the dead had claimed; returns the claims of the living."""
        self._add_to_memory(self.store.fresh(self.study))
        living = []
        for claim in self.store.claims(self.study):
            if claim.alive:
                living.append(claim)
                continue
            lost = [self._failed(point) for point in claim.points if point_key(point) not in self._done]
            self.store.add(self.study, lost)
            self._add_to_memory(lost)
            self.store.drop_claim(self.study, claim.worker)
        return living

    def _add_to_memory(self, trials: Sequence[FrozenTrial]) -> None:
        self.memory.extend(trials)
        self._note(trials)

    def _note(self, trials: Sequence[FrozenTrial]) -> None:
        """Keeps count of what is done, feasible, lost and best."""
        for trial in trials:
            if trial.state == TrialState.COMPLETE:
                self._done.add(point_key(trial.params))
            elif self.problem.space.holds(trial.params):
                self._lost.append(trial.params)
            if is_feasible(trial) and METRICS_ATTR in trial.user_attrs:
                self._feasible.append(trial)
                mark = trial.user_attrs[METRICS_ATTR][self.goal.mark.metric]
                if self._best is None or self.goal.mark.sign * mark < self.goal.mark.sign * self._best:
                    self._best = mark

    def _failed(self, point: Point) -> FrozenTrial:
        distributions = {key: self._distributions[key] for key in point}
        trial = create_trial(state=TrialState.FAIL, params=point, distributions=distributions,
                             user_attrs={ORIGIN_ATTR: "lost with its process"})
        trial.datetime_start = trial.datetime_complete = datetime.now()
        return trial

    def _asked(self, count: int, others: Sequence[Claim]) -> list[Asked]:
        """At most `count` points to evaluate, each of them new: queued ones, exact steps, the sampler's."""
        if count <= 0:
            return []
        taken = self._done | {point_key(point) for claim in others for point in claim.points}
        drawn = len(self.memory.finished) + sum(len(claim.points) for claim in others)
        self._optuna.sampler = made(self.sampling, self.problem.space, self.seed, drawn)
        skip_drawn(self._optuna, drawn)
        batch: list[Asked] = []
        for origin, point in self._proposed(count, taken):
            if len(batch) < count and point_key(point) not in taken:
                taken.add(point_key(point))
                batch.append(Asked(self._ask(point), point, origin))
        while len(batch) < count:
            asked = self._new_from_sampler(taken)
            if asked is None:
                self.exhausted = True
                break
            taken.add(point_key(asked.point))
            batch.append(asked)
        return batch

    def _proposed(self, count: int, taken: set[PointKey]) -> Iterable[tuple[str, Point]]:
        waiting = [("again, after its process was lost", point) for point in self._lost] + list(self.queued)
        waiting = [one for one in waiting if point_key(one[1]) not in taken and self.problem.possible(one[1])]
        yield from waiting[:count]
        if self._steps is None or len(waiting) >= count:
            return
        feasible = self._feasible
        losses = np.array([[one.sign * value for one, value in zip(self.goal.objectives, trial.values, strict=True)]
                           for trial in feasible]).reshape(len(feasible), len(self.goal.objectives)).T
        wanted = max(1, (count - len(waiting)) * 2 // 3)
        for point in self._steps.proposals(wanted, [trial.params for trial in feasible], losses, taken):
            yield "exact step", point

    def _new_from_sampler(self, taken: set[PointKey]) -> Asked | None:
        """A new point of the sampler; where it repeats itself, a random new one; None where there is none left."""
        if self.sampling.name == GRID:
            found = self._new.next_of_all(taken)
            return None if found is None else Asked(self._ask(found), found, "grid")
        for _ in range(TRIES):
            trial = self._ask(None)
            point = dict(self.memory.record(trial._trial_id).params)
            if point_key(point) not in taken and self.problem.possible(point):
                return Asked(trial, point, f"sampler {self.sampling.name}")
            self.memory.discard(trial._trial_id)
        fresh = self._new.random(taken)
        return None if fresh is None else Asked(self._ask(fresh), fresh, "random, as the sampler repeats itself")

    def _ask(self, fixed: Point | None) -> optuna.Trial:
        """A running trial with its point: the sampler's, or `fixed`."""
        self.memory.fixed_params = fixed
        space = self.problem.space
        if not space.conditional:
            trial = self._optuna.ask(self._distributions)
        else:
            trial = self._optuna.ask()
            for dimension in space.dimensions:
                if dimension.active(trial.params):
                    trial._suggest(dimension.key, self._distributions[dimension.key])
        self.memory.fixed_params = None
        return trial

    def _evaluate(self, batch: Sequence[Asked]) -> None:
        """Evaluates a batch and stores it, all of it or nothing."""
        metrics = self.problem.metrics([asked.point for asked in batch])
        inner = self._steps.designs - self._designs if self._steps else 0
        self._designs += inner
        values = _finite(self.goal.losses(metrics)) * np.array([[one.sign] for one in self.goal.objectives])
        violations = _finite(self.goal.violations(metrics))
        for place, asked in enumerate(batch):
            self._tell(asked, metrics[:, place], values[:, place].tolist(), violations[:, place].tolist(),
                       1 + (inner if place == 0 else 0))
        trials = [self.memory.record(asked.trial._trial_id) for asked in batch]
        with self.store.locked(self.study.name):
            self._add_to_memory(self.store.fresh(self.study))
            self.store.add(self.study, trials)
            self.store.claim(self.study, [])
        self.memory.commit(trials)
        self._note(trials)
        self.added += len(trials)

    def _tell(self, asked: Asked, metrics: Any, values: list[float], violations: list[float], designs: int) -> None:
        record = self.memory.record(asked.trial._trial_id)
        record.system_attrs.pop("fixed_params", None)
        record.system_attrs["constraints"] = violations  # what optuna-dashboard reads
        record.system_attrs.update({f"constraints:{name}": value  # what Optuna reads
                                    for name, value in zip(self.goal.constraints, violations, strict=True)})
        record.user_attrs[METRICS_ATTR] = {name: value if np.isfinite(value) else None
                                           for name, value in zip(Metrics._fields, metrics.tolist(), strict=True)}
        record.user_attrs[ORIGIN_ATTR] = asked.origin
        record.user_attrs[DESIGNS_ATTR] = designs
        _tell_with_warning(self._optuna, asked.trial, values)  # study.tell, less its deep copy of the trial


def is_feasible(trial: FrozenTrial) -> bool:
    """The trial is complete and meets all its constraints."""
    if trial.state != TrialState.COMPLETE:
        return False
    violations = trial.system_attrs.get("constraints")  # quicker than to put them together from their names
    return all(value <= 0.0 for value in (trial.constraints.values() if violations is None else violations))


def _finite(values: Any) -> Any:
    return np.nan_to_num(values, nan=WORST, posinf=WORST, neginf=-WORST)
