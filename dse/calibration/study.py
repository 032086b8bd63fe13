"""A calibration from the rows to its findings: one fit of everything, and honest splits between the systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dse.calibration.fit import Array, Fitted, errors, fit, fit_with_intervals, fitted, groups
from dse.calibration.predict import impossible
from dse.calibration.tables import Row
from dse.hardware import Accelerator
from dse.latency.style import LatencyStyle

FITTED, HELD_OUT = "fitted", "held out"


class TableError(NamedTuple):
    """Errors of the model on one table, and whether the constants were fitted to its rows."""

    system: str
    framework: str
    kind: str
    number_format: str
    split: str
    rows: int
    mean_absolute: float
    bias: float
    median_absolute: float


class Split(NamedTuple):
    """Constants fitted to some systems, and their errors on every table."""

    fitted_on: tuple[str, ...]
    style: LatencyStyle
    tables: tuple[TableError, ...]


class Calibration(NamedTuple):
    """What a calibration finds. `residuals` are those of the joint fit, by table, beside their rows."""

    style: LatencyStyle
    constants: dict[str, Fitted]
    splits: tuple[Split, ...]
    residuals: dict[tuple[str, str, str, str], tuple[list[Row], Array]]
    impossible_rows: int


def calibration(rows: Sequence[Row], devices: Mapping[str, Accelerator], start: LatencyStyle,
                matrix_rates: Mapping[tuple[str, str], float]) -> Calibration:
    """Fits `start` to all 16-bit rows, and once more to the rows of each system alone where there are several.

    `matrix_rates`: rate of (system, number format) over that of 16 bits, for rows that are only checked.
    """
    kept = [row for row in rows if not impossible(row, devices[row.system])]
    style, constants = fit_with_intervals(kept, devices, start)
    systems = tuple(sorted({row.system for row in kept}))
    splits = [_split(kept, devices, matrix_rates, systems, style)]
    if len(systems) > 1:
        splits += [_split(kept, devices, matrix_rates, (system,), _alone(kept, devices, system, style))
                   for system in systems]
    tables = groups(kept)
    residuals = {name: (table, errors(table, devices, style, matrix_rates)) for name, table in tables.items()}
    return Calibration(style, constants, tuple(splits), residuals, len(rows) - len(kept))


def _alone(rows: Sequence[Row], devices: Mapping[str, Accelerator], system: str, start: LatencyStyle) -> LatencyStyle:
    return fit([row for row in rows if row.system == system], devices, start)


def _split(rows: Sequence[Row], devices: Mapping[str, Accelerator], matrix_rates: Mapping[tuple[str, str], float],
           fitted_on: tuple[str, ...], style: LatencyStyle) -> Split:
    tables = []
    for name, table in sorted(groups(rows).items()):
        found = errors(table, devices, style, matrix_rates)
        split = FITTED if name[0] in fitted_on and fitted(table[0]) else HELD_OUT
        tables.append(TableError(*name, split, len(table), float(np.mean(np.abs(found))), float(np.mean(found)),
                                 float(np.median(np.abs(found)))))
    return Split(fitted_on, style, tuple(tables))
