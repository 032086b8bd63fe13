"""The first half of a transformer layer in time: attention with its projections."""

from __future__ import annotations

from typing import NamedTuple

from dse.latency.memory import key_width, value_width
from dse.latency.operators import NORM_FLOPS, Tokens, attention, grouped_matmul, matmul, nothing, vector
from dse.latency.roofline import Operator, OperatorTime
from dse.latency.step import Step, collective_beside, time_on
from dse.latency.window import ahead


class AttentionBlock(NamedTuple):
    """Operators from a layer's first norm to the collective that ends attention.

    `qkv` are the projections to queries, keys and values, or in latent attention those down to latent vectors, which
    `query_up`, `key_up` and `value_up` turn into heads.
    """

    attention_norm: OperatorTime
    attention_gather: OperatorTime
    qkv: OperatorTime
    query_up: OperatorTime
    key_up: OperatorTime
    attention: OperatorTime
    value_up: OperatorTime
    output: OperatorTime
    attention_reduce: OperatorTime


def attention_block(tokens: Tokens, at: Step) -> AttentionBlock:
    """Norm, projections, attention and output projection, with the collectives around them."""
    model, part, on, precision = at.model, at.part, at.on, at.precision
    latent = model.kv_latent_width > 0.0
    queries = part.query_heads * key_width(model)
    values = part.query_heads * value_width(model)
    heads_down = model.query_latent_width if model.query_latent_width > 0.0 else queries
    norm = vector(at.by.own_rows * model.width, NORM_FLOPS, 4.0, on, precision)
    qkv = matmul(at.rows, model.width, (heads_down if latent else queries) + part.kv_elements, on, precision)
    query_up = nothing()
    if model.query_latent_width > 0.0:
        query_up = matmul(at.rows, model.query_latent_width, queries, on, precision)
    key_up = latent_matmul(tokens, model.head_width, model.kv_latent_width, model.head_width, at)
    read = attention(tokens, model, part, on, precision)
    value_up = latent_matmul(tokens, model.kv_latent_width, value_width(model), value_width(model), at)
    output = matmul(at.rows, values, model.width, on, precision)
    weights, cache = at.technique.prefetch_weights, at.technique.prefetch_kv_cache
    all_weights = qkv.weight_bytes + query_up.weight_bytes + key_up.weight_bytes + value_up.weight_bytes
    brought = ahead(weights * (all_weights + output.weight_bytes) + cache * read.kv_cache_bytes, 0.0, 1.0,
                    at.windows.attention, at.technique)
    qkv_ahead = min(weights * qkv.weight_bytes, brought.saved_bytes)
    left = brought.saved_bytes - qkv_ahead
    query_ahead = min(weights * query_up.weight_bytes, left)
    left = left - query_ahead
    key_ahead = min(weights * key_up.weight_bytes, left)
    left = left - key_ahead
    kv_ahead = min(cache * read.kv_cache_bytes, left)
    left = left - kv_ahead
    value_ahead = min(weights * value_up.weight_bytes, left)
    output_ahead = min(weights * output.weight_bytes, left - value_ahead)
    projected, last = time_on(on, qkv, qkv_ahead), time_on(on, output, output_ahead)
    gather = collective_beside(at.by.attention_gather, brought.wasted_bytes, projected, at)
    return AttentionBlock(time_on(on, norm, 0.0), gather, projected, time_on(on, query_up, query_ahead),
                          time_on(on, key_up, key_ahead), time_on(on, read, kv_ahead),
                          time_on(on, value_up, value_ahead), last,
                          collective_beside(at.by.attention_reduce, 0.0, last, at))


def latent_matmul(tokens: Tokens, inner: float, columns: float, head: float, at: Step) -> Operator:
    """Between latent vectors and heads of `head` elements, with the same weights and FLOPs in prompts and in decode.

    A prompt's latent vector of each token is expanded to the keys or values of all heads. In decode each head has its
    own product, inner x columns: its query becomes a latent vector, or its attended latent vector an output.
    """
    heads, latent = at.part.query_heads, at.model.kv_latent_width
    absorbed = tokens.cached > 0.0
    return grouped_matmul(heads if absorbed else 1.0, at.rows, inner if absorbed else latent,
                          columns if absorbed else heads * head, at.on, at.precision) if latent > 0.0 else nothing()


def attention_block_s(block: AttentionBlock) -> float:
    """Time of the block."""
    before = block.attention_norm.time_s + block.attention_gather.time_s + block.qkv.time_s
    latent = block.query_up.time_s + block.key_up.time_s + block.value_up.time_s
    return before + block.attention.time_s + latent + block.output.time_s + block.attention_reduce.time_s
