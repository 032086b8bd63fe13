"""What a pass makes one device do: FLOPs, and bytes through L2, HBM and links."""

from __future__ import annotations

from typing import NamedTuple

from dse.latency.phases import Pass, Setting, decode, decode_context, micro_batches, prefill
from dse.latency.roofline import OperatorTime


class Work(NamedTuple):
    """Amounts of work on one device."""

    flops: float
    l2_bytes: float
    hbm_bytes: float
    link_bytes: float


def operator_work(operator: OperatorTime) -> Work:
    """Work of one operator; what was read ahead crossed HBM all the same."""
    return Work(operator.flops, operator.l2_bytes, operator.hbm_bytes + operator.prefetched_bytes, operator.link_bytes)


def added(first: Work, second: Work) -> Work:
    """Both amounts together."""
    return Work(first.flops + second.flops, first.l2_bytes + second.l2_bytes, first.hbm_bytes + second.hbm_bytes,
                first.link_bytes + second.link_bytes)


def times(count: float, work: Work) -> Work:
    """`count` times the amount."""
    return Work(count * work.flops, count * work.l2_bytes, count * work.hbm_bytes, count * work.link_bytes)


def layer_work(one: Pass) -> Work:
    """Work of one layer."""
    first, second = one.attention, one.mlp
    attention = added(added(added(operator_work(first.attention_norm), operator_work(first.qkv)),
                            added(operator_work(first.attention), operator_work(first.output))),
                      operator_work(first.attention_all_reduce))
    mlp = added(added(added(operator_work(second.mlp_norm), operator_work(second.gate_up)),
                      added(operator_work(second.activation), operator_work(second.down))),
                operator_work(second.mlp_all_reduce))
    return added(attention, mlp)


def pass_work(one: Pass, stages: float) -> Work:
    """Work of one pass on one device, the mean over the pipeline's stages."""
    ends = one.ends
    first = added(operator_work(ends.embedding), operator_work(ends.embedding_all_reduce))
    last = added(operator_work(ends.final_norm), operator_work(ends.logits))
    around = added(first, added(last, operator_work(ends.logits_all_gather)))
    return times(1.0 / stages, added(times(one.layers, layer_work(one)), around))


def request_work(at: Setting, batch: float) -> Work:
    """Work of one device while a whole batch is served: the prefill, and the decode steps at their mean context.

    A step's work is piecewise linear in its context, and nearly linear throughout.
    """
    stages = at.parallelism.pipeline_parallel
    middle = decode_context(at.traffic, 7.5)
    steps = times(at.traffic.output_tokens - 1.0, pass_work(decode(at, batch, middle), stages))
    return times(micro_batches(batch, stages), added(pass_work(prefill(at, batch), stages), steps))
