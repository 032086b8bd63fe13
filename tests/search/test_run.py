"""Searches through the library: targets, resumption, refusals, storage, what Optuna itself reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from search.problems import BOTH, FINITE, ONE, RANDOM, SPACE, problem, settings

from dse.errors import InputError
from dse.grid.pareto import pareto_mask
from dse.objective import Metrics
from dse.search.objectives import goal
from dse.search.run import run
from dse.search.samplers import SAMPLERS, Sampling, sampling
from dse.search.saved import comparison, load_study
from dse.search.space import Choice, Dimension, Interval, Space, point_key
from dse.search.store import StorageError, open_store

STORAGES = ("studies.journal", "studies.sqlite3")
IN_PLACE = tuple(name for name in SAMPLERS if name not in ("gp", "cmaes", "grid"))


@pytest.mark.parametrize("storage", STORAGES)
def test_the_target_is_reached_and_a_larger_one_goes_on(tmp_path: Path, storage: str) -> None:
    assert run(problem(), BOTH, settings(tmp_path, 30, storage=storage)).added == 30
    assert run(problem(), BOTH, settings(tmp_path, 30, storage=storage)).added == 0
    outcome = run(problem(), BOTH, settings(tmp_path, 75, storage=storage))
    assert outcome.added == 45
    assert len({point_key(trial.params) for trial in outcome.study.complete}) == 75
    assert [trial.number for trial in outcome.study.trials] == list(range(75))
    assert sorted(path.name for path in tmp_path.iterdir()) == [storage, f"{storage}.guard"]


@pytest.mark.parametrize("storage", STORAGES)
def test_a_search_in_parts_is_the_search_in_one_go(tmp_path: Path, storage: str) -> None:
    """The seed comes from the study's seed and the trials so far: parts that end with a batch change nothing."""
    kind = Sampling("tpe", False, "")
    for target in (10, 20, 40):
        parts = run(problem(), ONE, settings(tmp_path, target, kind, "parts", 3, storage)).study
    whole = run(problem(), ONE, settings(tmp_path, 40, kind, "whole", 3, storage)).study
    other = run(problem(), ONE, settings(tmp_path, 40, kind, "other", 4, storage)).study
    assert [trial.params for trial in parts.trials] == [trial.params for trial in whole.trials]
    assert [trial.params for trial in other.trials] != [trial.params for trial in whole.trials]


@pytest.mark.parametrize("name", IN_PLACE)
def test_every_sampler_fills_a_conditional_space_with_new_points(tmp_path: Path, name: str) -> None:
    space = Space((Dimension("technique.limit_mib", Interval(1, 64)),
                   Dimension("parallelism.tensor_parallel", Choice((2, 4, 8))),
                   Dimension("traffic.batch", Interval(1, 64, True, True), {"parallelism.tensor_parallel": (4, 8)})))
    found = run(problem(space), BOTH, settings(tmp_path, 45, sampling({"name": name}, None, space, BOTH, 45)))
    assert len({point_key(trial.params) for trial in found.study.complete}) == 45
    assert all(("traffic.batch" in trial.params) == (trial.params["parallelism.tensor_parallel"] > 2)
               for trial in found.study.trials)


def test_a_finite_space_is_searched_whole_and_no_further(tmp_path: Path) -> None:
    outcome = run(problem(FINITE), BOTH, settings(tmp_path, 1000, sampling({"name": "auto"}, None, FINITE, BOTH, 1000),
                                                  certificate_s=1.0))
    assert outcome.sampling.name == "grid"
    assert "72 designs fit" in outcome.sampling.reason
    assert outcome.exhausted
    assert len(outcome.study.complete) == 8 * 3 * 3
    every = problem(FINITE).metrics(list(FINITE.points()))
    feasible = every[Metrics._fields.index("feasible")] > 0.0
    best = every[Metrics._fields.index("tokens_per_s_per_usd")][feasible].max()
    assert outcome.study.best is not None
    assert outcome.study.best.user_attrs["metrics"]["tokens_per_s_per_usd"] == best
    losses = BOTH.losses(every)
    assert len(outcome.study.front) == np.count_nonzero(pareto_mask(losses, feasible))
    assert outcome.certificate is not None
    assert outcome.certificate.gap == 0.0
    assert outcome.certificate.covers_space
    assert outcome.certificate.hypervolume_share == pytest.approx(1.0)


