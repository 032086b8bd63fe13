"""What is measured, each as a ratio of alternating runs in one process: median of CPU times."""

from __future__ import annotations

import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from designs import BEST, GRID_SLOTS, INDEPENDENT_SLOTS, THREE, TWO, base_row, grid_of, independent
from reference import Reference

from dse.grid.bounded import bounded_front
from dse.grid.evaluate import evaluate_columns, evaluate_rows
from dse.grid.front import Objective
from dse.grid.grid import Grid
from dse.grid.pareto import pareto_mask
from dse.grid.plain import case_of
from dse.grid.stream import front_order, streamed_front
from dse.objective import Metrics, metrics

ROUNDS = 5
ROOT = Path(__file__).resolve().parent.parent


class Figure(NamedTuple):
    """One line of the table; `goal` is the least that is wanted, or the most where `at_most`."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_most: bool = False

    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run on this many processors."""
    everyone = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(everyone)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, everyone)


def alternating(*runs: Callable[[], object], rounds: int = ROUNDS, clock: Callable[[], float] = time.process_time) -> (
        list[float]):
    """Median time of each of `runs`, which take turns."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, times in zip(runs, taken, strict=True):
            start = clock()
            run()
            times.append(clock() - start)
    return [statistics.median(times) for times in taken]


def independent_designs() -> Iterator[Figure]:
    """10^6 designs without any order, on one thread, against C++ and plain Python; and one design."""
    base, count = base_row(), 10**6
    values, few = independent(count), 200
    out = np.empty((len(Metrics._fields), count))
    reference = Reference(INDEPENDENT_SLOTS, range(len(INDEPENDENT_SLOTS)), TWO)
    rows = np.array([base] * few).T
    rows[list(INDEPENDENT_SLOTS)] = values[:, :few]

    def plain() -> npt.NDArray[np.float64]:
        return np.array([metrics(case_of(row)) for row in rows.T.tolist()]).T

    with threads(1):
        ours = evaluate_columns(base, INDEPENDENT_SLOTS, values)
        reference.rows(base, values, out)
        same, plainly_same = (ours == out).all(axis=0).mean(), (ours[:, :few] == plain()).all(axis=0).mean()
        yield Figure("designs that agree with C++ to the last bit", float(same), "share", 1.0)
        yield Figure("designs that agree with plain Python to the last bit", float(plainly_same), "share", 1.0)
        compiled_s, cpp_s, plain_s = alternating(lambda: evaluate_columns(base, INDEPENDENT_SLOTS, values, out),
                                                 lambda: reference.rows(base, values, out), plain)
        yield Figure("independent designs, one thread", count / compiled_s / 1e6, "M designs/s")
        yield Figure("independent designs over C++ -O3", cpp_s / compiled_s, "x", 0.9)
        yield Figure("independent designs over plain Python", plain_s / few / (compiled_s / count), "x", 300.0)
        one = np.array([base]).T
        (one_s,) = alternating(lambda: [evaluate_rows(one, "compiled") for _ in range(100)])
        yield Figure("one design in process, warm", one_s / 100 * 1e6, "us", 100.0, True)


def cpp_front_s(grid: Grid, objectives: tuple[Objective, ...], count: int = 1,
                clock: Callable[[], float] = time.process_time) -> float:
    """Seconds a design of the same loop nest with its front in C++ on `count` threads, from a grid of 10^6 designs."""
    order = [axis for loop in front_order(GRID_SLOTS, grid.shape, objectives) for axis in loop]
    reference, coarse = Reference(GRID_SLOTS, order, objectives), grid_of((10, 10, 125, 20, 4))
    cuts = np.linspace(0, coarse.shape[order[0]], count + 1).astype(int).tolist()

    def run() -> None:
        with ThreadPoolExecutor(count) as pool:
            parts = list(pool.map(lambda ends: reference.front(coarse, *ends), itertools.pairwise(cuts)))
        if count > 1:
            pareto_mask(np.concatenate(parts).T)

    (taken,) = alternating(run, rounds=3, clock=clock)
    return taken / coarse.size


def grids() -> Iterator[Figure]:
    """A grid of 1.5 * 10^8 with its exact front, each design evaluated."""
    grid = grid_of((50, 50, 300, 50, 4))
    small = grid_of((12, 10, 40, 6, 4))
    for objectives in (TWO, THREE):
        order = [axis for loop in front_order(GRID_SLOTS, grid.shape, objectives) for axis in loop]
        theirs = Reference(GRID_SLOTS, order, objectives).front(small, 0, small.shape[order[0]])
        ours = streamed_front(small, objectives).front.values.T
        yield Figure(f"{len(objectives)} objectives: C++ finds the same front",
                     float(sorted(map(tuple, ours)) == sorted(map(tuple, theirs))), "", 1.0)
    with threads(1):
        two, three = alternating(lambda: streamed_front(grid, TWO), lambda: streamed_front(grid, THREE), rounds=1)
        cpp = cpp_front_s(grid, TWO)
        (wall,) = alternating(lambda: streamed_front(grid, TWO), rounds=1, clock=time.perf_counter)
        cpp_wall = cpp_front_s(grid, TWO, clock=time.perf_counter)
    (both,) = alternating(lambda: streamed_front(grid, TWO), rounds=1, clock=time.perf_counter)
    (both_cpu,) = alternating(lambda: streamed_front(grid, TWO), rounds=1)
    yield Figure("grid of 1.5e8 with front, one thread", grid.size / two / 1e6, "M designs/s")
    yield Figure("grid with front over the loop nest in C++", cpp * grid.size / two, "x", 0.8)
    yield Figure("3 objectives over 2", two / three, "x", 0.7)
    yield Figure("two threads over one", wall / both, "x", 1.8)
    yield Figure("CPU time of two threads over that of one", both_cpu / two, "x")
    both_cpp = cpp_front_s(grid, TWO, 2, time.perf_counter)
    yield Figure("C++, two threads over one", cpp_wall / both_cpp, "x")
    yield Figure("grid with front over C++, both on two threads", both_cpp * grid.size / both, "x", 0.8)
    yield Figure("memory at most", peak_mb(), "MB", 250.0, True)


def peak_mb() -> float:
    """Memory of a process of its own that streams a grid of 1.5 * 10^8.

    Read where it begins anew with the program: the peak that getrusage gives is inherited from this process.
    """
    program = ("import sys; sys.path[:0] = sys.argv[1:]; from designs import TWO, grid_of;"
               "from dse.grid.stream import streamed_front; streamed_front(grid_of((50, 50, 300, 50, 4)), TWO);"
               "print(int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024)")
    folders = [str(ROOT), str(Path(__file__).resolve().parent)]
    return float(subprocess.run([sys.executable, "-c", program, *folders], check=True, capture_output=True,
                                text=True).stdout)


def bounding() -> Iterator[Figure]:
    """Fronts of 10^9 and 10^10 designs by branch and bound, against C++ evaluating all of 10^9; and the best of one
    objective."""
    same = grid_of((40, 40, 200, 30, 4))
    best, largest = streamed_front(same, BEST).front, grid_of((200, 200, 1024, 60, 4))
    yield Figure("best of one objective, 3.8e7 designs: bounded is streamed",
                 float(bounded_front(same, BEST).front.places.tolist() == best.places.tolist()), "", 1.0)
    yield Figure("best of one objective, 9.8e9: designs over evaluations",
                 largest.size / bounded_front(largest, BEST).evaluated, "x", 1000.0)
    yield Figure("best of one objective, 9.8e9: time",
                 alternating(lambda: bounded_front(largest, BEST), rounds=3)[0], "s", 10.0, True)
    for objectives in (TWO, THREE):
        whole = streamed_front(same, objectives).front
        found = bounded_front(same, objectives).front
        yield Figure(f"{len(objectives)} objectives, 3.8e7 designs: bounded front is the streamed one",
                     float(found.values.tobytes() == whole.values.tobytes()
                           and found.places.tolist() == whole.places.tolist()), "", 1.0)
        grid = grid_of((100, 100, 512, 50, 4))
        bounded = bounded_front(grid, objectives)
        with threads(1):
            (taken,) = alternating(lambda grid=grid, objectives=objectives: bounded_front(grid, objectives), rounds=3)
        yield Figure(f"{len(objectives)} objectives, 1.0e9: designs over evaluations", grid.size / bounded.evaluated,
                     "x", 1000.0)
        yield Figure(f"{len(objectives)} objectives, 1.0e9: time over C++ evaluating all",
                     taken / (cpp_front_s(grid, objectives) * grid.size), "x", 0.1, True)
        (taken,) = alternating(lambda grid=largest, objectives=objectives: bounded_front(grid, objectives), rounds=1,
                               clock=time.perf_counter)
        yield Figure(f"{len(objectives)} objectives, 9.8e9: time", taken, "s", 10.0, True)


def given_points(objectives: int, count: int) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """Points with small fronts and with large ones, by name."""
    draw = np.random.default_rng(0)
    sphere = -np.abs(draw.normal(size=(objectives, count)))
    sphere /= np.linalg.norm(sphere, axis=0)
    yield "even", draw.random((objectives, count))
    yield "correlated", draw.random(count) + 0.1 * draw.random((objectives, count))
    yield "near a sphere", sphere * (1.0 - (1e-5 if objectives == 2 else 1e-3) * draw.random(count))
    yield "all on a sphere", sphere


def fronts_of_points() -> Iterator[Figure]:
    """Exact fronts of 10^6 and 10^7 given points against moocore."""
    import moocore

    for objectives, goal, count, rounds in ((2, 20.0, 10**6, 5), (3, 10.0, 10**6, 5), (2, 20.0, 10**7, 3),
                                            (3, 10.0, 10**7, 3)):
        for name, points in given_points(objectives, count):
            turned = np.ascontiguousarray(points.T)
            kept = pareto_mask(points)
            same = bool((kept == moocore.is_nondominated(turned)).all())
            ours, theirs = alternating(lambda points=points: pareto_mask(points),
                                       lambda turned=turned: moocore.is_nondominated(turned), rounds=rounds)
            yield Figure(f"{count:.0e} points {name}, {objectives} objectives, front of {kept.sum()}: over moocore",
                         theirs / ours if same else 0.0, "x", goal)


def children_s() -> float:
    """CPU time of the processes that have ended."""
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken.ru_utime + taken.ru_stime


def commands() -> Iterator[Figure]:
    """Whole processes by their CPU time; compiled code is on disk before they are timed."""
    with tempfile.TemporaryDirectory() as folder:
        def dse(*words: str) -> Callable[[], object]:
            return lambda: subprocess.run([sys.executable, "-m", "dse", *words], cwd=folder, check=True,
                                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})

        some = ("sweep", "hardware.l2_mib=range(8,258,2)", "hardware.hbm_gb_per_s=1000,1600,2400,3200")
        million = ("sweep", "hardware.l2_mib=range(1,101)", "hardware.hbm_gb_per_s=range(800,1800,10)",
                   "hardware.link_gb_per_s=range(100,200)")
        runs = [lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), dse("--help"), dse("--version"),
                dse("evaluate"), dse(*some, "name=figures"), dse(*some, "name=tables", "figures=false"),
                dse(*million, "name=million"), dse(*million, "hardware.cores=range(10,110)", "name=large")]
        for run in runs:
            run()
        python_s, help_s, version_s, one_s, drawn_s, tables_s, million_s, large_s = alternating(*runs, clock=children_s)
    yield Figure("dse --help over a bare interpreter", help_s / python_s, "x", 3.0, True)
    yield Figure("dse --version over a bare interpreter", version_s / python_s, "x", 3.0, True)
    yield Figure("dse sweep of 500 designs over dse evaluate", drawn_s / one_s, "x", 1.5, True)
    yield Figure("the same with figures=false", tables_s / one_s, "x", 1.5, True)
    yield Figure("dse sweep of 10^6 designs", million_s, "s", 2.0, True)
    yield Figure("dse sweep of 10^8 designs with front, figure and summary", large_s, "s", 3.0, True)


ALL = (independent_designs, grids, bounding, fronts_of_points, commands)
