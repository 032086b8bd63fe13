"""The lines of an Optuna journal, read back into studies and trials; quick, since few of them are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from functools import cache
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from dse.search.store import SavedStudy


class Op(IntEnum):
    """What a line does, as Optuna numbers it."""

    CREATE_STUDY = 0
    DELETE_STUDY = 1
    SET_STUDY_USER_ATTR = 2
    SET_STUDY_SYSTEM_ATTR = 3
    CREATE_TRIAL = 4
    SET_TRIAL_PARAM = 5
    SET_TRIAL_STATE_VALUES = 6
    SET_TRIAL_INTERMEDIATE_VALUE = 7
    SET_TRIAL_USER_ATTR = 8
    SET_TRIAL_SYSTEM_ATTR = 9


class Replay:
    """Studies by place, and their trials as they stand in the lines."""

    def __init__(self) -> None:
        self.studies: dict[int, SavedStudy] = {}
        self.trials: dict[int, list[dict[str, Any]]] = {}
        self._all: list[dict[str, Any]] = []
        self._made = 0

    def apply(self, line: Mapping[str, Any]) -> None:
        """Takes one line; what refers to a deleted study or a finished trial is passed over, as in Optuna."""
        op = line["op_code"]
        if op == Op.CREATE_TRIAL:
            if line["study_id"] in self.studies:
                trial = {**line, "trial_id": len(self._all)}
                self._all.append(trial)
                self.trials[line["study_id"]].append(trial)
        elif op == Op.CREATE_STUDY:
            self._create(line)
        elif op == Op.DELETE_STUDY:
            self.studies.pop(line["study_id"], None)
        elif op == Op.SET_STUDY_USER_ATTR:
            if line["study_id"] in self.studies:
                self.studies[line["study_id"]].user_attrs.update(line["user_attr"])
        elif Op.SET_TRIAL_PARAM <= op <= Op.SET_TRIAL_SYSTEM_ATTR:
            self._change(op, line)

    def _create(self, line: Mapping[str, Any]) -> None:
        if any(study.name == line["study_name"] for study in self.studies.values()):
            return
        directions = tuple(StudyDirection(number).name.lower() for number in line["directions"])
        self.studies[self._made] = SavedStudy(self._made, line["study_name"], directions, {})
        self.trials[self._made] = []
        self._made += 1

    def _change(self, op: int, line: Mapping[str, Any]) -> None:
        if line["trial_id"] >= len(self._all):
            return
        trial = self._all[line["trial_id"]]
        if TrialState(trial.get("state", TrialState.RUNNING)).is_finished():
            return
        if op == Op.SET_TRIAL_PARAM:
            trial["params"] = {**trial.get("params", {}), line["param_name"]: line["param_value_internal"]}
            trial["distributions"] = {**trial.get("distributions", {}), line["param_name"]: line["distribution"]}
        elif op == Op.SET_TRIAL_USER_ATTR:
            trial["user_attrs"] = {**trial.get("user_attrs", {}), **line["user_attr"]}
        elif op == Op.SET_TRIAL_SYSTEM_ATTR:
            trial["system_attrs"] = {**trial.get("system_attrs", {}), **line["system_attr"]}
        elif op == Op.SET_TRIAL_STATE_VALUES:
            trial.update({key: line[key] for key in ("state", "values", "datetime_start", "datetime_complete")
                          if line.get(key) is not None})


def frozen(trial: Mapping[str, Any], number: int) -> FrozenTrial:
    """Optuna's record of a trial of the journal."""
    distributions = {key: distribution(text) for key, text in trial.get("distributions", {}).items()}
    values = trial.get("values")
    return FrozenTrial(
        number=number, trial_id=trial["trial_id"], state=TrialState(trial.get("state", TrialState.RUNNING)),
        value=trial.get("value") if values is None else None, values=values,
        datetime_start=_time(trial.get("datetime_start")), datetime_complete=_time(trial.get("datetime_complete")),
        params={key: distributions[key].to_external_repr(value) for key, value in trial.get("params", {}).items()},
        distributions=distributions, user_attrs=trial.get("user_attrs", {}),
        system_attrs=trial.get("system_attrs", {}), intermediate_values={})


@cache
def distribution(text: str) -> BaseDistribution:
    """The distribution that a text in JSON describes; trials share one object."""
    return json_to_distribution(text)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone().replace(tzinfo=None)


_TEXTS: dict[int, tuple[BaseDistribution, str]] = {}


def distribution_text(distribution: BaseDistribution) -> str:
    """The distribution in JSON; the trials of a study share their distributions, so that few are ever written out."""
    known = _TEXTS.get(id(distribution))
    if known is None or known[0] is not distribution:
        known = _TEXTS[id(distribution)] = (distribution, distribution_to_json(distribution))
    return known[1]
