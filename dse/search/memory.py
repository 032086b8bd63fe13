"""The study as one process holds it: an Optuna storage in memory, which the samplers read.

What is durable lies in a store (dse/search/store.py); this is brought up to it under the store's lock. Trials that are
asked for and not told yet stand behind the finished ones, so that a finished trial's number is its place in the store.
"""

from __future__ import annotations

import copy
from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

STUDY = 0


class KnownTrial(FrozenTrial):
    """A trial that works out its constraints once: samplers ask each trial for them at each suggestion."""

    @property
    def constraints(self) -> dict[str, float]:
        """Constraints by name."""
        if not self.state.is_finished():
            return super().constraints
        if "_known_constraints" not in self.__dict__:
            self.__dict__["_known_constraints"] = super().constraints
        found: dict[str, float] = self.__dict__["_known_constraints"]
        return found


class TrialMemory(BaseStorage):
    """One study in memory."""

    def __init__(self, name: str, directions: Sequence[StudyDirection]) -> None:
        self.name = name
        self.directions = list(directions)
        self.finished: list[FrozenTrial] = []
        self.asked: list[FrozenTrial] = []
        self.user_attrs: dict[str, Any] = {}
        self.system_attrs: dict[str, Any] = {}
        self.fixed_params: dict[str, Any] | None = None
        self._by_id: dict[int, FrozenTrial] = {}
        self._next_id = 0

    def extend(self, trials: Sequence[FrozenTrial]) -> None:
        """Takes finished trials of the store, in its order."""
        for trial in trials:
            self._finish(self._numbered(trial))
        self._renumber()

    def commit(self, trials: Sequence[FrozenTrial]) -> None:
        """Moves asked trials that were told and stored behind the finished ones."""
        gone = {trial._trial_id for trial in trials}
        self.asked = [trial for trial in self.asked if trial._trial_id not in gone]
        for trial in trials:
            self._finish(trial)
        self._renumber()

    def discard(self, trial_id: int) -> None:
        """Forgets a trial that was asked for and is not wanted."""
        self.asked = [trial for trial in self.asked if trial._trial_id != trial_id]
        del self._by_id[trial_id]
        self._renumber()

    def record(self, trial_id: int) -> FrozenTrial:
        """The trial itself, not a copy."""
        return self._by_id[trial_id]

    def _numbered(self, trial: FrozenTrial) -> FrozenTrial:
        trial.__class__ = KnownTrial
        trial._trial_id = self._next_id
        self._next_id += 1
        self._by_id[trial._trial_id] = trial
        return trial

    def _finish(self, trial: FrozenTrial) -> None:
        trial.number = len(self.finished)
        self.finished.append(trial)

    def _renumber(self) -> None:
        for place, trial in enumerate(self.asked, len(self.finished)):
            trial.number = place

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """A new running trial; it takes the parameters of `fixed_params`, where they are set."""
        attrs = {} if self.fixed_params is None else {"fixed_params": self.fixed_params}
        trial = template_trial or FrozenTrial(
            number=-1, trial_id=-1, state=TrialState.RUNNING, value=None, datetime_start=datetime.now(),
            datetime_complete=None, params={}, distributions={}, user_attrs={}, system_attrs=attrs,
            intermediate_values={})
        self._numbered(trial).number = len(self.finished) + len(self.asked)
        self.asked.append(trial)
        return trial._trial_id

    def set_trial_param(self, trial_id: int, param_name: str, param_value_internal: float,
                        distribution: BaseDistribution) -> None:
        """Sets a parameter of a running trial."""
        trial = self._by_id[trial_id]
        trial.params[param_name] = distribution.to_external_repr(param_value_internal)
        trial.distributions[param_name] = distribution

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """Ends a trial."""
        trial = self._by_id[trial_id]
        self.check_trial_is_updatable(trial_id, trial.state)
        trial.state = state
        if values is not None:
            trial.values = list(values)
        if state.is_finished():
            trial.datetime_complete = datetime.now()
        return True

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Sets an attribute of a trial."""
        self._by_id[trial_id].user_attrs[key] = value

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Sets an attribute of a trial that Optuna or a sampler reads."""
        self._by_id[trial_id].system_attrs[key] = value

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Sets a value on the way to the trial's result."""
        self._by_id[trial_id].intermediate_values[step] = intermediate_value

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """A shallow copy of the trial, which later changes leave as it is."""
        found = copy.copy(self._by_id[trial_id])
        for name in ("params", "distributions", "user_attrs", "_system_attrs"):
            setattr(found, name, dict(getattr(found, name)))
        return found

    def get_all_trials(self, study_id: int, deepcopy: bool = True,
                       states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """All trials by number, those of `states` where it is given."""
        among = self.asked if _unfinished(states) else (*self.finished, *self.asked)
        found = [trial for trial in among if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        """Id of the trial of that number."""
        return self.get_all_trials(study_id, deepcopy=False)[trial_number]._trial_id

    def get_trial_number_from_id(self, trial_id: int) -> int:
        """Number of the trial of that id."""
        return self._by_id[trial_id].number

    def get_trial_param(self, trial_id: int, param_name: str) -> float:
        """A parameter in Optuna's own representation."""
        trial = self._by_id[trial_id]
        return trial.distributions[param_name].to_internal_repr(trial.params[param_name])

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """The one study; there is no other."""
        raise NotImplementedError("this storage holds one study")

    def delete_study(self, study_id: int) -> None:
        """The one study cannot be deleted."""
        raise NotImplementedError("this storage holds one study")

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Sets an attribute of the study."""
        self.user_attrs[key] = value

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Sets an attribute of the study that Optuna or a sampler reads."""
        self.system_attrs[key] = value

    def get_study_id_from_name(self, study_name: str) -> int:
        """Id of the study; KeyError for any other name."""
        if study_name != self.name:
            raise KeyError(study_name)
        return STUDY

    def get_study_name_from_id(self, study_id: int) -> str:
        """Name of the study."""
        return self.name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Directions of the objectives."""
        return self.directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Attributes of the study."""
        return self.user_attrs

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Attributes of the study that Optuna or a sampler reads."""
        return self.system_attrs

    def get_all_studies(self) -> list[FrozenStudy]:
        """The one study."""
        return [FrozenStudy(self.name, None, dict(self.user_attrs), dict(self.system_attrs), STUDY,
                            directions=self.directions)]


def _unfinished(states: Container[TrialState] | None) -> bool:
    """Only trials that are not finished are asked for: Optuna looks for waiting ones before each new trial."""
    return states is not None and not any(state in states for state in TrialState if state.is_finished())
