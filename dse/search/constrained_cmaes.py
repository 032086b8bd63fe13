"""Optuna's CMA-ES with the constraints of a design: a feasible design goes before any that is not.

Optuna's own looks at the objective alone and ends among designs that cannot be built. CMA-ES uses the order of a
generation and nothing else, so that an infeasible design can be given a value behind the worst feasible one, by how far
it is from feasible (K. Deb, "An efficient constraint handling method for genetic algorithms", 2000).
"""

from __future__ import annotations

import copy
import math
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import CmaEsSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


class ConstrainedCmaEs(CmaEsSampler):
    """CMA-ES for one objective under constraints. One instance serves one batch, which is one generation."""

    _behind = 1.0
    _saved = False

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> (
            dict[str, Any]):
        """Values of the numbers that are always there, from the generations before."""
        self._behind = 1.0 if study.direction == StudyDirection.MINIMIZE else -1.0
        return super().sample_relative(study, trial, search_space)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Any) -> None:
        """Nothing to do, and no warning that constraints are not used."""

    def _get_solution_trials(self, trials: list[FrozenTrial], generation: int) -> list[FrozenTrial]:
        return ordered(super()._get_solution_trials(trials, generation), self._behind)

    def _split_optimizer_str(self, optimizer_str: str) -> dict[str, str]:
        """The state of the evolution as attributes of a trial: of the first of a batch, the others would repeat it."""
        found: dict[str, str] = {} if self._saved else super()._split_optimizer_str(optimizer_str)
        self._saved = True
        return found


def ordered(trials: list[FrozenTrial], behind: float) -> list[FrozenTrial]:
    """The trials, the infeasible ones as copies whose value lies behind that of each feasible one.

    `behind` is 1 where larger values are worse, -1 where smaller ones are.
    """
    excess = [sum(max(0.0, one) for one in trial.constraints.values()) for trial in trials]
    feasible = [behind * _value(trial) for trial, far in zip(trials, excess, strict=True) if far <= 0.0]
    worst = max(feasible, default=0.0)
    return [trial if far <= 0.0 else _with_value(trial, behind * (worst + _order(far)))
            for trial, far in zip(trials, excess, strict=True)]


def _order(excess: float) -> float:
    """Grows with the excess and stays small, so that it is not lost beside the value that it is added to."""
    return 1.0 + math.log1p(excess)


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None
    return trial.value


def _with_value(trial: FrozenTrial, value: float) -> FrozenTrial:
    found = copy.copy(trial)
    found.value = value
    return found