def test_exact_steps_find_the_best_of_a_finite_space_in_few_trials(tmp_path: Path) -> None:
    space = Space((Dimension("hardware.l2_mib", Interval(4, 256, step=4)),
                   Dimension("hardware.hbm_gb_per_s", Interval(800, 4000, step=100)),
                   Dimension("hardware.cores", Interval(16, 64, integer=True, step=2)),
                   Dimension("parallelism.tensor_parallel", Choice((1, 2, 4, 8)))))
    found = run(problem(space), ONE, settings(tmp_path, 20, sampling({"name": "auto"}, None, space, ONE, 20),
                                              certificate_s=20.0))
    assert found.certificate is not None
    assert found.certificate.covers_space
    assert found.certificate.designs == 64 * 33 * 25 * 4
    assert found.certificate.gap == 0.0
    assert found.study.designs_evaluated > 20


def test_a_row_is_the_model_and_optuna_reads_the_same(tmp_path: Path) -> None:
    limited = goal(None, "tokens_per_s_per_usd", {"group_usd": 40_000.0})
    study = run(problem(), limited, settings(tmp_path, 40)).study
    journal = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(
        str(tmp_path / "studies.journal")))
    read = optuna.load_study(study_name="study", storage=journal)
    for trial, same in zip(study.trials, read.trials, strict=True):
        metrics = problem().metrics([trial.params])[:, 0]
        assert trial.values == [metrics[Metrics._fields.index(name)] for name in
                                ("throughput_tokens_per_s", "group_usd")]
        assert (same.params, same.values, same.number) == (trial.params, trial.values, trial.number)
        assert same.constraints == trial.constraints
        assert same.constraints["limit_group_usd"] == trial.values[1] / 40_000.0 - 1.0
        assert same.constraints["hbm_capacity"] == metrics[Metrics._fields.index("hbm_capacity")]
        assert same.system_attrs["constraints"] == [trial.constraints[name] for name in limited.constraints]
    assert {trial.number for trial in read.best_trials} == {trial.number for trial in study.front}


@pytest.mark.parametrize("storage", STORAGES)
def test_a_trial_that_was_left_running_is_failed_and_its_point_run_again(tmp_path: Path, storage: str) -> None:
    run(problem(), BOTH, settings(tmp_path, 5, storage=storage))
    path = str(tmp_path / storage)
    optunas: Any = (f"sqlite:///{path}" if storage.endswith("sqlite3") else optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(path)))
    left = optuna.load_study(study_name="study", storage=optunas)
    known = left.trials[0].distributions
    trial = left.ask(known)
    found = run(problem(), BOTH, settings(tmp_path, 10, storage=storage)).study
    assert (len(found.complete), found.failed, found.running) == (10, 1, 0)
    assert found.trials[trial.number].state == optuna.trial.TrialState.FAIL
    again = [one for one in found.complete if one.params == trial.params]
    assert len(again) == 1
    assert again[0].user_attrs["origin"].startswith("again")


