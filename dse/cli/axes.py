"""Axes of a sweep, read from Hydra's override grammar."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.case import GROUPS
from dse.errors import InputError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override, RangeSweep


AXES = (*GROUPS, "experiment")  # an experiment is a choice of all of them
LONGEST_AXIS = 1_000_000
MOST_COUNTED = 1e18  # values of a range; more are not told in digits


class SweptKey(NamedTuple):
    """One axis: its key, its values, and each value as it stands in an override."""

    key: str
    values: tuple[Any, ...]
    overrides: tuple[str, ...]


class Plan(NamedTuple):
    """What a command asks for: fixed overrides, and the axes in the order they were given."""

    fixed: tuple[str, ...]
    axes: tuple[SweptKey, ...]

    @property
    def size(self) -> int:
        """How many combinations the axes have."""
        return math.prod(len(axis.values) for axis in self.axes)

    @property
    def widest(self) -> str:
        """The axis with the most values, and how many."""
        axis = max(self.axes, key=lambda one: len(one.values))
        return f"{axis.key} with {len(axis.values):,}"


def plan(overrides: Sequence[Override], largest: int, one_is_enough: bool = False) -> Plan:
    """Splits overrides into fixed ones and axes; a key given twice keeps its last value, as in Hydra.

    A file's axis comes before the command line's, in which `refuse_given_twice` has looked. Raises InputError for a
    continuous axis, an empty one, no axis at all unless one design is enough, or more than `largest` designs: counted
    before any list is made.
    """
    last = {override.get_key_element(): override for override in overrides}
    swept = {key: override for key, override in last.items() if override.is_sweep_override()}
    for key, override in swept.items():
        if re.split(r"[./@]", key.lstrip("+~"), maxsplit=1)[0] not in AXES:
            raise InputError(f"{override.input_line} is not allowed: {key} is no part of a design and so no axis; "
                             "give it one value")
    size = math.prod(_length(override) for override in swept.values())
    if not swept and not one_is_enough:
        raise InputError("the sweep is empty: give at least one axis, as in hardware.l2_mib=8,16,32")
    if size > largest:
        raise InputError(f"the sweep has {size:,} designs and at most {largest:,} are taken: take coarser axes "
                         f"(largest: {_widest(swept)})")
    for key, override in swept.items():
        if _length(override) > LONGEST_AXIS:
            raise InputError(f"{key} has {_length(override):,} values and an axis takes at most {LONGEST_AXIS:,}: "
                             "take a larger step")
    fixed = tuple(f"{key}={override.get_value_element_as_str()}" for key, override in last.items() if key not in swept)
    return Plan(fixed, tuple(_axis(key, override) for key, override in swept.items()))


def refuse_given_twice(arguments: Sequence[str]) -> None:
    """InputError where a command line gives an axis and the same key once more: the first would be dropped unseen."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    given: dict[str, Override] = {}
    for override in OverridesParser.create().parse_overrides(list(arguments)):
        key = override.get_key_element().lstrip("+")
        before = given.setdefault(key, override)
        if before is not override and (before.is_sweep_override() or override.is_sweep_override()):
            raise InputError(f"{key} is given twice, as {before.input_line} and as {override.input_line}: give one "
                             "axis with all its values")


def _axis(key: str, override: Override) -> SweptKey:
    texts = tuple(str(text) for text in override.sweep_string_iterator())
    if override.is_range_sweep() or (override.is_choice_sweep() and not _has_glob(override)):
        values = tuple(_value(value) for value in override.sweep_iterator())
    else:
        values = texts
    return SweptKey(key, values, tuple(f"{key}={text}" for text in texts))


def _has_glob(override: Override) -> bool:
    from hydra.core.override_parser.types import Glob

    return isinstance(override.value(), Glob)


def _value(value: Any) -> Any:
    from hydra.core.override_parser.types import QuotedString

    return value.text if isinstance(value, QuotedString) else value


def _length(override: Override) -> int:
    from hydra.core.override_parser.types import RangeSweep

    value = override.value()
    if override.is_interval_sweep():
        raise InputError(f"{override.get_key_element()}=interval(...) is continuous: a grid takes a list, choice(...) "
                         "or range(start,stop,step)")
    if isinstance(value, RangeSweep):
        count = range_length(value, str(override.input_line))
    else:
        count = sum(1 for _ in override.sweep_string_iterator())
    if not count:
        raise InputError(f"{override.input_line} is empty: give at least one value")
    return count


def range_length(given: RangeSweep, text: str) -> int:
    """How many values the range of the override `text` has; InputError where it has no end."""
    start, stop, step = (float(part or 0.0) for part in (given.start, given.stop, given.step))
    if not all(map(math.isfinite, (start, stop, step))) or step == 0.0:
        raise InputError(f"{text} is not allowed: range(start,stop,step) takes finite numbers and a step other than 0")
    count = (stop - start) / step - 1e-9
    if not count < MOST_COUNTED:
        raise InputError(f"{text} is not allowed: it has more than {MOST_COUNTED:g} values; take a larger step")
    return math.ceil(max(0.0, count))


def _widest(swept: dict[str, Override]) -> str:
    counts = {key: _length(override) for key, override in swept.items()}
    key = max(counts, key=lambda name: counts[name])
    return f"{key} with {counts[key]:,}"
