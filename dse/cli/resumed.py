"""A run of many exact fronts that the same command takes up again, whatever ended it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Self

from dse.cli.progress import ProgressLine
from dse.cli.run_folder import RUNS
from dse.grid.checkpoint import Finished, Kept, identity, load, save
from dse.grid.exact import State, exact_front
from dse.grid.front import Objective
from dse.grid.grid import Grid

SAVED_EVERY_S = 1.0
SAVING_SHARE = 0.05  # of the time, at most, goes into saving
MANY = 20.0  # a front takes about this many times as long as the best of one objective


class ResumedRun:
    """The fronts of some objectives and others for each of `count` pieces: what is finished, and how far the next is.

    All of it is kept in a file under runs/ while the run takes longer than a second, and removed by `forget`. Other
    `grids` or `objectives`, or another version of the model, have another file.
    """

    def __init__(self, grids: Iterable[Grid], objectives: Sequence[tuple[Objective, ...]], count: int) -> None:
        self.name = identity(grids, objectives)
        self.path = RUNS / f".{self.name[:16]}.progress.npz"
        kept = load(self.path, self.name)
        self.finished, self.now = (list(kept.finished), kept.now) if kept else ([], None)
        self.went_on = kept is not None
        self.each = [MANY if len(one) > 1 else 1.0 for one in objectives]
        self.count, self.share = count, 0.0
        self.line = ProgressLine("work done")
        self.saved, self.saving_s = time.monotonic(), 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """An interrupt loses nothing and says so."""
        self.line.clear()
        if kind is KeyboardInterrupt:
            self._save()
            raise KeyboardInterrupt(f"interrupted with {self.share:.1%} of the work done: the same command goes on "
                                    "from there") from None

    def front(self, step: int, grid: Grid, objectives: tuple[Objective, ...]) -> Finished:
        """The front of a step; steps come in order, all objectives of a piece and then the next piece."""
        if step >= len(self.finished):
            self._settle(grid, objectives)
        return self.finished[step]

    def forget(self) -> None:
        """Removes what was kept, once the results are in place."""
        for path in (self.path, *RUNS.glob(f".{self.path.name}.*")):  # and what a kill in the middle of saving leaves
            path.unlink(missing_ok=True)

    def _settle(self, grid: Grid, objectives: tuple[Objective, ...]) -> None:
        piece, place = divmod(len(self.finished), len(self.each))

        def keep(state: State) -> None:
            self.now = state
            if time.monotonic() - self.saved > max(SAVED_EVERY_S, self.saving_s / SAVING_SHARE):
                self._save()

        def tell(within: float) -> None:
            own = sum(self.each[:place]) + self.each[place] * within
            self.share = (piece + own / sum(self.each)) / self.count
            self.line.tell(self.share)

        found = exact_front(grid, objectives, tell, self.now, keep)
        self.finished.append(Finished(found.front.places, found.evaluated))
        self.now = None

    def _save(self) -> None:
        started = time.monotonic()
        RUNS.mkdir(exist_ok=True)
        save(self.path, Kept(tuple(self.finished), self.now), self.name)
        self.saved = time.monotonic()
        self.saving_s = self.saved - started
