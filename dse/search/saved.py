"""A saved study read back: its best design, its front, its hypervolume, its table, and the comparison of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from optuna.trial import FrozenTrial, TrialState

from dse.errors import InputError
from dse.search.engine import DESIGNS_ATTR, METRICS_ATTR, ORIGIN_ATTR, is_feasible
from dse.search.exact_steps import kept
from dse.search.header import ATTRIBUTE, saved_header
from dse.search.objectives import MAXIMIZE, Objective
from dse.search.space import Point, PointKey, point_key
from dse.search.store import SavedStudy, Store, open_store

if TYPE_CHECKING:
    from optuna import Study

Numbers = npt.NDArray[np.float64]
BEYOND = 1.1


@dataclass(frozen=True)
class SavedSearch:
    """A study as it was when it was read."""

    name: str
    where: str
    header: Mapping[str, Any]
    attributes: Mapping[str, Any]
    trials: Sequence[FrozenTrial]
    running: int

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What was searched for."""
        return tuple(_objective(text) for text in self.header["objectives"])

    @property
    def mark(self) -> Objective:
        """The metric that marks the best design."""
        return _objective(self.header["mark"])

    @cached_property
    def complete(self) -> list[FrozenTrial]:
        """Trials with a result."""
        return [trial for trial in self.trials if trial.state == TrialState.COMPLETE]

    @cached_property
    def feasible(self) -> list[FrozenTrial]:
        """Trials that meet every constraint."""
        return [trial for trial in self.complete if is_feasible(trial)]

    @property
    def failed(self) -> int:
        """Trials that were lost with their process."""
        return sum(trial.state == TrialState.FAIL for trial in self.trials)

    @property
    def designs_evaluated(self) -> int:
        """Designs that the model evaluated in all: trials, screens and sweeps."""
        return sum(self.designs_of(trial) for trial in self.complete)

    def designs_of(self, trial: FrozenTrial) -> int:
        """Designs that were evaluated for this trial: itself, and the screens and sweeps before it."""
        return int(trial.user_attrs.get(DESIGNS_ATTR, 1))

    def metric(self, trial: FrozenTrial, name: str) -> float:
        """A metric of a complete trial; NaN where it is not finite."""
        found = (trial.user_attrs.get(METRICS_ATTR) or {}).get(name)
        return float("nan") if found is None else float(found)

    def losses(self, trials: Sequence[FrozenTrial]) -> Numbers:
        """(objectives, trials), the smaller the better."""
        signs = [one.sign for one in self.objectives]
        found = [[sign * value for sign, value in zip(signs, trial.values, strict=True)] for trial in trials]
        return np.array(found).reshape(len(trials), len(signs)).T

    def mark_loss(self, trial: FrozenTrial) -> float:
        """The loss by which the best design is marked."""
        return self.mark.sign * float(trial.user_attrs[METRICS_ATTR][self.mark.metric])

    @cached_property
    def best(self) -> FrozenTrial | None:
        """The feasible trial with the best mark; None where none is feasible."""
        return min(self.feasible, key=self.mark_loss, default=None)

    @cached_property
    def front(self) -> list[FrozenTrial]:
        """Feasible trials that no other beats, by the first objective; for one objective, the best alone."""
        if not self.feasible:
            return []
        if len(self.objectives) == 1:
            return [self.best] if self.best else []
        losses = self.losses(self.feasible)
        chosen = [self.feasible[place] for place in kept(losses, losses[0])]
        return sorted(chosen, key=lambda trial: (self.losses([trial])[0, 0], trial.number))

    def reference(self) -> Numbers:
        """The corner that hypervolume is measured from: 0 for what is maximised, else a tenth beyond the front."""
        return corner(self.objectives, self.losses(self.front if len(self.objectives) > 1 else self.feasible))

    def hypervolume(self, reference: Numbers | None = None) -> float:
        """What the front covers up to `reference`; 0 where no trial is feasible."""
        if not self.feasible:
            return 0.0
        return hypervolume(self.losses(self.front), self.reference() if reference is None else reference)

    def points_best_first(self) -> list[Point]:
        """Points of the complete trials: the best mark, the front, the other feasible ones, the rest."""
        order = [*([self.best] if self.best else []), *self.front, *sorted(self.feasible, key=self.mark_loss),
                 *self.complete]
        return [dict(trial.params) for trial in {trial.number: trial for trial in order}.values()]

    def study(self) -> Study:
        """The study as an Optuna study in memory, for Optuna's own plots and importances."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        directions = [optuna.study.StudyDirection[one.direction.upper()] for one in self.objectives]
        found = optuna.create_study(study_name=self.name, directions=directions)
        found.add_trials(list(self.trials))
        return found

    def row(self, trial: FrozenTrial) -> dict[str, Any]:
        """A trial as one row: its point by key, its metrics, where it came from."""
        return {"trial": trial.number, "state": trial.state.name.lower(), **dict(trial.params),
                **(trial.user_attrs.get(METRICS_ATTR) or {}), "met": is_feasible(trial),
                "origin": trial.user_attrs.get(ORIGIN_ATTR, "")}

    def described(self) -> dict[str, Any]:
        """The study as plain data: what `dse studies show NAME output=json` prints."""
        best = self.best
        return {
            "name": self.name, "storage": self.where, "complete": len(self.complete), "failed": self.failed,
            "running": self.running, "feasible": len(self.feasible), "designs_evaluated": self.designs_evaluated,
            "best": None if best is None else {
                "trial": best.number, "design": dict(best.params), "metrics": best.user_attrs[METRICS_ATTR],
                "origin": best.user_attrs.get(ORIGIN_ATTR, "")},
            "objectives": list(self.header["objectives"]), "mark": self.header["mark"], "front": len(self.front),
            "hypervolume": self.hypervolume(),
            "hypervolume_reference": self._natural_reference(),
            "space": dict(self.header["space"]), "limits": dict(self.header["limits"]), "seed": self.header["seed"],
            "version": self.header["version"], "model": self.header["model"], "command": self.header["command"],
            "adopted": self.attributes.get("adopted"), "certificate": self.attributes.get("certificate"),
        }

    def _natural_reference(self) -> dict[str, float]:
        if not self.feasible:
            return {}
        return {one.metric: one.sign * value + 0.0
                for one, value in zip(self.objectives, self.reference().tolist(), strict=True)}


def corner(objectives: Sequence[Objective], losses: Numbers) -> Numbers:
    """0 for each objective that is maximised, and a tenth beyond the worst of `losses` for the others.

    All metrics are positive, so that 0 is the worst of what is maximised.
    """
    signs = np.array([one.sign for one in objectives])
    return np.where(signs < 0.0, 0.0, BEYOND * losses.max(axis=1))


def hypervolume(losses: Numbers, reference: Numbers) -> float:
    """Volume between the points (objectives, points) and the corner `reference`."""
    if losses.shape[0] == 1:
        return float(max(0.0, reference[0] - losses.min()))
    import moocore

    return float(moocore.hypervolume(np.ascontiguousarray(losses.T), ref=reference))


def saved_search(store: Store, study: SavedStudy, known: Sequence[FrozenTrial] | None = None) -> SavedSearch:
    """The study as it stands in the store; `known` are its trials where they have just been read."""
    head = saved_header(study, store.where)
    trials = store.trials(study) if known is None else known
    running = sum(len(claim.points) for claim in store.claims(study) if claim.alive)
    running += sum(not trial.state.is_finished() for trial in trials)
    return SavedSearch(study.name, store.where, head, study.user_attrs, trials, running)


def load_study(name: str, storage: str | None = None) -> SavedSearch:
    """The saved study of that name; InputError where there is none."""
    with closing(open_store(storage, create=False)) as store:
        return saved_search(store, existing(store, name))


def all_studies(storage: str | None = None) -> list[SavedSearch]:
    """Every study of ours in a store; none where there is no store yet."""
    try:
        store = open_store(storage, create=False)
    except InputError:
        if storage is not None:
            raise
        return []
    with closing(store):
        return [saved_search(store, study) for study in store.studies() if ATTRIBUTE in study.user_attrs]


def existing(store: Store, name: str) -> SavedStudy:
    """The study of that name in the store; InputError where there is none."""
    found = store.named(name)
    if found is None:
        names = ", ".join(study.name for study in store.studies()) or "none"
        raise InputError(f"study {name} is not in {store.where}: it holds {names}")
    return found


def comparison(first: SavedSearch, second: SavedSearch) -> dict[str, Any]:
    """Two studies of the same objectives side by side: best, hypervolume from one corner, what they share."""
    if first.objectives != second.objectives:
        raise InputError(f"{first.name} and {second.name} cannot be compared: their objectives are "
                         f"{', '.join(map(str, first.objectives))} and {', '.join(map(str, second.objectives))}")
    both = [study for study in (first, second) if study.feasible]
    reference = np.max([study.reference() for study in both], axis=0) if both else np.zeros(len(first.objectives))
    points: list[set[PointKey]] = [{point_key(trial.params) for trial in study.complete} for study in (first, second)]
    return {
        "studies": [{"name": study.name, "complete": len(study.complete), "feasible": len(study.feasible),
                     "designs_evaluated": study.designs_evaluated,
                     "best": None if study.best is None else study.best.user_attrs[METRICS_ATTR][study.mark.metric],
                     "hypervolume": study.hypervolume(reference), "front": len(study.front)}
                    for study in (first, second)],
        "mark": first.header["mark"],
        "same_points": len(points[0] & points[1]),
        "front_beaten": [_beaten(first, second), _beaten(second, first)],
    }


def _beaten(study: SavedSearch, other: SavedSearch) -> float | None:
    """Share of the study's front that some design of the other's front beats."""
    if not study.front:
        return None
    own, others = study.losses(study.front), other.losses(other.front)
    beaten = [bool(((others <= one[:, None]).all(axis=0) & (others < one[:, None]).any(axis=0)).any()) for one in own.T]
    return sum(beaten) / len(beaten)


def _objective(text: str) -> Objective:
    metric, _, direction = text.partition(":")
    return Objective(metric, direction or MAXIMIZE)
