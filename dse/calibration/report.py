"""The report of a calibration in Markdown: constants, errors by table with what was held out, rows left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dse.calibration.fit import Fitted
from dse.calibration.study import HELD_OUT, Calibration, Split, TableError
from dse.latency.style import STYLE


def report(found: Calibration, left_out: Mapping[tuple[str, str], int], command: str) -> str:
    """The whole page."""
    parts = ["# Calibration of a latency style", f"Command: `{command}`", *_constants(found.constants)]
    for split in found.splits:
        parts += _errors(split)
    parts += _left_out(left_out, found.impossible_rows)
    parts.append("Residuals by table: `residuals.png`.")
    return "\n\n".join(parts) + "\n"


def _constants(constants: Mapping[str, Fitted]) -> list[str]:
    """Base is the fit to all rows; the interval spans the fits to each system and framework alone."""
    rows = []
    for field in STYLE.fields:
        if field.attribute in constants:
            low, base, high = (value / field.scale for value in constants[field.attribute])
            rows.append((field.key, f"{base:.3g}", f"{low:.3g} to {high:.3g}", field.unit, field.meaning))
    return ["## Constants", _table(("constant", "base", "interval", "unit", "meaning"), rows)]


def _errors(split: Split) -> list[str]:
    names = " and ".join(split.fitted_on)
    rows = [_error_row(one) for one in split.tables]
    held = [one for one in split.tables if one.split == HELD_OUT]
    parts = [f"## Fitted on {names}",
             _table(("system", "framework", "operator", "format", "rows", "split", "mean abs. error", "bias",
                     "median abs. error"), rows)]
    kinds = sorted({one.kind for one in held})
    means = [(kind, sum(one.mean_absolute for one in held if one.kind == kind) / sum(one.kind == kind for one in held))
             for kind in kinds]
    if means:
        parts.append("Held out, mean over tables: " + ", ".join(f"{kind} {mean:.1%}" for kind, mean in means) + ".")
    return parts


def _error_row(one: TableError) -> tuple[str, ...]:
    return (one.system, one.framework, one.kind, one.number_format, str(one.rows), one.split,
            f"{one.mean_absolute:.1%}", f"{one.bias:+.1%}", f"{one.median_absolute:.1%}")


def _left_out(left_out: Mapping[tuple[str, str], int], impossible_rows: int) -> list[str]:
    rows = [(name, reason, str(count)) for (name, reason), count in sorted(left_out.items())]
    if impossible_rows:
        rows.append(("generation attention", "faster than the HBM's peak from far more than L2", str(impossible_rows)))
    return ["## Rows left out", _table(("table", "reason", "rows"), rows)] if rows else []


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
