"""The certificate of a search: how far its best is from the exact optimum of a grid over the same space."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dse.grid.evaluate import evaluate
from dse.grid.exact import exact_front
from dse.grid.front import Objective as GridObjective
from dse.grid.grid import Axis, Grid
from dse.grid.pareto import pareto_mask
from dse.search.engine import METRICS_ATTR
from dse.search.exact_steps import MOST_STRUCTURES
from dse.search.objectives import MAXIMIZE, Goal, Objective
from dse.search.problem import Problem, Structure
from dse.search.saved import SavedSearch, hypervolume

Numbers = npt.NDArray[np.float64]
SECOND = ("group_usd", "throughput_tokens_per_s")  # beside a single objective: a front takes two
COARSE = 4
LEAST_SLOWER = 2.0
GROWTH = 4.0  # the next grid has about this many times the designs
BLOCK = 200_000
MARGIN = 0.01  # by which the corner of a hypervolume lies beyond the fronts, as a share of their range


@dataclass(frozen=True)
class Certificate:
    """The exact answer on a grid, beside the study's.

    `gap` is how much worse the study's best mark is than the grid's, as a share of the grid's; below 0 the study found
    a better design between the grid's points. `hypervolume_share` is the study's over that of both.
    """

    designs: int
    seconds: float
    values: dict[str, int]
    structures: int
    all_structures: float
    mark: str
    grid_best: float | None
    study_best: float
    gap: float | None
    hypervolume_share: float | None

    @property
    def covers_space(self) -> bool:
        """Every design of the space is on the grid, so that the answer is that of the space itself."""
        return bool(self.structures == self.all_structures and all(count > 0 for count in self.values.values()))

    def described(self) -> dict[str, Any]:
        """The certificate as plain data."""
        return {**self.__dict__, "values": {key: abs(count) for key, count in self.values.items()},
                "covers_space": self.covers_space, "says": self.sentence()}

    def sentence(self) -> str:
        """What is proved, and what is not."""
        if self.grid_best is None or self.gap is None:
            return f"none of the {self.designs:,} designs of the grid is feasible: nothing is proved"
        grid = f"the exact optimum of {self.designs:,} designs"
        where = ("all of the space" if self.covers_space else
                 "a grid over the space, " + ", ".join(f"{key} x {abs(count)}" for key, count in self.values.items()))
        gap = (f"{self.gap:.2%} below" if self.gap > 0.0 else "equal to" if self.gap == 0.0 else
               f"{-self.gap:.2%} above")
        share = "" if self.hypervolume_share is None else (
            f"; hypervolume {self.hypervolume_share:.2%} of that of both fronts")
        rest = "" if self.covers_space else "; between the grid's points nothing is proved"
        if self.structures < self.all_structures:
            rest += f"; {self.structures} of {self.all_structures:g} choices of what is not a number are covered"
        return f"the best {self.mark} found is {gap} {grid} ({where}){share}{rest}"


class Answer(NamedTuple):
    """The exact front of a grid: its losses, its best mark, its designs."""

    losses: Numbers
    best: float
    designs: int


def certificate(problem: Problem, goal: Goal, study: SavedSearch, seconds: float) -> Certificate:
    """The exact answer of the finest grid for which there is time, beside that of the study."""
    began = time.perf_counter()
    structures, total = _structures(problem)
    most = COARSE
    for structure in structures:
        _answer(_grid(structure, most), goal)  # compiles the loops, so that the time of a grid is that of its designs
    compiled = time.perf_counter()
    before_s = math.inf
    while True:
        grids = [_grid(structure, most) for structure in structures]
        answer, spent_s = _timed(grids, goal)
        finer = _finer(structures, most)
        if finer == most:
            break
        growth = sum(_size(one, finer) for one in structures) / answer.designs
        needed_s = _needed_s(spent_s, before_s, growth)
        left_s = seconds - (time.perf_counter() - compiled)
        if needed_s > left_s > 2.0 * spent_s:  # it may have compiled another loop, or met a busy moment: once more
            spent_s = min(spent_s, _timed(grids, goal)[1])
            needed_s = _needed_s(spent_s, before_s, growth)
            left_s = seconds - (time.perf_counter() - compiled)
        if needed_s > left_s:
            break
        most, before_s = finer, spent_s
    return _certificate(problem, goal, study, answer, most, len(structures), total, time.perf_counter() - began)


def _timed(grids: list[Grid], goal: Goal) -> tuple[Answer, float]:
    started = time.perf_counter()
    return _merged([_answer(grid, goal) for grid in grids]), time.perf_counter() - started


def _needed_s(spent_s: float, before_s: float, growth: float) -> float:
    """Seconds of the next grid, `growth` times as large: a large grid takes less than its share of designs."""
    return spent_s * (growth if math.isinf(before_s) else min(growth, max(LEAST_SLOWER, spent_s / before_s)))


def _finer(structures: list[Structure], most: int) -> int:
    """Values an axis for about `GROWTH` times the designs; the same where every axis has all its values."""
    now = sum(_size(one, most) for one in structures)
    finest = max((len(one.domain.values(10**6)) if math.isfinite(one.domain.size) else 10**6
                  for structure in structures for one in structure.dimensions), default=1)
    finer = most
    while finer < finest and sum(_size(one, finer) for one in structures) < GROWTH * now:
        finer += 1
    return finer if sum(_size(one, finer) for one in structures) > now else most


def _size(structure: Structure, most: int) -> int:
    return math.prod(int(min(one.domain.size, most)) for one in structure.dimensions)


def _structures(problem: Problem) -> tuple[list[Structure], float]:
    settled = problem.settled_dimensions
    total = math.prod(one.domain.size for one in settled)
    found: dict[tuple[Any, ...], Structure] = {}
    for values in itertools.islice(itertools.product(*(one.domain.values(MOST_STRUCTURES) for one in settled)),
                                   4 * MOST_STRUCTURES):
        labels: dict[str, Any] = {}
        for dimension, value in zip(settled, values, strict=True):
            if dimension.active(labels):
                labels[dimension.key] = value
        key = tuple(labels.items())
        if key in found or not problem.possible(labels):
            total -= math.isfinite(total)
        elif len(found) < MOST_STRUCTURES:
            found[key] = problem.structure(labels)
    return list(found.values()), total


def _grid(structure: Structure, most: int) -> Grid:
    return Grid(structure.base, tuple(
        Axis(slot.index, tuple(slot.si(value) for value in dimension.domain.values(most)))
        for dimension, slot in zip(structure.dimensions, structure.slots, strict=True)))


def _answer(grid: Grid, goal: Goal) -> Answer:
    if goal.limits:
        return _merged(list(_blocks(grid, goal)))
    wanted = _objectives(goal)
    front = exact_front(grid, tuple(GridObjective(one.metric, one.direction == MAXIMIZE) for one in wanted)).front
    count = len(goal.objectives)
    marks = front.values[wanted.index(goal.mark)]
    return Answer(front.values[:count], float(marks.min(initial=math.inf)), grid.size)


def _objectives(goal: Goal) -> list[Objective]:
    """The goal's objectives, its mark, and a second one where there is but one: the best of each is on their front."""
    found = list(goal.objectives)
    if goal.mark not in found:
        found.append(goal.mark)
    if len(found) == 1:
        metric = next(name for name in SECOND if name != found[0].metric)
        found.append(Objective(metric, MAXIMIZE))
    return found


