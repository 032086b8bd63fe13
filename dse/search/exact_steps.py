"""Exact steps beside the sampler: what is cheap with a compiled model is done outright, and the best become trials.

A screen of `SCREEN` designs gives the first candidates. Then, around the best of them, every pair of numbers is swept
on a grid, all else fixed, coarse over the whole range and finer step by step. Candidates that no other beats make the
archive; those worth most become trials. Every design that was evaluated is counted.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dse.grid.pareto import pareto_mask
from dse.search.objectives import Goal
from dse.search.problem import Problem, Structure, evaluated
from dse.search.space import Choice, Domain, Interval, Point, PointKey, point_key

Numbers = npt.NDArray[np.float64]
SCREEN = 100_000
MOST_STRUCTURES = 32  # a composition costs 0.1 s to 0.3 s
CENTRES = 8
SWEPT = 17  # values of each of a pair of numbers
RADII = (1.0, 0.15, 0.03, 0.006)
ENOUGH = 1e-6  # a smaller relative improvement is none
MOST_STALLED = 2 * len(RADII)


@dataclass
class Archive:
    """Feasible designs that no other beats, and the one with the best mark."""

    points: list[Point] = field(default_factory=list)
    losses: Numbers | None = None
    marks: Numbers | None = None

    def merge(self, points: list[Point], losses: Numbers, marks: Numbers) -> None:
        """Takes designs in, and drops what is beaten."""
        if not points:
            return
        if self.losses is not None and self.marks is not None:
            points = [*self.points, *points]
            losses, marks = np.hstack([self.losses, losses]), np.hstack([self.marks, marks])
        keep = kept(losses, marks)
        self.points = [points[place] for place in keep]
        self.losses, self.marks = losses[:, keep], marks[keep]

    def value(self) -> tuple[float, ...]:
        """Best mark and best of each objective: what an improvement is judged by, beside the archive's size."""
        if self.losses is None or self.marks is None:
            return (math.inf,)
        spread = self.losses.max(axis=1, keepdims=True)
        return (float(self.marks.min()), *self.losses.min(axis=1), -float(np.sum(spread - self.losses)))


def kept(losses: Numbers, marks: Numbers) -> npt.NDArray[np.intp]:
    """Places of what no other beats, and of the best mark."""
    if losses.shape[0] == 1:
        return np.unique([int(np.argmin(losses[0])), int(np.argmin(marks))])
    return np.union1d(np.flatnonzero(pareto_mask(losses, np.ones(losses.shape[1], dtype=bool))), [np.argmin(marks)])


