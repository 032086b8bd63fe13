"""Points of a space that nobody has evaluated or is evaluating: all of a finite space in turn, or random ones."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import numpy as np

from dse.errors import InputError
from dse.search.problem import Problem
from dse.search.space import Point, PointKey, point_key

TRIES = 200
MOST_LISTED = 100_000  # points of a space that is shuffled before all of it is tried


class NewPoints:
    """New points of one search, whose settled values go together; `taken` are evaluated or being evaluated."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem = problem
        self.seed = seed
        self._every: Iterator[Point] | None = None

    def next_of_all(self, taken: AbstractSet[PointKey]) -> Point | None:
        """The next point of a finite space, in random order where it is small enough to be listed; None at its end."""
        if self._every is None:
            self._every = self._listed()
        return next((point for point in self._every if self._is_new(point, taken)), None)

    def random(self, taken: AbstractSet[PointKey]) -> Point | None:
        """A random new point; None where there is none left.

        InputError where hardly any settled values go together, so that none is found in a large space.
        """
        space = self.problem.space
        random = np.random.default_rng([self.seed, len(taken)])
        for _ in range(TRIES):
            point = space.point(random.random(len(space.dimensions)).tolist())
            if self._is_new(point, taken):
                return point
        if space.size > 100 * (len(taken) + 10_000):
            raise InputError("no possible design was found: hardly any settled values of this space go together")
        return next((point for point in space.points() if self._is_new(point, taken)), None)

    def _listed(self) -> Iterator[Point]:
        every = self.problem.space.points()
        if self.problem.space.size > MOST_LISTED:
            return every
        listed = list(every)
        np.random.default_rng(self.seed).shuffle(listed)
        return iter(listed)

    def _is_new(self, point: Point, taken: AbstractSet[PointKey]) -> bool:
        return point_key(point) not in taken and self.problem.possible(point)
