"""Optuna's samplers by name, the choice among them, and the space as Optuna's distributions."""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna import Study, samplers
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning

from dse.errors import InputError
from dse.search.objectives import Goal
from dse.search.space import Choice, Domain, Interval, Space

AUTO, GRID = "auto", "grid"
SAMPLERS = ("tpe", "nsga2", "nsga3", "cmaes", "gp", "qmc", "random", GRID)
NEEDS = {"cmaes": "cmaes", "gp": "torch"}
BATCH = {"tpe": 10, "gp": 5, "qmc": 100, "random": 100, GRID: 100}
POPULATION = 20
POPULATION_KEY = {"nsga2": "population_size", "nsga3": "population_size", "cmaes": "popsize"}
MANY_TRIALS = 1000  # from here on, a TPE suggestion for several objectives costs more than it brings
MANY_OBJECTIVES = 4


@dataclass(frozen=True)
class Sampling:
    """A sampler by name, its options, whether exact steps go beside it, and why it was taken."""

    name: str
    exact_steps: bool
    reason: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def batch(self) -> int:
        """Trials that are asked for before any of them is told."""
        if self.name in POPULATION_KEY:  # a batch is a generation
            return int(self.options.get(POPULATION_KEY[self.name], POPULATION))
        return BATCH[self.name]


def sampling(given: Mapping[str, Any], exact_steps: bool | None, space: Space, goal: Goal, n_trials: int) -> Sampling:
    """The sampler that the group `sampler` asks for; `auto` chooses by size, objectives and budget.

    Exact steps go beside `auto` and not beside a sampler that was named, unless `exact_steps` says otherwise. Raises
    InputError for an unknown sampler, a missing package, or one that cannot serve this space or goal.
    """
    options = {key: value for key, value in given.items() if key != "name"}
    name = str(given.get("name", AUTO))
    if name == AUTO:
        chosen, reason = _chosen(space, goal, n_trials)
        return Sampling(chosen, chosen != GRID if exact_steps is None else exact_steps, reason, options)
    if name not in SAMPLERS:
        raise InputError(f"sampler={name} is not allowed: choose one of {AUTO}, {', '.join(SAMPLERS)}")
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        raise InputError(f"sampler={name} needs the package {NEEDS[name]}: pip install 'dse[{name}]'")
    if name == "cmaes":
        options = {"popsize": _generation(space, goal), **options}
    if name == GRID and math.isinf(space.size):
        raise InputError("sampler=grid is not allowed with a continuous axis: give range(...) or choice(...) instead "
                         "of interval(...)")
    return Sampling(name, bool(exact_steps), "as asked for", options)


def _generation(space: Space, goal: Goal) -> int:
    """Designs of a generation of CMA-ES, 4 + 3 ln(numbers) (N. Hansen, "The CMA evolution strategy: a tutorial", 2016).

    InputError where CMA-ES cannot serve the goal or the space. It draws options of a list, and what is there under some
    of them alone, at random.
    """
    if len(goal.objectives) > 1:
        raise InputError("sampler=cmaes is not allowed with several objectives: choose nsga2, or one objective")
    numbers = sum(isinstance(one.domain, Interval) and not one.when and one.domain.size > 1 for one in space.dimensions)
    if not numbers:
        raise InputError("sampler=cmaes is not allowed without an interval(...) or range(...) that is always there: "
                         "choose tpe")
    return 4 + int(3.0 * math.log(numbers))


def _chosen(space: Space, goal: Goal, n_trials: int) -> tuple[str, str]:
    count = len(goal.objectives)
    if space.size <= n_trials:
        return GRID, f"all {space.size:,.0f} designs fit in {n_trials:,} trials"
    if count >= MANY_OBJECTIVES:
        return "nsga3", f"{count} objectives"
    if count > 1 and n_trials > MANY_TRIALS:
        return "nsga2", f"{count} objectives and {n_trials:,} trials"
    return "tpe", f"{len(space.dimensions)} dimensions, {count} objective{'s' * (count > 1)}, {n_trials:,} trials"


def made(asked: Sampling, space: Space, seed: int, drawn: int) -> samplers.BaseSampler:
    """The sampler, seeded by the study's seed and the number of trials drawn so far, so that none is drawn twice."""
    number = int(np.random.SeedSequence([seed, drawn]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return _made(asked, space, number, seed)
        except (TypeError, ValueError) as error:
            given = " ".join(f"sampler.{key}={value}" for key, value in asked.options.items())
            raise InputError(f"{given} is not allowed with sampler={asked.name}: {error}") from error


def _made(asked: Sampling, space: Space, number: int, seed: int) -> samplers.BaseSampler:
    options = dict(asked.options)
    if asked.name == "tpe":
        options = {"multivariate": True, "group": space.conditional, "constant_liar": True, **options}
        return samplers.TPESampler(seed=number, **options)
    if asked.name in ("nsga2", "nsga3"):
        kind = samplers.NSGAIISampler if asked.name == "nsga2" else samplers.NSGAIIISampler
        return kind(seed=number, **{"population_size": POPULATION, **options})
    if asked.name == "cmaes":
        from dse.search.constrained_cmaes import ConstrainedCmaEs

        return ConstrainedCmaEs(seed=number, warn_independent_sampling=False, **{"popsize": POPULATION, **options})
    if asked.name == "gp":
        return samplers.GPSampler(seed=number, **options)
    if asked.name == "qmc":
        return samplers.QMCSampler(seed=seed, warn_independent_sampling=False, **{"scramble": True, **options})
    return samplers.RandomSampler(seed=number, **options)


def skip_drawn(study: Study, drawn: int) -> None:
    """Moves a low-discrepancy sequence on to its next point: Optuna counts its points in the study's attributes."""
    attrs = study._storage.get_study_system_attrs(study._study_id)
    for key in [key for key in attrs if key.startswith("qmc:")]:
        study._storage.set_study_system_attr(study._study_id, key, drawn - 1)


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Optuna's distribution of each dimension; all trials share these objects."""
    return {dimension.key: distribution(dimension.domain) for dimension in space.dimensions}


def distribution(domain: Domain) -> BaseDistribution:
    """Optuna's distribution of a domain."""
    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.choices)
    if domain.integer:
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log, step=int(domain.step or 1))
    return FloatDistribution(domain.low, domain.high, log=domain.log, step=None if domain.log else domain.step)