class ExactSteps:
    """Screens and sweeps for one search; `proposals` gives the points that are worth a trial."""

    def __init__(self, problem: Problem, goal: Goal, seed: int) -> None:
        self.problem = problem
        self.goal = goal
        self.random = np.random.default_rng([seed, 1])
        self.designs = 0
        self.archive = Archive()
        self._round = 0
        self._stalled = 0

    def proposals(self, count: int, known: Sequence[Point], known_losses: Numbers, taken: set[PointKey]) -> list[Point]:
        """At most `count` points that are not in `taken`, the best mark first, then spread along the front.

        `known` are the feasible designs that were evaluated as trials, with their losses.
        """
        if not self._round and not known:
            self._screen(SCREEN)
        elif not self._round:
            self._screen(SCREEN // 10)
            self._take_known(known)
        if self._stalled < MOST_STALLED:
            self._sweep(self._centres())
        self._round += 1
        return self._chosen(count, known_losses, taken)

    def _take_known(self, known: Sequence[Point]) -> None:
        metrics = self.problem.metrics(list(known))
        self.archive.merge(list(known), self.goal.losses(metrics), self.goal.mark_loss(metrics))

    def _screen(self, count: int) -> None:
        from scipy.stats import qmc

        structures = list(self._structures())
        for structure in structures:
            share = max(1, count // len(structures))
            dimensions = len(structure.dimensions)
            if not dimensions:
                self._evaluate(structure, np.empty((0, 1)))
                continue
            power = max(0, math.floor(math.log2(share)))
            cube = qmc.Sobol(dimensions, seed=self.random).random_base2(power).T
            self._evaluate(structure, np.array([spread(dimension.domain, row) for dimension, row in
                                                zip(structure.dimensions, cube, strict=True)]))

    def _structures(self) -> Iterator[Structure]:
        """The structures of the space; a random few where they are many."""
        settled = self.problem.settled_dimensions
        size = math.prod(dimension.domain.size for dimension in settled)
        choices: Iterable[tuple[Any, ...]]
        if size <= MOST_STRUCTURES:
            choices = itertools.product(*(dimension.domain.values(int(size)) for dimension in settled))
        else:
            shares = self.random.random((MOST_STRUCTURES, len(settled)))
            choices = (tuple(dimension.domain.at(share) for dimension, share in zip(settled, row, strict=True))
                       for row in shares)
        seen = set()
        for values in choices:
            labels: Point = {}
            for dimension, value in zip(settled, values, strict=True):
                if dimension.active(labels):
                    labels[dimension.key] = value
            key = point_key(labels)
            if key not in seen and self.problem.possible(labels):
                yield self.problem.structure(labels)
            seen.add(key)

    def _evaluate(self, structure: Structure, values: Numbers) -> None:
        """Evaluates designs given in the keys' own units and takes the good ones into the archive."""
        scales = np.array([slot.field.scale for slot in structure.slots])[:, None]
        metrics = evaluated(structure, values * scales if structure.slots else values)
        self.designs += metrics.shape[1]
        places = np.flatnonzero(self.goal.feasible(metrics))
        if not len(places):
            return
        losses, marks = self.goal.losses(metrics)[:, places], self.goal.mark_loss(metrics)[places]
        keep = kept(losses, marks)
        points = [_point(structure, values[:, places[place]]) for place in keep]
        self.archive.merge(points, losses[:, keep], marks[keep])

    def _centres(self) -> list[Point]:
        """The best mark, and designs spread along the front."""
        if self.archive.losses is None or self.archive.marks is None:
            return []
        best = int(np.argmin(self.archive.marks))
        order = farthest(self.archive.losses, self.archive.losses[:, [best]], CENTRES - 1)
        extra = self.random.integers(0, len(self.archive.points), 2)
        return [self.archive.points[place] for place in dict.fromkeys([best, *order, *extra])]

    def _sweep(self, centres: Sequence[Point]) -> None:
        before = self.archive.value()
        radius = RADII[self._round % len(RADII)]
        for centre in centres:
            structure = self.problem.structure(centre)
            self._evaluate(structure, pairs(structure, centre, radius))
            if radius == 1.0:
                self._sweep_settled(centre)
        after = self.archive.value()
        improved = any(new < old - ENOUGH * abs(old) for new, old in zip(after, before, strict=False))
        self._stalled = 0 if improved else self._stalled + 1

    def _sweep_settled(self, centre: Point) -> None:
        """The same numbers under every other value of each settled key."""
        for dimension in self.problem.settled_dimensions:
            if dimension.key not in centre or math.isinf(dimension.domain.size):
                continue
            for value in dimension.domain.values(MOST_STRUCTURES):
                near = self.problem.space.nearest({**centre, dimension.key: value})
                if value != centre[dimension.key] and self.problem.possible(near):
                    structure = self.problem.structure(near)
                    self._evaluate(structure, pairs(structure, near, 1.0))

    def _chosen(self, count: int, known_losses: Numbers, taken: set[PointKey]) -> list[Point]:
        if self.archive.losses is None or self.archive.marks is None:
            return []
        free = [place for place, point in enumerate(self.archive.points) if point_key(point) not in taken]
        free = [place for place in free if not _beaten(self.archive.losses[:, place], known_losses)]
        if not free:
            return []
        best = min(free, key=lambda place: float(self.archive.marks[place]))  # type: ignore[index]
        losses = self.archive.losses[:, free]
        chosen = np.hstack([known_losses, self.archive.losses[:, [best]]])
        order = [best, *(free[place] for place in farthest(losses, chosen, count))]
        return [self.archive.points[place] for place in dict.fromkeys(order)][:count]


def farthest(losses: Numbers, chosen: Numbers, count: int) -> list[int]:
    """At most `count` designs, each the farthest from all that are chosen by then, on the scale of the front."""
    low, high = losses.min(axis=1, keepdims=True), losses.max(axis=1, keepdims=True)
    width = np.where(high > low, high - low, 1.0)
    places = (losses - low) / width
    distance = np.full(losses.shape[1], np.inf)
    for other in ((chosen - low) / width).T:
        distance = np.minimum(distance, np.abs(places - other[:, None]).max(axis=0))
    found = []
    for _ in range(min(count, losses.shape[1])):
        place = int(np.argmax(distance))
        if distance[place] <= ENOUGH:
            break
        found.append(place)
        distance = np.minimum(distance, np.abs(places - places[:, [place]]).max(axis=0))
    return found


def _beaten(losses: Numbers, known: Numbers) -> bool:
    return bool(known.shape[1] and (known <= losses[:, None]).all(axis=0).any())


def pairs(structure: Structure, centre: Point, radius: float) -> Numbers:
    """Designs in which two numbers at a time take all values around `centre`: (dimensions, designs)."""
    own = np.array([float(centre[dimension.key]) for dimension in structure.dimensions])
    near = [around(dimension.domain, centre[dimension.key], radius) for dimension in structure.dimensions]
    if len(near) < 2:
        return np.array(near) if near else np.empty((0, 1))
    blocks = []
    for first, second in itertools.combinations(range(len(near)), 2):
        block = np.repeat(own[:, None], len(near[first]) * len(near[second]), axis=1)
        block[first] = np.repeat(near[first], len(near[second]))
        block[second] = np.tile(near[second], len(near[first]))
        blocks.append(block)
    return np.hstack(blocks)


def around(domain: Domain, value: Any, radius: float) -> Numbers:
    """Values of a domain near `value`: `radius` of its range to each side, `value` among them."""
    if domain.size <= SWEPT:
        return np.array(domain.values(SWEPT), dtype=float)
    share = _share(domain, value)
    shares = np.linspace(max(0.0, share - radius), min(1.0, share + radius), SWEPT)
    return np.unique(np.append(spread(domain, shares), float(value)))


def _share(domain: Domain, value: Any) -> float:
    if isinstance(domain, Choice):
        return domain.choices.index(value) / len(domain.choices)
    if domain.high == domain.low:
        return 0.0
    if domain.log:
        return math.log(value / domain.low) / math.log(domain.high / domain.low)
    return (float(value) - domain.low) / (domain.high - domain.low)


def spread(domain: Domain, shares: Numbers) -> Numbers:
    """The values at `shares`, 0 to 1, of a domain's range, in the key's own unit."""
    if isinstance(domain, Choice):
        listed: Numbers = np.array(domain.choices, dtype=float)
        return np.asarray(listed[np.minimum(len(listed) - 1, (shares * len(listed)).astype(int))])
    if domain.log:
        values = np.exp(math.log(domain.low) + shares * math.log(domain.high / domain.low))
    else:
        values = domain.low + shares * (domain.high - domain.low)
    if math.isfinite(domain.size):
        width = domain.step or 1.0
        values = domain.low + width * np.round((values - domain.low) / width)
    return np.asarray(np.clip(values, domain.low, domain.high))


def _point(structure: Structure, values: Numbers) -> Point:
    found = dict(structure.labels)
    for dimension, value in zip(structure.dimensions, values.tolist(), strict=True):
        found[dimension.key] = value if _continuous(dimension.domain) else dimension.domain.nearest(value)
    return found


def _continuous(domain: Domain) -> bool:
    return isinstance(domain, Interval) and math.isinf(domain.size)
