"""The space of a search, read from Hydra's override grammar and from files of the group `space`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.case import GROUPS
from dse.cli.axes import range_length
from dse.errors import InputError
from dse.search.space import Choice, Dimension, Domain, Interval

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from hydra.core.override_parser.types import Override, RangeSweep

A_STUDY_EACH = ("technique", "model", "traffic")  # of these, a plain list of options


class Asked(NamedTuple):
    """What a command line says: fixed overrides, dimensions by key, and lists whose values get a study each."""

    fixed: tuple[str, ...]
    dimensions: dict[str, Dimension]
    outer: dict[str, tuple[str, ...]]

    @property
    def keys(self) -> list[str]:
        """Every key that the command line sets."""
        return [*(text.partition("=")[0].lstrip("+") for text in self.fixed), *self.dimensions]


def asked(loader: ConfigLoader | None, arguments: Sequence[str]) -> Asked:
    """Fixed overrides, dimensions and outer lists; a key that is given twice keeps its last value, as in Hydra.

    `technique=a,b` asks for a study of each, and so do lists of models, traffics and of settings that are no part of a
    design, as `seed=1,2`; `technique=choice(a,b)` makes it a dimension.
    """
    last = {override.get_key_element(): override for override in _parsed(loader, arguments)}
    swept = {key: override for key, override in last.items() if override.is_sweep_override()}
    outer = {key: _values(override) for key, override in swept.items() if _is_outer(key, override)}
    fixed = tuple(f"{key}={override.get_value_element_as_str()}" for key, override in last.items() if key not in swept)
    return Asked(fixed, {key: Dimension(key, domain(override)) for key, override in swept.items() if key not in outer},
                 outer)


def _is_outer(key: str, override: Override) -> bool:
    """The values of the key get a study each; else it is a dimension."""
    return not _is_of_design(key) or (key in A_STUDY_EACH and _is_plain_list(override))


def _is_of_design(key: str) -> bool:
    return re.split(r"[./@]", key.lstrip("+"), maxsplit=1)[0] in GROUPS


def _values(override: Override) -> tuple[str, ...]:
    from hydra.core.override_parser.types import IntervalSweep

    if isinstance(override.value(), IntervalSweep):
        key = override.get_key_element()
        raise InputError(f"{override.input_line} is not allowed: {key} is no part of a design, so that it is no axis; "
                         f"list its values, as in {key}=A,B, for a study of each")
    return tuple(str(value) for value in override.sweep_string_iterator())


def from_files(loader: ConfigLoader, space: Mapping[str, Any] | None, given: Sequence[str]) -> list[Dimension]:
    """Dimensions of the group `space`, less those whose key the command line gives."""
    found = []
    if space is not None and not isinstance(space, Mapping):
        raise InputError(f"space={space} is not allowed: a file of the group space has axes by their keys")
    for key, text in (space or {}).items():
        if key not in given:
            found.append(_from_file(loader, str(key), text))
    return found


def _from_file(loader: ConfigLoader, key: str, entry: Any) -> Dimension:
    when: dict[str, tuple[Any, ...]] = {}
    if isinstance(entry, Mapping):
        if set(entry) - {"values", "when"} or "values" not in entry:
            raise InputError(f"space.{key} is not allowed: give its values, or values: and when:")
        if not isinstance(entry.get("when") or {}, Mapping):
            raise InputError(f"space.{key}.when={entry['when']} is not allowed: give values by key")
        when = {str(other): tuple(_listed(allowed)) for other, allowed in (entry.get("when") or {}).items()}
        entry = entry["values"]
    if isinstance(entry, (list, tuple)):
        return Dimension(key, Choice(tuple(entry)), when)
    override = _parsed(loader, [f"{key}={entry}"])[0]
    if not override.is_sweep_override():
        raise InputError(f"space: {key}={entry} is not allowed: give interval(...), range(...), choice(...) or a list")
    return Dimension(key, domain(override), when)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


def _parsed(loader: ConfigLoader | None, arguments: Sequence[str]) -> list[Override]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from dse.cli.hydra_run import sentence

    try:
        return OverridesParser.create(config_loader=loader).parse_overrides(list(arguments))
    except HydraException as error:
        raise InputError(sentence(error)) from error


def _is_plain_list(override: Override) -> bool:
    from hydra.core.override_parser.types import ChoiceSweep

    value = override.value()
    return isinstance(value, ChoiceSweep) and value.simple_form


def domain(override: Override) -> Domain:
    """The domain that a sweep override describes."""
    from hydra.core.override_parser.types import IntervalSweep, RangeSweep

    value = override.value()
    text = str(override.input_line or override.get_key_element())
    tags: set[str] = getattr(value, "tags", set())
    if tags - {"log", "int"}:
        raise InputError(f"{text} is not allowed: a tag is log or int")
    log = "log" in tags
    try:
        if isinstance(value, IntervalSweep):
            low, high = float(value.start or 0.0), float(value.end or 0.0)
            whole = "int" in tags or (isinstance(value.start, int) and isinstance(value.end, int) and _cast(text))
            return Interval(low, high, log, whole)
        if isinstance(value, RangeSweep):
            return _steps(value, log, text)
        if log:
            raise InputError("a log scale goes with interval(...) or range(...)")
        return Choice(tuple(_value(one) for one in _listed_values(override)))
    except InputError as error:
        raise InputError(f"{text}: {error}") from error


def _cast(text: str) -> bool:
    return "int(" in text.partition("=")[2]


def _steps(value: RangeSweep, log: bool, text: str) -> Domain:
    start, stop, step = (float(part or 0.0) for part in (value.start, value.stop, value.step))
    count = range_length(value, text)
    if step < 0.0:
        start, stop, step = stop - step, start - step, -step
    if count < 1:
        raise InputError("it is empty, give at least one value")
    whole = all(part == int(part) for part in (start, step))
    return Interval(start, start + step * (count - 1), log, whole, step)


def _listed_values(override: Override) -> list[Any]:
    from hydra.core.override_parser.types import Glob

    if isinstance(override.value(), Glob):
        return [str(text) for text in override.sweep_string_iterator()]
    return list(override.sweep_iterator())


def _value(value: Any) -> Any:
    from hydra.core.override_parser.types import QuotedString

    return value.text if isinstance(value, QuotedString) else value
