"""Which dimensions of a space decide: Optuna's PED-ANOVA over the trials of a study."""

from __future__ import annotations

import math
import warnings

import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial

from dse.errors import InputError
from dse.search.saved import SavedSearch

BEST = 0.1
LEAST_FEASIBLE = 20


def importances(study: SavedSearch) -> dict[str, float]:
    """How much each dimension tells the best tenth of the trials from the others, as shares of 1, the largest first.

    The trials are ranked by the study's mark, infeasible ones behind all feasible ones; where less than a tenth is
    feasible, the feasible ones are set against the others. PED-ANOVA: S. Watanabe, A. Bansal, F. Hutter, IJCAI 2023.
    InputError where fewer than 20 trials are feasible, or the space has one dimension.
    """
    feasible, complete = study.feasible, study.complete
    if len(feasible) < LEAST_FEASIBLE:
        raise InputError(f"study {study.name} has {len(feasible)} feasible trials, and importances need at least "
                         f"{LEAST_FEASIBLE}")
    if len(study.header["space"]) < 2:
        raise InputError(f"study {study.name} has one dimension, whose importance is all there is")
    numbers = {trial.number for trial in feasible}

    def loss(trial: FrozenTrial) -> float:
        return study.mark_loss(trial) if trial.number in numbers else math.inf

    evaluator = PedAnovaImportanceEvaluator(target_quantile=min(BEST, len(feasible) / len(complete)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a target is minimised, as a loss is
        return dict(optuna.importance.get_param_importances(study.study(), evaluator=evaluator, target=loss))
