"""A fitted style as a file of conf/latency: the constants that were fitted, and the others as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dse.calibration.fit import Fitted
from dse.latency.style import STYLE

DIGITS = 3


def style_yaml(name: str, comment: str, raw: Mapping[str, Any], fitted: Mapping[str, Fitted], date: str,
               source: str) -> str:
    """The text of the file: each constant of `raw` (a style as read from YAML), with those in `fitted` replaced."""
    lines = [f"# {comment}", f"name: {name}"]
    for field in STYLE.fields:
        if not field.constant:
            lines += [f"{field.key}: {str(raw[field.key]).lower()}"] if field.key in raw else []
            continue
        constant = dict(raw[field.key])
        if field.attribute in fitted:
            values = (_rounded(value / field.scale) for value in fitted[field.attribute])
            constant = {**constant, **dict(zip(("low", "base", "high"), values, strict=True)), "date": date,
                        "mark": "fitted", "source": source}
        lines += _entry(field.key, constant)
    return "\n".join(lines) + "\n"


def _entry(key: str, constant: Mapping[str, Any]) -> list[str]:
    numbers = ", ".join(f"{part}: {constant[part]}" for part in ("low", "base", "high", "unit", "date", "mark"))
    source = str(constant["source"]).replace("\\", "\\\\").replace('"', '\\"')
    return [f"{key}:", f"  {{{numbers},", f'   source: "{source}"}}']


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
