"""A search under Hydra: from overrides to a problem, and from there to the library."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.cli.search_composer import Composer
from dse.cli.search_space import Asked, asked, from_files
from dse.errors import InputError
from dse.fields import LARGEST
from dse.search.objectives import Goal, goal
from dse.search.problem import Problem
from dse.search.run import Outcome, Settings, run
from dse.search.samplers import Sampling, sampling

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

BASELINE = "random"
NAME = "study.name"
OUTPUTS = ("table", "json")
STUDY_KEYS = ("name", "adopt", "known_designs", "exact_steps", "baseline", "certificate_s")


class Watch(NamedTuple):
    """How progress is told, and how a search is asked to stop."""

    report: Callable[[str], Callable[[Any], None]]
    stop: Callable[[], bool]


def search(loader: ConfigLoader, master: DictConfig, arguments: Sequence[str], watch: Watch, suffix: str = "") -> (
        tuple[str, list[Outcome]]):
    """Runs the search that `arguments` describe, one study for each choice of what is listed beside the space.

    Returns the kind of output that is asked for, and an outcome for each study. `suffix` goes behind their names.
    """
    command = asked(loader, arguments)
    outcomes: list[Outcome] = []
    output = "table"
    for values in itertools.product(*command.outer.values()):
        chosen = dict(zip(command.outer, values, strict=True))
        one = command._replace(fixed=(*command.fixed, *(f"{key}={value}" for key, value in chosen.items())))
        for asked_output, settings, problem, aim in _searches(loader, master, one, suffix + name_suffix(chosen),
                                                              arguments, watch):
            output = asked_output
            if not watch.stop():
                outcomes.append(run(problem, aim, settings))
    return output, outcomes


def name_suffix(chosen: Mapping[str, str]) -> str:
    """What tells the studies of one command apart: -preserve, -seed2."""
    parts = []
    for key, value in chosen.items():
        word = re.sub(r"[^\w.]+", "_", value).strip("_")
        numbered = re.fullmatch(r"[\d.]+", word) is not None
        if key != NAME:
            parts.append(f"-{key.rpartition('.')[2] if numbered else ''}{word}")
    return "".join(parts)


def _searches(loader: ConfigLoader, master: DictConfig, command: Asked, suffix: str, arguments: Sequence[str],
              watch: Watch) -> Iterator[tuple[str, Settings, Problem, Goal]]:
    composer = Composer(loader, master, command)
    told = composer.first
    if told["output"] not in OUTPUTS:
        raise InputError(f"output={told['output']} is not allowed: choose one of {', '.join(OUTPUTS)}")
    study = _study(told)
    problem = composer.problem(from_files(loader, told.get("space"), command.keys))
    aim = goal(told["objectives"], told["objective"], told["limits"])
    n_trials, seed = _whole(told, "n_trials", 1), _whole(told, "seed", 0)
    name = (study["name"] or told["name"] or _name(problem, aim)) + suffix
    chosen = sampling(told.get("sampler") or {}, study["exact_steps"], problem.space, aim, n_trials)
    known = composer.known_points(problem.space) if study["known_designs"] else []
    settings = Settings(name, n_trials, chosen, seed, told["storage"], bool(study["adopt"]), known,
                        float(study["certificate_s"]), ("dse", "search", *arguments), watch.report(name), watch.stop)
    yield told["output"], settings, problem, aim
    if study["baseline"]:
        random = Sampling(BASELINE, False, "the baseline")
        beside = f"{name}-{BASELINE}"
        yield (told["output"], replace(settings, name=beside, sampling=random, known=(), certificate_s=0.0,
                                       report=watch.report(beside)), problem, aim)


def _study(told: Mapping[str, Any]) -> dict[str, Any]:
    study = dict(told["study"])
    for key in study:
        if key not in STUDY_KEYS:
            raise InputError(f"study.{key} is unknown: study has {', '.join(STUDY_KEYS)}")
    for key in ("adopt", "known_designs", "baseline"):
        if not isinstance(study[key], bool):
            raise InputError(f"study.{key}={study[key]} is not allowed: it takes true or false")
    if study["exact_steps"] not in (None, True, False):
        raise InputError(f"study.exact_steps={study['exact_steps']} is not allowed: it takes true, false or null")
    seconds = study["certificate_s"]
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= LARGEST:
        raise InputError(f"study.certificate_s={seconds} is not allowed: it takes a number of seconds >= 0 and <= "
                         f"{LARGEST:g}")
    study["name"] = None if study["name"] is None else str(study["name"])
    return study


def _whole(told: Mapping[str, Any], key: str, least: int) -> int:
    value = told[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{key}={value} is not allowed: it takes a whole number >= {least}")
    return value


def _name(problem: Problem, aim: Any) -> str:
    """A name for a study that was given none: the same space and goal have the same name."""
    text = json.dumps([problem.space.described(), str(aim)], sort_keys=True)
    return f"search-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
