"""A device with its style: achievable rates, and how long its floors last."""

from __future__ import annotations

from typing import NamedTuple

from dse.hardware import Accelerator, matrix_flops_per_s, vector_flops_per_s
from dse.latency.style import LatencyStyle
from dse.workload import Precision


class Machine(NamedTuple):
    """The device with its style, and what follows from both: achievable rates, and how much longer floors last."""

    device: Accelerator
    style: LatencyStyle
    hbm_bytes_per_s: float
    matmul_flops_per_s: float
    attention_flops_per_s: float
    vector_flops_per_s: float
    slowness: float


def machine(device: Accelerator, style: LatencyStyle, precision: Precision) -> Machine:
    """Achievable rates of `device`: data-sheet peak times the style's share; attention multiplies in 16 bits."""
    peak = matrix_flops_per_s(device)
    return Machine(device, style, device.hbm_bytes_per_s * style.hbm_share,
                   peak * precision.matrix_rate * style.matmul_share, peak * style.attention_share,
                   vector_flops_per_s(device), slowness(device, style))


def slowness(device: Accelerator, style: LatencyStyle) -> float:
    """How much longer floors and start-ups last on `device` than stated: they take the same number of cycles."""
    return style.floor_clock_hz / device.clock_hz
