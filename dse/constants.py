"""Assumptions with their interval and their source; one without a source cannot be loaded."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.errors import InputError

MARKS = ("published", "derived", "fitted", "estimate", "tool default", "user")
KEYS = ("low", "base", "high", "unit", "date", "mark", "source")
SHARED = "shared"  # the one part that may be left out


class Constant(NamedTuple):
    """One assumption: its interval, in the unit of its key, and where it comes from.

    Constants with the same word in `shared` rest on the same unknown: they are high together and low together.
    """

    low: float
    base: float
    high: float
    unit: str
    date: str
    mark: str
    source: str
    shared: str = ""


def read_constant(key: str, raw: Any, unit: str) -> Constant:
    """The constant that `raw` describes, in `unit`.

    `raw` is a mapping with the keys low, base, high, unit, date, mark and source, and shared where it is so, or a plain
    number: an assumption that the user makes, which has no width and is marked so. Raises InputError where a part is
    missing, the source is no text, the unit is another one, the mark is unknown or low <= base <= high does not hold.
    """
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Mapping)):
        raise InputError(f"{key}={raw!r} is not allowed: give a number in {unit}, or a mapping with {', '.join(KEYS)}")
    if not isinstance(raw, Mapping):
        value = _number(key, raw)
        return Constant(value, value, value, unit, "", "user", "set by the user")
    missing = [part for part in KEYS if raw.get(part) in (None, "")]
    unknown = [str(part) for part in raw if part not in (*KEYS, SHARED)]
    if missing or unknown:
        fault = f"lacks {', '.join(missing)}" if missing else f"has the unknown part {', '.join(unknown)}"
        raise InputError(f"{key} {fault}: a constant is a mapping with {', '.join(KEYS)}")
    low, base, high = (_number(f"{key}.{part}", raw[part]) for part in ("low", "base", "high"))
    if not low <= base <= high:
        raise InputError(f"{key} has low={low:g}, base={base:g}, high={high:g}: low <= base <= high is required")
    if not isinstance(raw["source"], str):
        raise InputError(f"{key}.source={raw['source']!r} is not allowed: say in words where the figures are from")
    if not isinstance(raw.get(SHARED) or "", str):
        raise InputError(f"{key}.{SHARED}={raw[SHARED]!r} is not allowed: give a word for the unknown behind it")
    if isinstance(raw["date"], bool) or not isinstance(raw["date"], (str, int, dt.date)):
        raise InputError(f"{key}.date={raw['date']!r} is not allowed: give a year or a date")
    if raw["unit"] != unit:
        raise InputError(f"{key}.unit={raw['unit']!r} is not allowed: this constant is in {unit!r}")
    if raw["mark"] not in MARKS:
        raise InputError(f"{key}.mark={raw['mark']!r} is not allowed: choose one of {', '.join(MARKS)}")
    return Constant(low, base, high, unit, str(raw["date"]), raw["mark"], str(raw["source"]),
                    str(raw.get(SHARED) or ""))


def _number(key: str, raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not abs(raw) <= sys.float_info.max:
        raise InputError(f"{key}={raw!r} is not allowed: give a finite number")
    return float(raw)