@pytest.mark.parametrize(("change", "words"), [
    (lambda: (problem(SPACE, "precision=bf16"), BOTH), "overrides"),
    (lambda: (problem(), ONE), "objectives throughput_tokens_per_s:maximize, group_usd:minimize -> "),
    (lambda: (problem(), goal(None, "tokens_per_s_per_usd", {"group_usd": 1e5})), "limits.group_usd nothing -> 1"),
    (lambda: (problem(Space(SPACE.dimensions[:3])), BOTH), "space: parallelism.tensor_parallel choice"),
])
def test_another_search_is_refused_with_what_differs_and_adopted_on_demand(tmp_path: Path, change: Any,
                                                                          words: str) -> None:
    first = run(problem(), BOTH, settings(tmp_path, 10)).study
    of, aim = change()
    with pytest.raises(InputError, match="holds another search") as refused:
        run(of, aim, settings(tmp_path, 20))
    assert words in str(refused.value)
    assert str(refused.value).count("\n") == 0
    adopted = run(of, aim, settings(tmp_path, 20, adopt=True)).study
    assert adopted.name == "study-2"
    points = [one.params for one in adopted.trials if one.user_attrs["origin"] == "adopted from study"]
    assert len(points) == 10
    assert all(point == of.space.nearest(point) for point in points)
    assert run(of, aim, settings(tmp_path, 20, adopt=True)).added == 0
    assert len(load_study("study", str(tmp_path / "studies.journal")).trials) == len(first.trials)


def test_another_version_or_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(problem(), BOTH, settings(tmp_path, 5))
    monkeypatch.setattr("dse.search.header.__version__", "99.0")
    monkeypatch.setattr("dse.search.header.model_fingerprint", lambda: "other")
    with pytest.raises(InputError, match=r"version of dse .* -> 99.0; equations of the model \w+ -> other"):
        run(problem(), BOTH, settings(tmp_path, 6))


@pytest.mark.parametrize("torn", [b'{"op_code":4,"study', b"\0\0\0\0", b'{"op_code":4}\n'])
def test_a_torn_last_line_is_cut_back_and_kept_beside(tmp_path: Path, torn: bytes) -> None:
    run(problem(), BOTH, settings(tmp_path, 10))
    path = tmp_path / "studies.journal"
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert len(load_study("study", str(path)).complete) == 10
    assert run(problem(), BOTH, settings(tmp_path, 20)).added == 10
    assert path.read_bytes().startswith(whole)
    assert (tmp_path / "studies.journal.torn-1").read_bytes() == torn
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "studies.journal"
    path.write_text("my notes\n")
    with pytest.raises(StorageError, match="not a journal"):
        run(problem(), BOTH, settings(tmp_path, 5))
    assert path.read_text() == "my notes\n"


def test_a_damaged_middle_is_refused_and_left_alone(tmp_path: Path) -> None:
    run(problem(), BOTH, settings(tmp_path, 10))
    path = tmp_path / "studies.journal"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[5] = b"garbage\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(StorageError, match="damaged"):
        run(problem(), BOTH, settings(tmp_path, 20))
    assert path.read_bytes() == b"".join(lines)


@pytest.mark.parametrize("target", ["studies.journal.guard", "studies.journal"])
def test_a_stale_lock_holds_nobody_up(tmp_path: Path, target: str) -> None:
    import time

    run(problem(), BOTH, settings(tmp_path, 5))
    os.symlink(target, tmp_path / "studies.journal.lock")
    began = time.monotonic()
    assert run(problem(), BOTH, settings(tmp_path, 10)).added == 5
    assert time.monotonic() - began < 10.0
    assert not (tmp_path / "studies.journal.lock").is_symlink()


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(problem(), BOTH, settings(tmp_path, 10))
    path = tmp_path / "studies.journal"
    whole = path.read_bytes()
    real = os.write

    def full(descriptor: int, data: Any) -> int:
        if len(data) > 500:
            return real(descriptor, bytes(data)[:500])  # part of it fits
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dse.search.journal.os.write", full)
    with pytest.raises(StorageError, match="No space left on device; what was saved before is still there"):
        run(problem(), BOTH, settings(tmp_path, 20))
    assert path.read_bytes() == whole
    monkeypatch.undo()
    assert run(problem(), BOTH, settings(tmp_path, 20)).added == 10


def test_a_study_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "studies.journal")
    optuna.create_study(study_name="study", storage=optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(path)))
    with pytest.raises(InputError, match="not made by dse search"):
        run(problem(), BOTH, settings(tmp_path, 5))
    with pytest.raises(InputError, match="study other is not in"):
        load_study("other", path)
    with pytest.raises(InputError, match="no study was saved"):
        open_store(str(tmp_path / "nothing.journal"), create=False)


