"""What a search looks for: objectives with their directions, limits, and the constraints of a design."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.objective import VIOLATIONS, Metrics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAXIMIZE, MINIMIZE = "maximize", "minimize"
LARGER_IS_BETTER = ("throughput_tokens_per_s", "batch", "die_yield", "tokens_per_j", "tokens_per_s_per_mm2",
                    "tokens_per_s_per_usd")
METRICS = tuple(name for name in Metrics._fields if name not in (*VIOLATIONS, "feasible"))
MOST_OBJECTIVES = 4
DEFAULT_OBJECTIVES = ("throughput_tokens_per_s", "group_usd")


@dataclass(frozen=True)
class Objective:
    """A metric and the direction in which it is better."""

    metric: str
    direction: str

    @property
    def sign(self) -> float:
        """Factor that turns the metric into a loss."""
        return -1.0 if self.direction == MAXIMIZE else 1.0

    def __str__(self) -> str:
        return f"{self.metric}:{self.direction}"


def natural_direction(metric: str) -> str:
    """The direction in which a metric is better: throughput up, time and cost down."""
    return MAXIMIZE if metric in LARGER_IS_BETTER else MINIMIZE


def objectives(texts: Sequence[Any] | None) -> tuple[Objective, ...]:
    """Objectives from "metric" or "metric:direction"; throughput up against cost down where none is given."""
    if texts is not None and not isinstance(texts, (list, tuple)):
        raise InputError(f"objectives={texts} is not allowed: give a list, as in objectives=[ttft_s,group_usd]")
    found = tuple(_objective(text) for text in texts or DEFAULT_OBJECTIVES)
    names = [one.metric for one in found]
    if len(set(names)) != len(names):
        raise InputError(f"objectives={names} is not allowed: each metric once".replace("'", ""))
    if len(found) > MOST_OBJECTIVES:
        raise InputError(f"objectives={names} is not allowed: at most {MOST_OBJECTIVES}".replace("'", ""))
    return found


def _objective(given: Any) -> Objective:
    text = ":".join(f"{key}:{value}" for key, value in given.items()) if isinstance(given, Mapping) else str(given)
    metric, _, direction = (part.strip() for part in text.partition(":"))
    if metric not in METRICS:
        raise InputError(f"objectives={metric} is not allowed: choose from {', '.join(METRICS)}")
    if direction not in ("", MAXIMIZE, MINIMIZE):
        raise InputError(f"objectives={text} is not allowed: the direction of {metric} is {MAXIMIZE} or {MINIMIZE}")
    return Objective(metric, direction or natural_direction(metric))


@dataclass(frozen=True)
class Goal:
    """Objectives, the metric that marks the best design, and limits on metrics beside the model's own."""

    objectives: tuple[Objective, ...]
    mark: Objective
    limits: tuple[tuple[str, float], ...] = ()

    @property
    def constraints(self) -> tuple[str, ...]:
        """Names of all constraints: the model's violations, then the limits."""
        return (*VIOLATIONS, *(f"limit_{metric}" for metric, _ in self.limits))

    def losses(self, metrics: NDArray[np.float64]) -> NDArray[np.float64]:
        """(objectives, designs), the smaller the better, from (metrics, designs)."""
        import numpy as np

        return np.array([one.sign * metrics[Metrics._fields.index(one.metric)] for one in self.objectives])

    def mark_loss(self, metrics: NDArray[np.float64]) -> NDArray[np.float64]:
        """The loss by which the best design is marked."""
        found: NDArray[np.float64] = self.mark.sign * metrics[Metrics._fields.index(self.mark.metric)]
        return found

    def violations(self, metrics: NDArray[np.float64]) -> NDArray[np.float64]:
        """(constraints, designs): at most 0 where a constraint is met."""
        import numpy as np

        own = [metrics[Metrics._fields.index(name)] for name in VIOLATIONS]
        return np.array([*own, *(_over(metrics[Metrics._fields.index(metric)], metric, limit)
                                 for metric, limit in self.limits)])

    def feasible(self, metrics: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Designs that meet every constraint and have finite objectives."""
        import numpy as np

        finite = np.isfinite(self.losses(metrics))
        return np.asarray(np.vstack([finite, self.violations(metrics) <= 0.0]).all(axis=0))


def goal(objective_texts: Sequence[Any] | None, mark: str, limits: Mapping[str, Any] | None) -> Goal:
    """The goal of a search; InputError for an unknown metric or a limit that is not a positive number.

    With one objective, the best design is the best of that objective.
    """
    found = objectives(objective_texts)
    if limits is not None and not isinstance(limits, Mapping):
        raise InputError(f"limits={limits} is not allowed: give numbers by metric, as in limits={{ttft_s:1}}")
    return Goal(found, found[0] if len(found) == 1 else _objective(mark),
                tuple((metric, _limit(metric, value)) for metric, value in (limits or {}).items()))


def _limit(metric: str, value: Any) -> float:
    if metric not in METRICS:
        raise InputError(f"limits.{metric} is unknown: choose from {', '.join(METRICS)}")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0.0:
        raise InputError(f"limits.{metric}={value} is not allowed: a limit is a number > 0")
    return float(value)


def _over(values: NDArray[np.float64], metric: str, limit: float) -> NDArray[np.float64]:
    """How far values are past a limit, as a share of it: a most for what is better small, a least for the rest."""
    return values / limit - 1.0 if natural_direction(metric) == MINIMIZE else 1.0 - values / limit
