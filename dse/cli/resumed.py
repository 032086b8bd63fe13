"""A run of many exact fronts that the same command takes up again, whatever ended it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from dse.cli.progress import ProgressLine
from dse.cli.run_folder import RUNS
from dse.errors import InputError
from dse.grid.checkpoint import Finished, Kept, identity, load, save
from dse.grid.exact import State, exact_front
from dse.grid.front import Objective
from dse.grid.grid import Grid
from dse.grid.stream import Progress
from dse.in_use import clear, exclusive, parts, temporary_file

SAVED_EVERY_S = 1.0
SAVING_SHARE = 0.05  # of the time, at most, goes into saving


class ResumedRun:
    """`count` pieces, each of as many steps as there are `weights`, shares of its work: what is finished, and how far
    the next one is.

    All of it is kept in a file under runs/ while the run takes longer than a second, and removed by `forget`. Other
    `grids` or `objectives`, or another version of the model, have another file. Processes on the same run share the
    file: the furthest of them stays in it, and the last to end removes it. Where it cannot be written, this is said
    once and the run goes on.
    """

    def __init__(self, grids: Iterable[Grid], objectives: Sequence[tuple[Objective, ...]], count: int,
                 weights: Sequence[float]) -> None:
        self.name = identity(grids, objectives)
        self.path = RUNS / f".{self.name[:16]}.progress.npz"
        self.written = _version(self.path)
        kept = load(self.path, self.name)
        self.finished, self.now = (list(kept.finished), kept.now) if kept else ([], None)
        self.went_on = kept is not None
        self.each, self.count = weights, count
        self.share = self._share(0.0)
        self.line = ProgressLine("work done")
        self.saved, self.saving_s = time.monotonic(), 0.0
        self.mark, self.marked = f"{self.name[:16]}.run", ExitStack()
        self.is_marked = self.has_told = False
        self.failure: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """An interrupt loses nothing and says so, or why it does."""
        self.line.clear()
        if kind is KeyboardInterrupt:
            self._save()
        if kind is not None:
            self.marked.close()
        if kind is KeyboardInterrupt:
            where = "there" if self.failure is None else f"what was saved before; {_said(self.failure)}"
            raise KeyboardInterrupt(f"interrupted with {self.share:.1%} of the work done: the same command goes on "
                                    f"from {where}") from None

    def front(self, step: int, grid: Grid, objectives: tuple[Objective, ...]) -> Finished:
        """The front of a step; steps come in order, all objectives of a piece and then the next piece."""
        if step >= len(self.finished):
            self._settle(grid, objectives)
        return self.finished[step]

    def places(self, step: int, work: Callable[[], Finished]) -> Finished:
        """What `work` finds in a step that is not kept within, because it takes no time to speak of."""
        if step >= len(self.finished):
            self.finished.append(work())
            self._tell(0.0)
            self._keep(None)
        return self.finished[step]

    def forget(self) -> None:
        """Removes what was kept, once the results are in place, unless another process is on the same run."""
        if not RUNS.is_dir():
            return
        with exclusive(RUNS):
            self.marked.close()
            clear(RUNS, self.mark)
            clear(RUNS, self.path.name)
            if not parts(RUNS, self.mark):
                self.path.unlink(missing_ok=True)

    def _settle(self, grid: Grid, objectives: tuple[Objective, ...]) -> None:
        found = exact_front(grid, objectives, self._tell, self.now, self._keep)
        self.finished.append(Finished(found.front.places, found.evaluated))
        self.now = None

    def _keep(self, state: State | None) -> None:
        """Notes how far the next step is, and now and then saves all of it."""
        self.now = state
        if time.monotonic() - self.saved > max(SAVED_EVERY_S, self.saving_s / SAVING_SHARE):
            self._save()

    def _tell(self, within: float) -> None:
        self.share = self._share(within)
        self.line.tell(self.share)

    def _share(self, within: float) -> float:
        """The share of the work that is done when the next step is so far."""
        piece, place = divmod(len(self.finished), len(self.each))
        own = sum(self.each[:place]) + self.each[place] * within
        return (piece + own / sum(self.each)) / self.count

    def _save(self) -> None:
        started = time.monotonic()
        try:
            RUNS.mkdir(exist_ok=True)
            self._mark()
            kept = Kept(tuple(self.finished), self.now)
            if not self._is_behind(kept):
                save(self.path, kept, self.name)
                self.written = _version(self.path)
            self.failure = None
        except OSError as error:
            self._warn(error)
        self.saved = time.monotonic()
        self.saving_s = self.saved - started

    def _is_behind(self, kept: Kept) -> bool:
        """Whether another process on the same run has saved more than `kept`."""
        if _version(self.path) == self.written:
            return False
        try:
            other = load(self.path, self.name)
        except InputError:  # damaged since this run began
            return False
        return other is not None and _reach(other) > _reach(kept)

    def _mark(self) -> None:
        """Shows other processes on the same run that this one is at work: a temporary file, which it holds."""
        if self.is_marked:
            return
        with exclusive(RUNS):
            self.marked.enter_context(temporary_file(RUNS, self.mark))
        self.is_marked = True

    def _warn(self, error: OSError) -> None:
        self.failure = error
        if not self.has_told:
            self.line.clear()
            sys.stderr.write(f"progress cannot be saved: {_said(error)}; the run goes on and tries again\n")
        self.has_told = True


def _version(path: Path) -> tuple[int, int] | None:
    """What tells a file from one that has replaced it; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _reach(kept: Kept) -> tuple[int, int, float]:
    """How far a run is: the more, the further. Where boxes cost too much all designs are evaluated after them."""
    now = kept.now
    if isinstance(now, Progress):
        return len(kept.finished), 2, float(now.designs)
    return len(kept.finished), int(now is not None), 1.0 - sum(now.left) if now else 0.0


def _said(error: OSError) -> str:
    return f"{error.filename}: {error.strerror or error}"