def _blocks(grid: Grid, goal: Goal) -> Iterator[Answer]:
    """The answer block by block, with the limits that the compiled front does not know."""
    if grid.size <= BLOCK or not grid.axes:
        metrics = evaluate(grid, "compiled")  # for a coarse grid too, so that its time tells that of a finer one
        feasible = goal.feasible(metrics)
        losses = goal.losses(metrics)
        marks = goal.mark_loss(metrics)[feasible]
        places = np.flatnonzero(pareto_mask(losses, feasible)) if len(losses) > 1 else np.flatnonzero(feasible)
        yield Answer(losses[:, places], float(marks.min(initial=math.inf)), grid.size)
        return
    first = max(range(len(grid.axes)), key=lambda place: len(grid.axes[place].values))
    for value in grid.axes[first].values:
        axes = (*grid.axes[:first], Axis(grid.axes[first].index, (value,)), *grid.axes[first + 1:])
        yield from _blocks(Grid(grid.base, axes), goal)


def _merged(answers: list[Answer]) -> Answer:
    losses = np.hstack([answer.losses for answer in answers])
    if len(losses) > 1:
        losses = losses[:, pareto_mask(losses)]
    return Answer(losses, min(answer.best for answer in answers), sum(answer.designs for answer in answers))


def _certificate(problem: Problem, goal: Goal, study: SavedSearch, answer: Answer, most: int, structures: int,
                 total: float, seconds: float) -> Certificate:
    assert study.best is not None
    found = study.best.user_attrs[METRICS_ATTR][goal.mark.metric]
    values = {}
    for dimension in problem.space.dimensions:
        count = int(min(dimension.domain.size, most)) if dimension.key not in problem.settled else structures
        whole = dimension.key in problem.settled or dimension.domain.size <= most
        values[dimension.key] = count if whole else -count  # below 0: not all of its values
    if not math.isfinite(answer.best):
        return Certificate(answer.designs, seconds, values, structures, total, goal.mark.metric, None, found, None,
                           None)
    best = goal.mark.sign * answer.best
    gap = (goal.mark.sign * found - answer.best) / abs(best)
    return Certificate(answer.designs, seconds, values, structures, total, goal.mark.metric, best, found, gap,
                       hypervolume_share(study, answer))


def hypervolume_share(study: SavedSearch, answer: Answer) -> float | None:
    """The study's hypervolume over that of grid and study, from the corner just beyond both fronts.

    From so near a corner every part of the front counts. None for a single objective.
    """
    if len(answer.losses) < 2:
        return None
    own = study.losses(study.front)
    both = np.hstack([answer.losses, own])
    low, high = both.min(axis=1), both.max(axis=1)
    shared = high + MARGIN * np.where(high > low, high - low, np.abs(high))
    return hypervolume(own, shared) / hypervolume(both, shared)

