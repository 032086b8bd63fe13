"""The exact front of a grid by whichever way is quickest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dse.grid.bounded import Bounded, bounded_front
from dse.grid.front import Front, Objective
from dse.grid.grid import Grid
from dse.grid.stream import Progress, streamed_front

FEWEST_BOUNDED = 2**22  # designs from which boxes are ruled out quicker than their designs are evaluated
DESIGNS_OF_A_BOX = 100  # designs that are evaluated in the time of bounding a box, 2 to 4 us against 20 to 40 ns

State = Progress | Bounded  # how far a run has come, by either way


class Exact(NamedTuple):
    """The exact front; designs evaluated, and designs proved not to be in it without that. `feasible` counts the
    feasible designs where all were evaluated, else it is None."""

    front: Front
    evaluated: int
    proved: int
    feasible: int | None


def exact_front(grid: Grid, objectives: tuple[Objective, ...], watch: Callable[[float], None] | None = None,
                start: State | None = None, keep: Callable[[State], None] | None = None) -> Exact:
    """The front of the feasible designs, the same to the last bit either way; of a single objective, the best design.

    A large grid is bounded; where its boxes turn out to cost more than its designs, all of these are evaluated.
    `watch` is told, now and then, the share of the work that is done, and `keep` the state from which another run goes
    on when it is given as `start`.
    """
    def told(state: State) -> None:
        if keep:
            keep(state)
        if watch:
            watch(1.0 - sum(state.left) if isinstance(state, Bounded) else state.designs / grid.size)

    listening = told if watch or keep else None
    if grid.size >= FEWEST_BOUNDED and not isinstance(start, Progress):
        found = bounded_front(grid, objectives, listening, start, grid.size / DESIGNS_OF_A_BOX)
        if not found.open:
            return Exact(found.front, found.evaluated, grid.size - found.evaluated, None)
        start = Progress(0, 0, 0, found.front)
    done = streamed_front(grid, objectives, start if isinstance(start, Progress) else None, listening)
    return Exact(done.front, done.designs, 0, done.feasible)
