"""A shipped source vouches for its own figures: a constant that keeps the source and changes the figures is refused."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dse.constants import KEYS, read_constant
from dse.errors import InputError

GROUPS = ("cost", "latency", "server")
FIGURES = tuple(part for part in KEYS if part != "source")


def refuse_borrowed_sources(settings: Mapping[str, Any], shipped: Path) -> None:
    """InputError where a constant of `settings` has the source of a shipped one and other figures.

    So it is where a file builds on a shipped option and gives a part of a constant, or a command sets one part: the
    rest, the source among it, is filled up from the option below.
    """
    for group in GROUPS:
        for key, constant in _constants(settings.get(group, {}), f"{group}."):
            known = _figures_by_source(shipped).get(str(constant.get("source")))
            if known and _figures(constant) not in known and _is_readable(key, constant, known):
                raise InputError(f"{key} has low={constant.get('low')}, base={constant.get('base')}, "
                                 f"high={constant.get('high')} and the source of other figures: set {key} to a number, "
                                 f"or give all of {', '.join(KEYS)}")


def _constants(raw: Any, prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every constant below, by its full key."""
    for name, value in raw.items():
        if isinstance(value, Mapping):
            if "source" in value:
                yield f"{prefix}{name}", value
            else:
                yield from _constants(value, f"{prefix}{name}.")


def _is_readable(key: str, constant: Mapping[str, Any], known: set[tuple[str, ...]]) -> bool:
    """Whether nothing else is wrong with it: a fault of its own is told where constants are read."""
    try:
        read = read_constant(key, constant, str(constant.get("unit")))
    except InputError:
        return False
    return read.unit in {figures[FIGURES.index("unit")] for figures in known}


def _figures(constant: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_text(constant.get(part)) for part in FIGURES)


def _text(value: Any) -> str:
    """Numbers as numbers, whether they are written as 7 or 7.0."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return repr(float(value)) if is_number and abs(value) <= sys.float_info.max else str(value)


@functools.cache
def _figures_by_source(shipped: Path) -> dict[str, set[tuple[str, ...]]]:
    """The figures of each source in the shipped options."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, set[tuple[str, ...]]] = {}
    for group in GROUPS:
        for path in sorted((shipped / group).rglob("*.yaml")):
            with path.open(encoding="utf-8") as stream:
                option = yaml.load(stream, loader)
            for _, constant in _constants(option, ""):
                found.setdefault(str(constant["source"]), set()).add(_figures(constant))
    return found
