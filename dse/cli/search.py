"""The verb `search`: an Optuna study of the design space.

usage: dse search [OVERRIDE ...] [--config-dir DIR]

A study over a space, evaluated by the compiled model. The same command again goes on with it up to n_trials, whatever
ended it before; several copies of it at once share the work.

  KEY=interval(LOW,HIGH)      a continuous axis; int(interval(...)) of whole numbers, tag(log,interval(...)) log-scaled
  KEY=range(START,STOP,STEP)  an axis in steps; KEY=choice(A,B) or KEY=A,B one of a list
  technique=A,B               a study of each; technique=choice(A,B) makes the technique an axis; so do model=, traffic=
  seed=1,2 sampler=A,B        a study of each, as with every setting that is no part of a design
  space=NAME                  the axes of a file conf/space/NAME.yaml; an override of one of its keys wins
  objectives=[METRIC,...]     METRIC or METRIC:maximize or METRIC:minimize
                              (default: throughput_tokens_per_s up against group_usd down)
  objective=METRIC            what marks the best design of several objectives (default tokens_per_s_per_usd)
  limits={METRIC:NUMBER}      constraints beside the model's own, as in limits={group_usd:200000}
  n_trials=N  seed=N          the target, and where randomness starts
  sampler=NAME                auto (default), tpe, nsga2, nsga3, cmaes, gp, qmc, random, grid
  study.name=NAME             its name (default: one that belongs to the space and the objectives)
  study.adopt=true            a changed search goes on in a new study NAME-2, started from the old one's points
  study.exact_steps=BOOL      screens and exact sweeps beside the sampler (default: with sampler=auto)
  study.known_designs=BOOL    the configured design and the shipped chips come first (default true)
  study.baseline=true         a random search of the same length beside it, in the study NAME-random
  study.certificate_s=S       seconds for the exact optimum on a grid over the same space (default 2; 0: none)
  storage=WHERE               journal (default), sqlite, a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE
  output=table|json           a summary to read, or what `dse studies show` gives

Ctrl-C ends it after the batch. The same as: dse evaluate --multirun hydra/sweeper=study ... With hydra/sweeper=basic
each of several studies is a job of Hydra, for its launchers: hydra/launcher=joblib runs them side by side.

examples:
  dse search space=chip n_trials=100 study.name=chip
  dse search 'hardware.l2_mib=tag(log,interval(8,512))' hardware.hbm_gb=32,64 technique=none,preserve n_trials=40
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from dse.cli.batch_run import run as run_batch
from dse.cli.evaluate import task

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

    from dse.search.engine import Progress
    from dse.search.run import Outcome

A_JOB_EACH = "hydra/sweeper=basic"
LINE_EVERY_S = 5.0
REFRESH_EVERY_S = 0.2


def run(arguments: Sequence[str]) -> int:
    """Runs the search that `arguments` describe; exit status 0."""
    quoted = [_quoted(text) for text in arguments]
    if A_JOB_EACH in arguments:
        from dse.cli.search_jobs import run_jobs

        run_jobs(quoted)
    else:
        run_batch(task, "study", quoted)
    return 0


def _quoted(argument: str) -> str:
    """A storage's URL in quotes, so that it may hold signs that mean something to Hydra, as in ?host=/tmp."""
    key, _, value = argument.partition("=")
    return f"{key}='{value}'" if key == "storage" and "://" in value and value[0] not in "'\"" else argument


def sweep(loader: ConfigLoader, master: DictConfig, arguments: Sequence[str], suffix: str = "") -> (
        list[dict[str, Any]]):
    """Runs the search and prints what came out; returns the studies as plain data. `suffix` goes behind their names.

    Raises KeyboardInterrupt, with a sentence on what is saved, where it was stopped.
    """
    from dse.cli.study_search import Watch, search

    with interruptions() as stop:
        output, outcomes = search(loader, master, arguments, Watch(progress_line, stop), suffix)
        stopped = stop()
    found = [outcome.study.described() for outcome in outcomes]
    if output == "json":
        sys.stdout.write(json.dumps(found[0] if len(found) == 1 else found, indent=2) + "\n")
    else:
        from dse.cli.search_report import report, side_by_side

        parts = [*(report(outcome) for outcome in outcomes), *side_by_side(outcomes)]
        sys.stdout.write("\n\n".join(parts) + "\n")
    sys.stdout.flush()
    if stopped:
        raise KeyboardInterrupt(_saved(outcomes))
    return found


def _saved(outcomes: Sequence[Outcome]) -> str:
    parts = [f"{len(outcome.study.complete):,} of {outcome.target:,} trials of study {outcome.study.name} are saved in "
             f"{outcome.where}" for outcome in outcomes]
    return f"interrupted; {', '.join(parts) or 'nothing was begun'}; the same command goes on from there"


@contextmanager
def interruptions() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for an end after the batch, a second one ends at once; gives the question whether it was asked."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    try:
        saved = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: somebody else takes signals
        yield lambda: False
        return
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, saved)


def progress_line(name: str) -> Callable[[Progress], None]:
    """Tells progress on standard error: one line that is rewritten on a terminal, a line now and then elsewhere."""
    last = [time.monotonic()]
    terminal = sys.stderr.isatty()

    def tell(progress: Progress) -> None:
        every_s = REFRESH_EVERY_S if terminal else LINE_EVERY_S
        done = progress.complete >= progress.target
        if time.monotonic() - last[0] < every_s and not (done and terminal):
            return
        last[0] = time.monotonic()
        text = _progress(name, progress)
        sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if done else "") if terminal else text + "\n")
        sys.stderr.flush()

    return tell


def _progress(name: str, progress: Progress) -> str:
    rate = progress.added / max(progress.elapsed_s, 1e-9)
    left_s = max(0, progress.target - progress.complete) / max(rate, 1e-9)
    best = "none feasible yet" if progress.best is None else f"best {progress.best:.6g}"
    return (f"{name}: {progress.complete:,} of {progress.target:,} trials, {rate:,.0f}/s, {left_s:,.0f} s left, {best}")
