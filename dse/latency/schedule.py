"""One transformer layer in time: operators in order, collectives between them, and what is read ahead under these.

Under tensor parallelism a layer has two all-reduces. While one runs, the reads of the operators that follow it, up to
the next collective and in their order, may be brought from HBM into L2:

    before attention   QKV weights, KV-cache, output weights    under the all-reduce that ends the layer before
    before the MLP     gate and up weights, down weights        under the all-reduce that ends attention
"""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.latency.collectives import Collective, all_reduce
from dse.latency.machine import Machine
from dse.latency.memory import Shard
from dse.latency.operators import (
    ACTIVATION_FLOPS,
    NORM_FLOPS,
    Tokens,
    attention,
    matmul,
    vector,
)
from dse.latency.roofline import OperatorTime, operator_time
from dse.model.language_model import LanguageModel
from dse.technique.terms import TechniqueTerms
from dse.workload import Precision


class AttentionBlock(NamedTuple):
    """Operators from a layer's first norm to the all-reduce that ends attention."""

    attention_norm: OperatorTime
    qkv: OperatorTime
    attention: OperatorTime
    output: OperatorTime
    attention_all_reduce: OperatorTime


class MlpBlock(NamedTuple):
    """Operators from a layer's second norm to the all-reduce that ends the layer."""

    mlp_norm: OperatorTime
    gate_up: OperatorTime
    activation: OperatorTime
    down: OperatorTime
    mlp_all_reduce: OperatorTime


class Step(NamedTuple):
    """What the operators of one pass share: the machine, the model's part on it, and the layer's all-reduce."""

    on: Machine
    model: LanguageModel
    part: Shard
    precision: Precision
    technique: TechniqueTerms
    rows: float
    reduce: Collective
    window_bytes: float


def step(rows: float, devices: float, on: Machine, model: LanguageModel, part: Shard, precision: Precision,
         technique: TechniqueTerms) -> Step:
    """A pass over `rows` tokens with the all-reduces of `devices` in each layer."""
    message = rows * model.width * precision.residual_bytes
    reduce = all_reduce(message, devices, on.device, on.style)
    free = max(0.0, on.style.l2_usable_share * on.device.l2_bytes - 2.0 * message)
    readable = max(0.0, on.hbm_bytes_per_s * reduce.time_s - reduce.hbm_bytes)
    return Step(on, model, part, precision, technique, rows, reduce,
                window_bytes(free, readable, technique.prefetch_limit_bytes))


def window_bytes(free_bytes: float, readable_bytes: float, limit_bytes: float) -> float:
    """Bytes that one collective's window can leave in L2 for the operators after it.

        min( free, readable )                   with no limit of its own
        r = min( limit, readable ): min( r, 2 free - r ), at least 0

    `free_bytes`: usable L2 less what must stay in it, the collective's message on its way in and out.
    `readable_bytes`: what HBM can deliver while the collective runs, less what the collective itself moves. A limit
    set above what is free is obeyed, and each byte read beyond the free ones evicts another that was read before.
    """
    unlimited = min(free_bytes, readable_bytes)
    asked = min(limit_bytes, readable_bytes)
    kept = max(0.0, min(asked, 2.0 * free_bytes - asked))
    return unlimited if math.isinf(limit_bytes) else kept


def collective_time(collective: Collective) -> OperatorTime:
    """A collective as an entry of the schedule."""
    return OperatorTime(collective.time_s, collective.startup_s, 0.0, 0.0, 0.0, collective.link_s, 0.0,
                        collective.hbm_bytes, 0.0, collective.link_bytes, 0.0, 0.0)


def attention_block(tokens: Tokens, at: Step) -> AttentionBlock:
    """Norm, QKV, attention, output projection and all-reduce; reads ahead under the all-reduce before it."""
    model, part, on, precision = at.model, at.part, at.on, at.precision
    heads = part.query_heads * model.head_width
    keys = 2.0 * part.kv_heads * model.head_width
    norm = vector(at.rows * model.width, NORM_FLOPS, 4.0, on, precision)
    qkv = matmul(at.rows, model.width, heads + keys, on, precision)
    read = attention(tokens, model, part, on, precision)
    output = matmul(at.rows, heads, model.width, on, precision)
    qkv_ahead = min(at.technique.prefetch_weights * qkv.weight_bytes, at.window_bytes)
    left = at.window_bytes - qkv_ahead
    kv_ahead = min(at.technique.prefetch_kv_cache * read.kv_cache_bytes, left)
    left = left - kv_ahead
    output_ahead = min(at.technique.prefetch_weights * output.weight_bytes, left)
    hbm, l2 = on.hbm_bytes_per_s, on.device.l2_bytes_per_s
    return AttentionBlock(operator_time(norm, 0.0, hbm, l2), operator_time(qkv, qkv_ahead, hbm, l2),
                          operator_time(read, kv_ahead, hbm, l2), operator_time(output, output_ahead, hbm, l2),
                          collective_time(at.reduce))


def mlp_block(at: Step) -> MlpBlock:
    """Norm, gate and up, activation, down and all-reduce; reads ahead under the all-reduce before it."""
    model, part, on, precision = at.model, at.part, at.on, at.precision
    norm = vector(at.rows * model.width, NORM_FLOPS, 4.0, on, precision)
    gate_up = matmul(at.rows, model.width, (1.0 + model.gated) * part.ffn_width, on, precision)
    act = vector(at.rows * part.ffn_width, ACTIVATION_FLOPS, 2.0 + model.gated, on, precision)
    down = matmul(at.rows, part.ffn_width, model.width, on, precision)
    gate_up_ahead = min(at.technique.prefetch_weights * gate_up.weight_bytes, at.window_bytes)
    left = at.window_bytes - gate_up_ahead
    down_ahead = min(at.technique.prefetch_weights * down.weight_bytes, left)
    hbm, l2 = on.hbm_bytes_per_s, on.device.l2_bytes_per_s
    return MlpBlock(operator_time(norm, 0.0, hbm, l2), operator_time(gate_up, gate_up_ahead, hbm, l2),
                    operator_time(act, 0.0, hbm, l2), operator_time(down, down_ahead, hbm, l2),
                    collective_time(at.reduce))


def attention_block_s(block: AttentionBlock) -> float:
    """Time of the block."""
    return (block.attention_norm.time_s + block.qkv.time_s + block.attention.time_s + block.output.time_s
            + block.attention_all_reduce.time_s)


def mlp_block_s(block: MlpBlock) -> float:
    """Time of the block."""
    return (block.mlp_norm.time_s + block.gate_up.time_s + block.activation.time_s + block.down.time_s
            + block.mlp_all_reduce.time_s)
