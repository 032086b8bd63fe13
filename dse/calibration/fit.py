"""Least squares of the logarithm of time over the constants of a style, with an interval for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from dse.calibration.predict import predicted_s
from dse.calibration.tables import ALL_REDUCE, DECODE_ATTENTION, GEMM, PROMPT_ATTENTION, Row
from dse.hardware import Accelerator
from dse.latency.style import LatencyStyle
from dse.workload import SIXTEEN_BIT

Array = npt.NDArray[np.float64]
ROBUST = 0.1  # a residual of 10 % is still squared, beyond it counts about linearly
RIDGE = 0.001  # holds a constant on which the rows say nothing at its start
MOST_S, MOST_BYTES = 1e-3, 2.0**30  # no floor is a millisecond, and no core reads a GiB before it computes
MOST_ROWS = 400  # of one table in a fit: evenly picked, the rest would say the same again
PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "operators": ((GEMM, DECODE_ATTENTION, PROMPT_ATTENTION),
                  ("matmul_floor_s", "matmul_wave_s", "matmul_split_s", "attention_floor_s", "hbm_share",
                   "matmul_share", "attention_share", "unhidden_bytes")),
    "collectives": ((ALL_REDUCE,),
                    ("one_shot_startup_s", "one_shot_device_s", "one_shot_link_share", "two_shot_startup_s",
                     "two_shot_device_s", "two_shot_link_share", "in_switch_startup_s")),
}


class Fitted(NamedTuple):
    """A constant in SI units: the best value, and the least and the largest that the measurements allow."""

    low: float
    base: float
    high: float


def groups(rows: Sequence[Row]) -> dict[tuple[str, str, str, str], list[Row]]:
    """Rows by system, framework, kind and number format: one table each."""
    found: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.system, row.framework, row.kind, row.number_format), []).append(row)
    return found


def errors(rows: Sequence[Row], devices: Mapping[str, Accelerator], style: LatencyStyle,
           matrix_rates: Mapping[tuple[str, str], float] | None = None) -> Array:
    """Relative error of the model on each row: predicted / measured - 1."""
    rates = matrix_rates or {}
    return np.array([predicted_s(row, devices[row.system], style, rates.get((row.system, row.number_format), 1.0))
                     / row.time_s - 1.0 for row in rows])


def fit_part(part: str, rows: Sequence[Row], devices: Mapping[str, Accelerator], start: LatencyStyle) -> (
        tuple[LatencyStyle, dict[str, float]]):
    """`start` with the constants of `part` fitted to its 16-bit rows, and the standard error of each one's logarithm.

    Each table weighs the same, however many rows it has. Constants that no row of the part speaks of stay as they are.
    """
    kinds, names = PARTS[part]
    used = [row for row in rows if row.kind in kinds and fitted(row)]
    tables = [_thinned(table) for _, table in sorted(groups(used).items())]
    if not tables:
        return start, {}
    first = np.log([max(getattr(start, name), 1e-9) for name in names])
    weight = 1.0 / np.sqrt(len(tables))

    def residuals(logs: Array) -> Array:
        style = _with(start, names, logs)
        parts = [weight / np.sqrt(len(table)) * np.log1p(errors(table, devices, style)) for table in tables]
        return np.concatenate([*parts, RIDGE * (logs - first)])

    bound = np.log([1.0 if name.endswith("_share") else MOST_BYTES if name.endswith("_bytes") else MOST_S
                    for name in names])
    found = least_squares(residuals, np.minimum(first, bound - 1e-6), bounds=(np.full(len(names), -30.0), bound),
                          loss="soft_l1", f_scale=ROBUST * weight / np.sqrt(MOST_ROWS), diff_step=1e-3)
    return _with(start, names, found.x), dict(zip(names, _standard_errors(found.jac, found.fun, len(names)),
                                                  strict=True))


def fitted(row: Row) -> bool:
    """Whether the row may be fitted: narrower formats, all-gathers and reduce-scatters are only checked."""
    return row.number_format in SIXTEEN_BIT and any(row.kind in kinds for kinds, _ in PARTS.values())


def fit(rows: Sequence[Row], devices: Mapping[str, Accelerator], start: LatencyStyle) -> LatencyStyle:
    """`start` with all parts fitted."""
    style = start
    for part in PARTS:
        style, _ = fit_part(part, rows, devices, style)
    return style


def fit_with_intervals(rows: Sequence[Row], devices: Mapping[str, Accelerator], start: LatencyStyle) -> (
        tuple[LatencyStyle, dict[str, Fitted]]):
    """All parts fitted, and each fitted constant with its interval.

    The interval spans two standard errors of the joint fit and the fits to each system and framework alone: how much a
    constant differs between the machines that were measured says more of the next one than the scatter of rows.
    """
    style, found = start, {}
    for part in PARTS:
        base_style, spread = fit_part(part, rows, devices, style)
        alone = [fit_part(part, few, devices, base_style)[0] for few in _by_source(rows, PARTS[part][0])]
        for name, error in spread.items():
            base = getattr(base_style, name)
            width = float(np.exp(min(2.0 * error, 1.0)))
            values = [base / width, base * width, *(getattr(one, name) for one in alone)]
            most = 1.0 if name.endswith("_share") else np.inf
            found[name] = Fitted(min(values), base, min(max(values), most))
        style = base_style
    return style, found


def _by_source(rows: Sequence[Row], kinds: Sequence[str]) -> list[list[Row]]:
    sources = sorted({(row.system, row.framework) for row in rows if row.kind in kinds})
    return [[row for row in rows if (row.system, row.framework) == source and row.kind in kinds] for source in sources]


def _thinned(table: list[Row]) -> list[Row]:
    ordered = sorted(table)
    places = np.unique(np.linspace(0, len(ordered) - 1, min(len(ordered), MOST_ROWS)).astype(int))
    return [ordered[place] for place in places]


def _with(style: LatencyStyle, names: Sequence[str], logs: Array) -> LatencyStyle:
    return style._replace(**dict(zip(names, np.exp(logs).tolist(), strict=True)))


def _standard_errors(jacobian: Array, residuals: Array, count: int) -> list[float]:
    """Square roots of the diagonal of the covariance, (J^T J)^-1 times the mean square of the residuals."""
    freedom = max(1, len(residuals) - count)
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * float(residuals @ residuals) / freedom
    errors_of_logs: list[float] = np.sqrt(np.maximum(0.0, np.diag(covariance))).tolist()
    return errors_of_logs
