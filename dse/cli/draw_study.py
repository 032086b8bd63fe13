"""The figures of a study, from what is saved of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.errors import InputError

if TYPE_CHECKING:
    from dse.figures.study_front import Designs
    from dse.figures.study_history import Trials
    from dse.search.saved import SavedSearch

FOLDER = "runs"


def draw_study(name: str, storage: str | None) -> Iterator[str]:
    """Draws the figures of a study into runs/NAME; gives a line for each file, and for each figure that is left out."""
    from dse.figures.style import save
    from dse.search.saved import all_studies, load_study

    study = load_study(name, storage)
    beside = next((one for one in all_studies(storage) if one.name == f"{name}-random"
                   and one.objectives == study.objectives and one.feasible), None)
    provenance = f"dse {study.header['version']}: {' '.join(study.header['command'])}"
    for figure, draw in _figures(study, beside).items():
        try:
            yield from map(str, save(draw(), Path(FOLDER) / name / figure, provenance))
        except InputError as error:
            yield f"no figure {figure}: {error}"


def _figures(study: SavedSearch, beside: SavedSearch | None) -> Mapping[str, Callable[[], Any]]:
    return {"front": lambda: _front(study, beside), "history": lambda: _history(study, beside),
            "importance": lambda: _importance(study)}


def _front(study: SavedSearch, beside: SavedSearch | None) -> Any:
    from dse.figures.study_front import draw_study_front, study_front_data

    objectives = tuple((one.metric, -one.sign) for one in study.objectives)
    best = -1 if study.best is None else study.complete.index(study.best)
    mark = study.mark.metric
    at_best = float("nan") if study.best is None else study.metric(study.best, mark)
    other = None if beside is None else (beside.name, _designs(beside))
    return draw_study_front(study_front_data(_designs(study), objectives, best, (mark, at_best), other), _title(study))


def _history(study: SavedSearch, beside: SavedSearch | None) -> Any:
    from dse.figures.study_history import draw_study_history, study_history_data

    studies = tuple(_trials(one) for one in (study, beside) if one is not None)
    proof = study.attributes.get("certificate") or {}
    data = study_history_data(studies, study.mark.metric, -study.mark.sign, proof.get("grid_best"))
    return draw_study_history(data, _title(study))


def _importance(study: SavedSearch) -> Any:
    from dse.figures.study_importance import draw_study_importance
    from dse.search.importance import importances

    return draw_study_importance(importances(study), study.mark.metric, _title(study))


def _designs(study: SavedSearch) -> Designs:
    from dse.figures.study_front import Designs

    values = np.array([trial.values for trial in study.complete], dtype=float)
    return Designs(values.reshape(len(study.complete), len(study.objectives)).T, _feasible(study))


def _trials(study: SavedSearch) -> Trials:
    from dse.figures.study_history import Trials

    marks = [study.metric(trial, study.mark.metric) for trial in study.complete]
    return Trials(study.name, np.array(marks), _feasible(study),
                  np.array([study.designs_of(trial) for trial in study.complete], dtype=float))


def _feasible(study: SavedSearch) -> Any:
    numbers = {trial.number for trial in study.feasible}
    return np.array([trial.number in numbers for trial in study.complete], dtype=bool)


def _title(study: SavedSearch) -> str:
    """The study's name, and what its designs have in common."""
    from dse.figures.caption import caption

    nested: dict[str, Any] = {}
    for key, value in study.header["assumptions"].items():
        *groups, last = key.split(".")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        if isinstance(place, dict):
            place[last] = value
    return f"{study.name}: {caption(nested, study.header['space'])}"
