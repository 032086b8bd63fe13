"""Samplers with packages of their own, and how each of them serves a space and a goal."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import optuna
import pytest
from search.problems import BOTH, ONE, SPACE, problem, settings

from dse.errors import InputError
from dse.search.engine import is_feasible
from dse.search.run import run
from dse.search.samplers import Sampling, sampling
from dse.search.saved import SavedSearch
from dse.search.space import Choice, Dimension, Interval, Space, point_key

needs_cmaes = pytest.mark.skipif(importlib.util.find_spec("cmaes") is None,
                                 reason="no package cmaes: pip install 'dse[cmaes]'")
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None,
                                 reason="no package torch: pip install 'dse[gp]'")
MIXED = Space((*SPACE.dimensions, Dimension("traffic.batch", Interval(1, 8, integer=True),
                                            {"parallelism.tensor_parallel": (4, 8)})))


def searched(folder: Path, name: str, space: Space, aim: Any, n_trials: int) -> SavedSearch:
    asked = sampling({"name": name}, None, space, aim, n_trials)
    return run(problem(space), aim, settings(folder, n_trials, asked, name)).study


def check_resumed(folder: Path, name: str, space: Space, aim: Any, targets: tuple[int, int]) -> SavedSearch:
    """Two runs in a row give a study of new points, the sampler's own among them."""
    first = searched(folder, name, space, aim, targets[0])
    study = searched(folder, name, space, aim, targets[1])
    assert [trial.params for trial in study.trials[:targets[0]]] == [trial.params for trial in first.trials]
    assert len(study.complete) == targets[1]
    assert len({point_key(trial.params) for trial in study.complete}) == targets[1]
    assert all(space.holds(trial.params) for trial in study.complete)
    assert {trial.user_attrs["origin"] for trial in study.complete} == {f"sampler {name}"}
    return study


@needs_cmaes
@pytest.mark.parametrize("space", [SPACE, MIXED], ids=["flat", "conditional"])
def test_cmaes_goes_on_with_its_evolution(tmp_path: Path, space: Space) -> None:
    study = check_resumed(tmp_path, "cmaes", space, ONE, (21, 49))
    generations = [trial.system_attrs["cma:generation"] for trial in study.trials[7:]]
    assert generations == [number for number in range(6) for _ in range(7)]  # 4 + 3 ln 3 = 7.3 designs in each


@needs_cmaes
def test_cmaes_goes_where_designs_are_feasible(tmp_path: Path) -> None:
    """Optuna's own looks at the objective alone, and ends among chips with more bandwidth than their edges take."""
    space = Space((Dimension("hardware.cores", Interval(16, 160, integer=True, step=4)),
                   Dimension("hardware.hbm_gb_per_s", Interval(800, 8000, log=True)),
                   Dimension("hardware.link_gb_per_s", Interval(25, 900, log=True))))
    study = searched(tmp_path, "cmaes", space, ONE, 105)
    late = study.trials[-35:]
    assert sum(map(is_feasible, late)) > sum(map(is_feasible, study.trials[:35]))
    random = run(problem(space), ONE, settings(tmp_path, 105, Sampling("random", False, ""), "random")).study
    assert study.best is not None
    assert random.best is not None
    assert study.best.value > random.best.value


@needs_cmaes
def test_any_feasible_design_goes_before_any_infeasible_one() -> None:
    """Losses 3 and 1 feasible; excess 0.5 = 0.2 + 0.3 behind them, excess 9 last: 3 + 1 + ln 1.5 < 3 + 1 + ln 10."""
    from dse.search.constrained_cmaes import ordered

    def trial(value: float, *violations: float) -> optuna.trial.FrozenTrial:
        return optuna.trial.create_trial(value=value, system_attrs={
            f"constraints:{place}": violation for place, violation in enumerate(violations)})

    trials = [trial(-7.0, 9.0, -1.0), trial(3.0, -1.0, 0.0), trial(1.0, -2.0, -2.0), trial(-8.0, 0.2, 0.3)]
    values = [one.value for one in ordered(trials, 1.0)]
    assert values == [pytest.approx(4.0 + 2.302585093), 3.0, 1.0, pytest.approx(4.0 + 0.405465108)]
    assert [one.value for one in trials] == [-7.0, 3.0, 1.0, -8.0]
    turned = [one.value for one in ordered([trial(-one.value, *one.constraints.values()) for one in trials], -1.0)]
    assert turned == [-value for value in values]


@needs_torch
@pytest.mark.parametrize("aim", [ONE, BOTH], ids=["one", "two"])
def test_gp_goes_on(tmp_path: Path, aim: Any) -> None:
    check_resumed(tmp_path, "gp", MIXED, aim, (11, 14))


@pytest.mark.parametrize(("name", "package"), [("cmaes", "cmaes"), ("gp", "torch")])
def test_a_package_that_is_not_there_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch, name: str,
                                                                    package: str) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda asked: None)
    with pytest.raises(InputError) as refused:
        sampling({"name": name}, None, SPACE, ONE, 10)
    assert str(refused.value) == f"sampler={name} needs the package {package}: pip install 'dse[{name}]'"


def test_cmaes_refuses_what_it_cannot_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda asked: object())
    with pytest.raises(InputError, match="not allowed with several objectives: choose nsga2"):
        sampling({"name": "cmaes"}, None, SPACE, BOTH, 10)
    names = Space((Dimension("parallelism.tensor_parallel", Choice((1, 2, 4, 8))),
                   Dimension("traffic.batch", Interval(1, 8), {"parallelism.tensor_parallel": (8,)})))
    with pytest.raises(InputError, match=r"not allowed without an interval\(...\) or range\(...\) that is always"):
        sampling({"name": "cmaes"}, None, names, ONE, 10)


def test_a_generation_is_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda asked: object())
    assert sampling({"name": "cmaes"}, None, SPACE, ONE, 10).batch == 7  # 4 + 3 ln 3 = 7.3
    assert sampling({"name": "cmaes", "popsize": 12}, None, SPACE, ONE, 10).batch == 12
    assert sampling({"name": "nsga2", "population_size": 30}, None, SPACE, BOTH, 10).batch == 30
