"""The time of one operator: a floor, and the busiest of compute, HBM and L2."""

from __future__ import annotations

from typing import NamedTuple


class Operator(NamedTuple):
    """What one operator asks of one device.

    `weight_bytes` and `kv_cache_bytes` are read from HBM and may be read ahead of time; `other_bytes` may not:
    activations that do not fit in L2, second readings, and what is written. `rate_flops_per_s` and `floor_s` belong to
    its kind and style.
    """

    flops: float
    rate_flops_per_s: float
    floor_s: float
    weight_bytes: float
    kv_cache_bytes: float
    other_bytes: float
    l2_bytes: float


class OperatorTime(NamedTuple):
    """The time of an operator and its parts; `hidden_s` is what prefetching took off it."""

    time_s: float
    floor_s: float
    compute_s: float
    hbm_s: float
    l2_s: float
    link_s: float
    flops: float
    hbm_bytes: float
    l2_bytes: float
    link_bytes: float
    prefetched_bytes: float
    hidden_s: float


def hbm_bytes(operator: Operator) -> float:
    """Bytes that the operator moves to and from HBM when nothing was read ahead."""
    return operator.weight_bytes + operator.kv_cache_bytes + operator.other_bytes


def operator_time(operator: Operator, prefetched_bytes: float, hbm_bytes_per_s: float, l2_bytes_per_s: float) -> (
        OperatorTime):
    """Time of `operator` when `prefetched_bytes` of what it reads already lie in L2.

        t = floor + max( flops / rate, (hbm_bytes - prefetched) / hbm_bandwidth, l2_bytes / l2_bandwidth )

    Bandwidths are the achievable ones. Everything passes through L2, read ahead or not, so the L2 term does not change.
    """
    compute_s = operator.flops / operator.rate_flops_per_s
    l2_s = operator.l2_bytes / l2_bytes_per_s
    all_bytes = hbm_bytes(operator)
    moved_bytes = all_bytes - prefetched_bytes
    hbm_s = moved_bytes / hbm_bytes_per_s
    other_s = max(compute_s, l2_s)
    time_s = operator.floor_s + max(other_s, hbm_s)
    alone_s = operator.floor_s + max(other_s, all_bytes / hbm_bytes_per_s)
    return OperatorTime(time_s, operator.floor_s, compute_s, hbm_s, l2_s, 0.0, operator.flops, moved_bytes,
                        operator.l2_bytes, 0.0, prefetched_bytes, alone_s - time_s)