def test_known_designs_come_first(tmp_path: Path) -> None:
    point = SPACE.nearest({"hardware.l2_mib": 50, "hardware.cores": 40, "hardware.hbm_gb_per_s": 3350,
                           "parallelism.tensor_parallel": 8})
    study = run(problem(), BOTH, settings(tmp_path, 5, known=[("near h100", point)])).study
    assert study.trials[0].params == point
    assert study.trials[0].user_attrs["origin"] == "near h100"


def test_comparison_measures_both_from_one_corner(tmp_path: Path) -> None:
    first = run(problem(), BOTH, settings(tmp_path, 20, name="first")).study
    second = run(problem(), BOTH, settings(tmp_path, 60, name="second")).study
    found = comparison(first, second)
    assert found["same_points"] >= 20  # the same seed: the same points first
    assert found["studies"][0]["hypervolume"] <= found["studies"][1]["hypervolume"]
    assert found["front_beaten"][1] == 0.0
    with pytest.raises(InputError, match="cannot be compared"):
        comparison(first, run(problem(), ONE, settings(tmp_path, 5, RANDOM, "one")).study)


def test_a_new_database_is_what_optuna_itself_would_have_made(tmp_path: Path) -> None:
    import sqlalchemy as sa

    from dse.search.relational_tables import REVISION

    run(problem(), BOTH, settings(tmp_path, 5, storage="studies.sqlite3"))
    theirs = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/theirs.sqlite3")
    ours = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/studies.sqlite3")  # checks the form of the tables
    assert ours.get_current_version() == ours.get_head_version() == theirs.get_current_version() == REVISION

    def tables(storage: optuna.storages.RDBStorage) -> Any:
        with storage.engine.connect() as connection:
            made = connection.execute(sa.text("SELECT name, sql FROM sqlite_master")).all()
            return {name: " ".join((sql or "").split()) for name, sql in made if name != "alembic_version"}

    assert tables(ours) == tables(theirs)
    for storage in (ours, theirs):
        storage.engine.dispose()


def test_a_database_of_an_older_optuna_is_refused_with_the_way_to_bring_it_up(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    run(problem(), BOTH, settings(tmp_path, 5, storage="studies.sqlite3"))
    with closing(sqlite3.connect(tmp_path / "studies.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    with pytest.raises(StorageError, match=r"tables are of another version of Optuna: .* optuna storage upgrade"):
        run(problem(), BOTH, settings(tmp_path, 6, storage="studies.sqlite3"))


def test_what_decides_is_important_and_what_does_not_is_not(tmp_path: Path) -> None:
    """The area of a die grows with its L2, whatever the batch."""
    from dse.search.importance import importances

    space = Space((Dimension("hardware.l2_mib", Interval(8, 256)), Dimension("hardware.hbm_gb", Choice((64, 80, 96))),
                   Dimension("traffic.batch", Interval(1, 4, integer=True))))
    study = run(problem(space), goal(["die_mm2"], "", None), settings(tmp_path, 200)).study
    found = importances(study)
    assert next(iter(found)) == "hardware.l2_mib"
    assert found["hardware.l2_mib"] > 0.9
    assert sum(found.values()) == pytest.approx(1.0)
    few = run(problem(space), goal(["die_mm2"], "", None), settings(tmp_path, 5, name="few")).study
    with pytest.raises(InputError, match="importances need at least 20"):
        importances(few)


def test_a_certificate_with_limits_is_as_fine_as_one_without(tmp_path: Path) -> None:
    """Limits are looked at block by block; coarse grids tell how long finer ones take, so that all are compiled."""
    aim = goal(None, "tokens_per_s_per_usd", {"group_usd": 1e6})
    space = Space(SPACE.dimensions[:2])
    found = run(problem(space), aim, settings(tmp_path, 5, certificate_s=2.0)).certificate
    assert found is not None
    assert found.designs >= 4096  # in plain Python 2 s are enough for 256
