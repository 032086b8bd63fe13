"""A small problem for tests of the library: the shipped generic chip with a few axes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dse.cli.hydra_run import composed
from dse.search.objectives import goal
from dse.search.problem import Problem
from dse.search.run import Settings
from dse.search.samplers import Sampling
from dse.search.space import Choice, Dimension, Interval, Point, Space

SPACE = Space((
    Dimension("hardware.l2_mib", Interval(8, 256, log=True)),
    Dimension("hardware.hbm_gb_per_s", Interval(800, 4000)),
    Dimension("hardware.cores", Interval(16, 64, integer=True, step=4)),
    Dimension("parallelism.tensor_parallel", Choice((1, 2, 4, 8))),
))
FINITE = Space((
    Dimension("hardware.l2_mib", Interval(8, 64, step=8)),
    Dimension("hardware.hbm_gb", Choice((32, 64, 128))),
    Dimension("parallelism.tensor_parallel", Choice((2, 4, 8))),
))
BOTH = goal(None, "tokens_per_s_per_usd", None)
ONE = goal(["tokens_per_s_per_usd"], "tokens_per_s_per_usd", None)
RANDOM = Sampling("random", False, "")


@cache
def configuration(*overrides: str) -> dict[str, Any]:
    return composed(["hardware=accelerator", *overrides])


def problem(space: Space = SPACE, *overrides: str) -> Problem:
    return Problem(space, (), lambda labels: configuration(*overrides), {"overrides": list(overrides)})


def settings(folder: Path, n_trials: int, sampling: Sampling = RANDOM, name: str = "study", seed: int = 0,
             storage: str = "studies.journal", known: Sequence[tuple[str, Point]] = (), adopt: bool = False,
             certificate_s: float = 0.0) -> Settings:
    return Settings(name, n_trials, sampling, seed, str(folder / storage), adopt, known, certificate_s)
