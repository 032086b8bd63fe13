"""The time of one operator: a floor, the busiest of compute, HBM and L2, and what the others do not hide."""

from __future__ import annotations

from typing import NamedTuple


class Operator(NamedTuple):
    """What one operator asks of one device.

    `weight_bytes` and `kv_cache_bytes` are read from HBM and may be read ahead of time; `other_bytes` may not:
    activations that do not fit in L2, second readings, and what is written. There are two kernels to choose from, each
    with its floor and its time of compute; they are the same where an operator has one. `wide_flops` are the 16-bit
    FLOPs that take as much energy. `unhidden_bytes`: see `unhidden_share`.
    """

    flops: float
    wide_flops: float
    floor_s: float
    compute_s: float
    split_floor_s: float
    split_compute_s: float
    weight_bytes: float
    kv_cache_bytes: float
    other_bytes: float
    l2_bytes: float
    unhidden_bytes: float


class OperatorTime(NamedTuple):
    """The time of an operator and its parts; `hidden_s` is what the technique took off it."""

    time_s: float
    floor_s: float
    compute_s: float
    hbm_s: float
    l2_s: float
    link_s: float
    flops: float
    wide_flops: float
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
    """Time of `operator` when `prefetched_bytes` of what it reads already lie in L2, by the faster of its kernels.

        hbm = (hbm_bytes - prefetched) / hbm_bandwidth
        t   = floor + max( l2_bytes / l2_bandwidth, max( compute, hbm ) + unhidden_share min( compute, hbm ) )

    Bandwidths are the achievable ones. Everything passes through L2, read ahead or not, so the L2 term does not change.
    The last term: `unhidden_share`.
    `prefetched_bytes` is below 0 where reading ahead evicted more than it brought.
    """
    l2_s = operator.l2_bytes / l2_bytes_per_s
    all_bytes = hbm_bytes(operator)
    moved_bytes = all_bytes - prefetched_bytes
    hbm_s = moved_bytes / hbm_bytes_per_s
    unhidden = unhidden_share(operator)
    alone_s = kernel_s(operator, l2_s, all_bytes / hbm_bytes_per_s, unhidden)
    one_s = operator.floor_s + overlapped_s(operator.compute_s, l2_s, hbm_s, unhidden)
    split_s = operator.split_floor_s + overlapped_s(operator.split_compute_s, l2_s, hbm_s, unhidden)
    time_s = split_s if split_s < one_s else one_s
    floor_s = operator.split_floor_s if split_s < one_s else operator.floor_s
    compute_s = operator.split_compute_s if split_s < one_s else operator.compute_s
    return OperatorTime(time_s, floor_s, compute_s, hbm_s, l2_s, 0.0, operator.flops,
                        operator.wide_flops, moved_bytes, operator.l2_bytes, 0.0, max(0.0, prefetched_bytes),
                        alone_s - time_s)


def unhidden_share(operator: Operator) -> float:
    """Share of the shorter of compute and HBM that the longer leaves bare.

        unhidden_bytes / (unhidden_bytes + hbm_bytes)

    A tile cannot be multiplied before it is there nor, once all are, the last ones while others load: a beginning and
    an end, which weigh the less the more an operator reads between them; at `unhidden_bytes` they are half of it. More
    work is never faster: the share falls with the very bytes whose time grows, and more slowly than that grows.
    """
    return operator.unhidden_bytes / max(1.0, operator.unhidden_bytes + hbm_bytes(operator))


def kernel_s(operator: Operator, l2_s: float, hbm_s: float, unhidden: float) -> float:
    """Time of the faster kernel when L2 and HBM take as long as given."""
    return min(operator.floor_s + overlapped_s(operator.compute_s, l2_s, hbm_s, unhidden),
               operator.split_floor_s + overlapped_s(operator.split_compute_s, l2_s, hbm_s, unhidden))


def overlapped_s(compute_s: float, l2_s: float, hbm_s: float, unhidden: float) -> float:
    """The longer of compute and HBM with the share of the shorter that it does not hide, or L2 if it takes longer."""
    return max(l2_s, max(compute_s, hbm_s) + unhidden * min(compute_s, hbm_s))
