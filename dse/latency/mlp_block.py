"""The second half of a transformer layer in time: the feed-forward network that every token takes."""

from __future__ import annotations

from typing import NamedTuple

from dse.latency.operators import ACTIVATION_FLOPS, NORM_FLOPS, grouped_matmul, nothing, vector
from dse.latency.roofline import Operator, OperatorTime
from dse.latency.step import Step, collective_beside, time_on
from dse.latency.window import ahead


class MlpBlock(NamedTuple):
    """Operators from a layer's second norm to the collective that ends the layer."""

    mlp_norm: OperatorTime
    mlp_gather: OperatorTime
    gate_up: OperatorTime
    activation: OperatorTime
    down: OperatorTime
    mlp_reduce: OperatorTime


class FeedForward(NamedTuple):
    """The operators of one feed-forward network, or of several side by side."""

    gate_up: Operator
    activation: Operator
    down: Operator


def feed_forward(count: float, rows: float, columns: float, at: Step) -> FeedForward:
    """`count` feed-forward networks with `columns` elements between their matrices, each for `rows` tokens."""
    width, gates = at.model.width, 1.0 + at.model.gated
    return FeedForward(grouped_matmul(count, rows, width, gates * columns, at.on, at.precision),
                       vector(count * rows * columns, ACTIVATION_FLOPS, 1.0 + gates, at.on, at.precision),
                       grouped_matmul(count, rows, columns, width, at.on, at.precision))


def no_feed_forward() -> FeedForward:
    """That of a layer without one."""
    return FeedForward(nothing(), nothing(), nothing())


def second_norm(at: Step) -> OperatorTime:
    """The norm before a feed-forward network, over the tokens that the device has between two blocks."""
    norm = vector(at.by.own_rows * at.model.width, NORM_FLOPS, 4.0, at.on, at.precision)
    return time_on(at.on, norm, 0.0)


def mlp_block(at: Step) -> MlpBlock:
    """Norm, gate and up, activation and down, with the collectives around them."""
    weights = at.technique.prefetch_weights
    dense = feed_forward(1.0, at.by.all_rows, at.part.ffn_width, at)
    brought = ahead(weights * (dense.gate_up.weight_bytes + dense.down.weight_bytes), 0.0, 1.0, at.windows.mlp,
                    at.technique)
    gate_up_ahead = min(weights * dense.gate_up.weight_bytes, brought.saved_bytes)
    down_ahead = min(weights * dense.down.weight_bytes, brought.saved_bytes - gate_up_ahead)
    gate_up, down = time_on(at.on, dense.gate_up, gate_up_ahead), time_on(at.on, dense.down, down_ahead)
    gather = collective_beside(at.by.mlp_gather, brought.wasted_bytes, gate_up, at)
    return MlpBlock(second_norm(at), gather, gate_up, time_on(at.on, dense.activation, 0.0), down,
                    collective_beside(at.by.mlp_reduce, 0.0, down, at))


def mlp_block_s(block: MlpBlock) -> float:
    """Time of the block."""
    return (block.mlp_norm.time_s + block.mlp_gather.time_s + block.gate_up.time_s + block.activation.time_s
            + block.down.time_s + block.mlp_reduce.time_s)
