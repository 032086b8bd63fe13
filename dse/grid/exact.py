"""The exact front of a grid by whichever way is quickest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dse.grid.bounded import Bounded, bounded_front
from dse.grid.front import Front, Objective
from dse.grid.grid import Grid
from dse.grid.stream import Progress, streamed_front

FEWEST_BOUNDED = 2**22  # designs from which boxes are ruled out quicker than their designs are evaluated


class Exact(NamedTuple):
    """The exact front; designs evaluated, and designs proved not to be in it without that. `feasible` counts the
    feasible designs where all were evaluated, else it is None."""

    front: Front
    evaluated: int
    proved: int
    feasible: int | None


def exact_front(grid: Grid, objectives: tuple[Objective, ...], watch: Callable[[float], None] | None = None) -> Exact:
    """The front of the feasible designs, the same to the last bit either way.

    `watch` is told, now and then, the share of the designs that is evaluated or ruled out.
    """
    if grid.size < FEWEST_BOUNDED:
        def told(progress: Progress) -> None:
            if watch:
                watch(progress.designs / grid.size)

        done = streamed_front(grid, objectives, watch=told if watch else None)
        return Exact(done.front, done.designs, 0, done.feasible)

    def ruled_out(progress: Bounded) -> None:
        if watch:
            watch(progress.settled / grid.size)

    found = bounded_front(grid, objectives, ruled_out if watch else None)
    return Exact(found.front, found.evaluated, grid.size - found.evaluated, None)
