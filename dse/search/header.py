"""What a study was made for, saved with it: a later command goes on only if it asks for the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.search.objectives import Goal
from dse.search.space import Space
from dse.search.store import SavedStudy
from dse.version import __version__

FORMAT = 1
ATTRIBUTE = "dse"
PACKAGE = Path(__file__).resolve().parent.parent
MODEL = ("constants", "fields", "hardware", "workload", "objective", "case", "units")
LAYERS = ("latency", "cost", "technique")
MOST_SAID = 6


@cache
def model_fingerprint() -> str:
    """A hash of the model's sources: the same equations, or others."""
    known = hashlib.sha256()
    files = [PACKAGE / f"{name}.py" for name in MODEL] + [file for layer in LAYERS for file in
                                                         (PACKAGE / layer).glob("*.py")]
    for source in sorted(files):
        known.update(f"{source.relative_to(PACKAGE)}\0".encode() + source.read_bytes() + b"\0")
    return known.hexdigest()[:16]


def header(space: Space, goal: Goal, assumptions: Mapping[str, Any], command: tuple[str, ...], seed: int) -> (
        dict[str, Any]):
    """The record of a search as plain data."""
    return {
        "format": FORMAT, "version": __version__, "model": model_fingerprint(), "seed": seed,
        "space": space.described(), "objectives": [str(one) for one in goal.objectives], "mark": str(goal.mark),
        "limits": dict(goal.limits), "assumptions": _flat(assumptions), "command": list(command),
    }


def saved_header(study: SavedStudy, where: str) -> dict[str, Any]:
    """The record saved with a study; InputError for a study that is not ours, or of a format that is not read here."""
    found = study.user_attrs.get(ATTRIBUTE)
    if not isinstance(found, dict):
        raise InputError(f"study.name={study.name} is not allowed: the study of that name in {where} was not made by "
                         "dse search; choose another name")
    if found.get("format") != FORMAT:
        raise InputError(f"study.name={study.name} cannot be used: it was saved in format {found.get('format')} by dse "
                         f"{found.get('version')}, and this version reads format {FORMAT}")
    return found


def differences(saved: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """What the command asks for in another way than the saved study, in words; empty where it may go on."""
    found = []
    for key, word in (("version", "version of dse"), ("model", "equations of the model"), ("mark", "objective")):
        if saved[key] != asked[key]:
            found.append(f"{word} {saved[key]} -> {asked[key]}")
    if saved["objectives"] != asked["objectives"]:
        found.append(f"objectives {', '.join(saved['objectives'])} -> {', '.join(asked['objectives'])}")
    for part in ("limits", "space", "assumptions"):
        prefix = {"limits": "limits.", "space": "space: ", "assumptions": ""}[part]
        found += [prefix + text for text in _changes(saved[part], asked[part])]
    return found


def refusal(name: str, found: list[str]) -> InputError:
    """The sentence that lists the differences."""
    more = f"; and {len(found) - MOST_SAID} more" if len(found) > MOST_SAID else ""
    return InputError(f"study.name={name} holds another search: {'; '.join(found[:MOST_SAID])}{more}; choose another "
                      "study.name, or study.adopt=true to start a new study from its points")


def _changes(saved: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*saved, *asked]):
        old, new = saved.get(key, "nothing"), asked.get(key, "nothing")
        if old != new:
            yield f"{key} {old} -> {new}"


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            found.update(_flat(value, f"{prefix}{key}."))
        else:
            found[prefix + str(key)] = value
    return found
