"""What a pass makes one device do: FLOPs, and bytes through L2, HBM and links."""

from __future__ import annotations

from typing import NamedTuple

from dse.latency.attention_block import AttentionBlock
from dse.latency.expert_block import ExpertBlock
from dse.latency.mlp_block import MlpBlock
from dse.latency.phases import Pass, decode, decode_context, micro_batches, prefill
from dse.latency.roofline import OperatorTime
from dse.latency.setting import Setting


class Work(NamedTuple):
    """Amounts of work on one device; FLOPs as the 16-bit ones that take as much energy."""

    wide_flops: float
    l2_bytes: float
    hbm_bytes: float
    link_bytes: float


def operator_work(operator: OperatorTime) -> Work:
    """Work of one operator; what was read ahead crossed HBM all the same."""
    return Work(operator.wide_flops, operator.l2_bytes, operator.hbm_bytes + operator.prefetched_bytes,
                operator.link_bytes)


def added(first: Work, second: Work) -> Work:
    """Both amounts together."""
    return Work(first.wide_flops + second.wide_flops, first.l2_bytes + second.l2_bytes,
                first.hbm_bytes + second.hbm_bytes, first.link_bytes + second.link_bytes)


def times(count: float, work: Work) -> Work:
    """`count` times the amount."""
    return Work(count * work.wide_flops, count * work.l2_bytes, count * work.hbm_bytes, count * work.link_bytes)


def attention_work(first: AttentionBlock) -> Work:
    """Work of one layer's attention block."""
    before = added(added(operator_work(first.attention_norm), operator_work(first.attention_gather)),
                   operator_work(first.qkv))
    latent = added(added(operator_work(first.query_up), operator_work(first.key_up)), operator_work(first.value_up))
    after = added(operator_work(first.output), operator_work(first.attention_reduce))
    return added(added(before, latent), added(operator_work(first.attention), after))


def mlp_work(second: MlpBlock) -> Work:
    """Work of one layer's feed-forward network."""
    return added(added(added(operator_work(second.mlp_norm), operator_work(second.mlp_gather)),
                       added(operator_work(second.gate_up), operator_work(second.activation))),
                 added(operator_work(second.down), operator_work(second.mlp_reduce)))


def expert_work(second: ExpertBlock) -> Work:
    """Work of one layer's router and experts."""
    before = added(added(operator_work(second.expert_norm), operator_work(second.router)),
                   operator_work(second.dispatch))
    shared = added(added(operator_work(second.shared_gate_up), operator_work(second.shared_activation)),
                   operator_work(second.shared_down))
    experts = added(added(operator_work(second.expert_gate_up), operator_work(second.expert_activation)),
                    operator_work(second.expert_down))
    around = added(operator_work(second.expert_gather), operator_work(second.expert_sum))
    return added(added(before, shared), added(added(experts, around), operator_work(second.combine)))


def layers_work(one: Pass) -> Work:
    """Work of all layers."""
    attention = times(one.layers, attention_work(one.attention))
    return added(added(attention, times(one.dense_layers, mlp_work(one.mlp))),
                 times(one.layers - one.dense_layers, expert_work(one.experts)))


def pass_work(one: Pass, stages: float) -> Work:
    """Work of one pass on one device, the mean over the pipeline's stages."""
    ends = one.ends
    first = added(operator_work(ends.embedding), operator_work(ends.embedding_reduce))
    last = added(added(operator_work(ends.final_norm), operator_work(ends.final_gather)), operator_work(ends.logits))
    around = added(first, added(last, operator_work(ends.logits_all_gather)))
    return times(1.0 / stages, added(layers_work(one), around))


def request_work(at: Setting, batch: float) -> Work:
    """Work of one device while a whole batch is served: the prefill, and the decode steps at their mean context.

    A step's work is piecewise linear in its context, and nearly linear throughout.
    """
    stages = at.parallelism.pipeline_parallel
    middle = decode_context(at.traffic, 7.5)
    steps = times(at.traffic.output_tokens - 1.0, pass_work(decode(at, batch, middle), stages))
    return times(micro_batches(at.parallelism, batch), added(pass_work(prefill(at, batch), stages), steps))
