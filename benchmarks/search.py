"""Searches against stock Optuna: sample efficiency, cost of durability, time to resume, kills.

    python benchmarks/search.py [efficiency] [durability] [resume]        all of them where none is named

Prints a table of each. The kills are tests: DSE_CRASH_ROUNDS=50 python -m pytest tests/crash.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from dse.cli.hydra_run import composed
from dse.search.certificate import Answer, _answer, _grid, _structures, hypervolume_share
from dse.search.engine import Search
from dse.search.header import ATTRIBUTE, header
from dse.search.objectives import Goal, goal
from dse.search.problem import Problem
from dse.search.run import Settings, run
from dse.search.samplers import Sampling, distributions, made
from dse.search.saved import load_study
from dse.search.space import Choice, Dimension, Interval, Space
from dse.search.store import open_store

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

SPACE = Space((
    Dimension("hardware.cores", Interval(16, 160, False, True, 4)),
    Dimension("hardware.clock_ghz", Interval(1.0, 2.0)),
    Dimension("hardware.l2_mib", Interval(8, 512, True)),
    Dimension("hardware.l2_gb_per_s", Interval(2000, 16000, True)),
    Dimension("hardware.hbm_gb", Choice((32, 48, 64, 80, 96, 128, 144, 192))),
    Dimension("hardware.hbm_gb_per_s", Interval(800, 8000, True)),
    Dimension("hardware.link_gb_per_s", Interval(25, 900, True)),
    Dimension("parallelism.tensor_parallel", Choice((1, 2, 4, 8))),
    Dimension("parallelism.pipeline_parallel", Choice((1, 2, 4))),
))
SEEDS = 10
REFINED = 3
FRONT_VALUES = 17


def problem() -> Problem:
    config = composed(["hardware=accelerator", "technique=preserve", "precision=int8", "traffic.batch=16"])
    return Problem(SPACE, (), lambda labels: config)


def memory_goal() -> Goal:
    return goal(None, "tokens_per_s_per_usd", None)


def exact(of: Problem, aim: Goal, most: int) -> Answer:
    """The exact front of a grid over the whole space."""
    structure = _structures(of)[0][0]
    return _answer(_grid(structure, most), aim)


def refined_best(of: Problem, aim: Goal) -> float:
    """The optimum of a single objective: many long searches by exact steps from different screens, the best of all."""
    from dse.search.exact_steps import ExactSteps

    found = []
    for seed in range(100, 100 + 2 * REFINED):
        steps = ExactSteps(of, aim, seed)
        for _ in range(40):
            steps.proposals(1, [], np.empty((len(aim.objectives), 0)), set())
        assert steps.archive.marks is not None
        found.append(float(steps.archive.marks.min()))
    return min(found)


def searched(folder: Path, of: Problem, aim: Goal, sampling: Sampling, seed: int, n_trials: int) -> Any:
    name = f"{sampling.name}-{seed}-{len(aim.objectives)}-{sampling.exact_steps}"
    settings = Settings(name, n_trials, sampling, seed, str(folder / "studies.journal"))
    return run(of, aim, settings).study


def trials_to(values: Sequence[float | None], wanted: float) -> int | None:
    """Number of the first trial that reaches `wanted`, the larger the better."""
    return next((place + 1 for place, value in enumerate(values) if value is not None and value >= wanted), None)


def efficiency(folder: Path) -> None:
    of = problem()
    single = goal(["tokens_per_s_per_usd"], "tokens_per_s_per_usd", None)
    grid = exact(of, single, 9)
    optimum = -min(grid.best, refined_best(of, single))
    print(f"optimum of tokens_per_s_per_usd: {optimum:.8f}; best of {grid.designs:,} grid designs {-grid.best:.8f}")
    for sampling, n_trials in ((Sampling("tpe", True, ""), 200), (Sampling("tpe", False, ""), 1000)):
        counts, designs, worst = [], [], []
        for seed in range(SEEDS):
            study = searched(folder, of, single, sampling, seed, n_trials)
            values = [trial.values[0] if trial in study.feasible else None for trial in study.complete]
            counts.append(trials_to(values, 0.99 * optimum))
            designs.append(study.designs_evaluated)
            worst.append(1.0 - max(value or 0.0 for value in values) / optimum)
        label = "exact steps beside TPE" if sampling.exact_steps else "TPE alone, batches of 10"
        print(f"{label}: trials to within 1 %: {counts}; gap at {n_trials} trials, worst seed {max(worst):.3%}; "
              f"designs evaluated in all, median {statistics.median(designs):,.0f}")
    _fronts(folder, of)


def _fronts(folder: Path, of: Problem) -> None:
    aim = memory_goal()
    answer = exact(of, aim, FRONT_VALUES)
    genetic = Sampling("nsga2", False, "", {"population_size": 200})
    for sampling, n_trials in ((Sampling("tpe", True, ""), 500), (genetic, 5500)):
        shares, designs = [], []
        for seed in range(3):
            study = searched(folder, of, aim, sampling, seed, n_trials)
            shares.append(hypervolume_share(study, answer))
            designs.append(study.designs_evaluated)
        label = "exact steps beside TPE" if sampling.exact_steps else "NSGA-II alone"
        print(f"{label}: share of the hypervolume of {answer.designs:,} grid designs and its own, {n_trials} trials: "
              f"{', '.join(f'{share:.2%}' for share in shares)}; designs in all {statistics.median(designs):,.0f}")


def durability(folder: Path) -> None:
    of, aim = problem(), goal(["tokens_per_s_per_usd"], "tokens_per_s_per_usd", None)
    of.metrics([SPACE.point([0.5] * len(SPACE.dimensions))])
    for name in ("tpe", "random"):
        sampling = Sampling(name, False, "")
        ways = {"bare in-memory loop of Optuna": lambda sampling=sampling: _bare(of, aim, sampling, 1000)}
        for storage in ("studies.journal", "studies.sqlite3"):
            def durable(storage: str = storage, sampling: Sampling = sampling) -> float:
                with tempfile.TemporaryDirectory(dir=folder) as inner:
                    began = time.perf_counter()
                    run(of, aim, Settings("timed", 1000, sampling, 1, f"{inner}/{storage}"))
                    return time.perf_counter() - began

            ways[f"each batch durable in {storage}"] = durable
        spent = _by_turns(ways)
        bare = next(iter(spent.values()))
        for way, seconds in spent.items():
            print(f"1,000 {name} trials, {way}: {seconds:.2f} s, {seconds / bare:.2f} x")


def _by_turns(ways: dict[str, Callable[[], float]], rounds: int = 5) -> dict[str, float]:
    """Median seconds of each way, timed by turns, so that a busy moment of the machine meets all of them."""
    found = [{name: timed() for name, timed in ways.items()} for _ in range(rounds)]
    return {name: statistics.median(one[name] for one in found) for name in ways}


def _bare(of: Problem, aim: Goal, sampling: Sampling, count: int) -> float:
    study = optuna.create_study(direction="maximize", sampler=made(sampling, SPACE, 1, 0))
    known = distributions(SPACE)
    began = time.perf_counter()
    for _ in range(count):
        trial = study.ask(known)
        metrics = of.metrics([trial.params])
        for name, violation in zip(aim.constraints, aim.violations(metrics)[:, 0].tolist(), strict=True):
            trial.set_constraint(name, violation)
        study.tell(trial, float(-aim.losses(metrics)[0, 0]))
    return time.perf_counter() - began


def resume(folder: Path, trials: int = 10_000) -> None:
    of, aim = problem(), memory_goal()
    sampling = Sampling("random", False, "")
    for storage in ("studies.journal", "studies.sqlite3"):
        path = str(folder / f"resume-{storage}")
        run(of, aim, Settings("long", trials, sampling, 1, path))
        began = time.perf_counter()
        with closing(open_store(path)) as store:
            asked = header(SPACE, aim, {}, (), 1)
            study = store.named("long")
            assert study is not None
            assert study.user_attrs[ATTRIBUTE]["space"] == asked["space"]
            search = Search(of, aim, store, study, sampling, trials + 1, 1)
            with store.locked("long"):
                others = search._take_in()
                assert search._asked(1, others)
            spent_s = time.perf_counter() - began
            print(f"{trials:,} trials in {storage}: {spent_s:.2f} s from opening to the first new trial")
        began = time.perf_counter()
        load_study("long", path)
        print(f"  load_study: {time.perf_counter() - began:.2f} s")


def main(names: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for run_one in (efficiency, durability, resume):
            if not names or run_one.__name__ in names:
                run_one(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
