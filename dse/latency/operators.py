"""The operators of a transformer layer, as work for one device."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.latency.machine import Machine
from dse.latency.memory import (
    Shard,
    key_width,
    kv_cache_bytes,
    matmul_l2_bytes,
    reread_bytes,
    spilled_bytes,
    value_width,
)
from dse.latency.roofline import Operator
from dse.latency.tiles import flat_rows, padded_rows, tiled
from dse.model.language_model import LanguageModel
from dse.workload import Precision

# FLOPs per element, counted from the definitions: add, square, sum, scale, weigh; sigmoid (exp, add, divide) and two
# products; weigh and add.
NORM_FLOPS = 5.0
ACTIVATION_FLOPS = 5.0
SUM_FLOPS = 2.0


class Tokens(NamedTuple):
    """What one pass works on: `sequences`, new tokens of each, and the tokens each has cached before the pass."""

    sequences: float
    new: float
    cached: float


def matmul(rows: float, inner: float, columns: float, on: Machine, precision: Precision) -> Operator:
    """rows x inner activations times inner x columns weights."""
    return grouped_matmul(1.0, rows, inner, columns, on, precision)


def grouped_matmul(count: float, rows: float, inner: float, columns: float, on: Machine, precision: Precision) -> (
        Operator):
    """`count` matrices of weights, each for `rows` activations of its own, in one kernel. FLOPs: 2 M N K each.

    Its compute is that of the tiles which cover the results, few rows by many columns or many by few, whichever take
    less; where they are fewer than the cores, the inner dimension may be split, for a longer floor. The floor holds the
    quantisation of the activations too. `count` and `rows` may be expected values, and then no whole numbers.
    """
    l2 = on.device.l2_bytes
    style = on.style
    again = reread_bytes(rows, inner, columns, precision.weight_bytes, precision.activation_bytes, l2)
    activations = rows * (inner * precision.activation_bytes + columns * precision.residual_bytes)
    through = matmul_l2_bytes(rows, inner, columns, precision.weight_bytes, precision.activation_bytes,
                              style.matmul_tile)
    flat, tall = flat_rows(rows, style), padded_rows(rows, style)
    wide = tiled(count * math.ceil(rows / flat), flat, style.matmul_wide_columns, inner, columns, on)
    narrow = tiled(count * math.ceil(rows / tall), tall, style.matmul_narrow_columns, inner, columns, on)
    floor_s = on.slowness * style.matmul_floor_s + quantise_s(count * rows * inner, on, precision)
    flops = 2.0 * count * rows * inner * columns
    return Operator(flops, flops / precision.matrix_rate, floor_s, min(wide.whole_s, narrow.whole_s),
                    floor_s + on.slowness * style.matmul_split_s, min(wide.split_s, narrow.split_s),
                    count * inner * columns * precision.weight_bytes, 0.0,
                    count * again + spilled_bytes(count * activations, l2),
                    count * (through + rows * columns * precision.residual_bytes), style.unhidden_bytes)


def exact_matmul(rows: float, inner: float, columns: float, on: Machine, precision: Precision) -> Operator:
    """A product that quantisation leaves as it leaves the residual stream: logits, a router.

    Its weights are in the residual stream's precision, and it runs at the 16-bit rate.
    """
    kept = precision.residual_bytes
    wide = Precision(kept, kept, precision.kv_cache_bytes, kept, 1.0)
    rate = on.matmul_flops_per_s / precision.matrix_rate
    exact = Machine(on.device, on.style, on.hbm_bytes_per_s, rate, on.attention_flops_per_s, on.vector_flops_per_s,
                    on.slowness)
    return matmul(rows, inner, columns, exact, wide)


def nothing() -> Operator:
    """An operator that a model does not have."""
    return Operator(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def quantise_s(elements: float, on: Machine, precision: Precision) -> float:
    """Time to bring activations into the narrower format of a matrix multiplication; nothing where there is none.

        kernels (vector_floor + elements residual_bytes / hbm_bandwidth)

    The scale is found while serving: a kernel for the largest element and one to convert, unless they are fused.
    """
    one_s = on.style.vector_floor_s + elements * precision.residual_bytes / on.hbm_bytes_per_s
    return on.style.quantise_kernels * one_s if precision.activation_bytes < precision.residual_bytes else 0.0


def vector(elements: float, flops_per_element: float, passes: float, on: Machine, precision: Precision) -> Operator:
    """An element-wise operator that reads or writes `elements` numbers of the residual stream `passes` times."""
    moved = elements * passes * precision.residual_bytes
    flops = elements * flops_per_element
    compute_s = flops / on.vector_flops_per_s
    floor_s = on.style.vector_floor_s
    return Operator(flops, flops, floor_s, compute_s, floor_s, compute_s, 0.0, 0.0,
                    spilled_bytes(moved, on.device.l2_bytes), moved, on.style.unhidden_bytes)


def attention(tokens: Tokens, model: LanguageModel, part: Shard, on: Machine, precision: Precision) -> Operator:
    """Rotary embedding, write to the cache, and fused causal attention over cached and new tokens.

    s (c + (s + 1) / 2) pairs of a query and a key that it may see, for each sequence and head, each of
    2 (key width + value width) FLOPs: 4 d, where both are d. The cache is read once; what is new is written. In a
    prompt the queries that fit in L2 at a time share one reading of the new keys and values: max(1, s d b / C) readings
    (Dao et al. 2022, theorem 2).

    Latent attention (arXiv 2405.04434): a prompt's keys and values are expanded from their latent vectors and attended
    as by any head. In decode all heads attend the latent vectors themselves, as if these were the keys and values of a
    single head: 2 (2 latent + rope) FLOPs a pair.

        floor = attention_floor + 2 (Q + K + V + O of the new tokens) / hbm_bandwidth

    A context is cut into parts that run side by side; their sum is in the floor. The last term is the pass that turns,
    places and stores queries, keys and values before the fused kernel starts; of those that were expanded from latent
    vectors it is the rotary elements of queries and keys, and the new latent vectors. The queries that share a KV head
    are multiplied together, at least attention_least_rows of them: fewer are padded.
    """
    style = on.style
    latent = model.kv_latent_width > 0.0
    absorbed = latent and tokens.cached > 0.0
    key = model.kv_latent_width + model.rope_width if absorbed else key_width(model)
    value = model.kv_latent_width if absorbed else value_width(model)
    pairs = tokens.sequences * tokens.new * (tokens.cached + 0.5 * (tokens.new + 1.0))
    cached = tokens.sequences * kv_cache_bytes(part, precision, tokens.cached)
    new = tokens.sequences * kv_cache_bytes(part, precision, tokens.new)
    one_query = tokens.new * key * precision.residual_bytes
    heads = tokens.sequences * part.query_heads
    queries = heads * tokens.new * (key + value) * precision.residual_bytes
    expanded = queries if latent and not absorbed else new
    l2 = on.device.l2_bytes
    spilled = spilled_bytes(queries + expanded * max(1.0, one_query / l2), l2)
    flops = 2.0 * (key + value) * part.query_heads * pairs
    of_a_head = 1.0 if latent else part.query_heads * 2.0 * model.head_width / part.kv_elements
    together = tokens.new * (part.query_heads if absorbed else of_a_head)
    compute_s = flops * max(1.0, style.attention_least_rows / together) / on.attention_flops_per_s
    rotary = 2.0 * heads * tokens.new * model.rope_width * precision.residual_bytes + new
    placed = rotary if latent and not absorbed else queries + expanded
    floor_s = on.slowness * style.attention_floor_s + 2.0 * placed / on.hbm_bytes_per_s
    return Operator(flops, flops, floor_s, compute_s, floor_s, compute_s, 0.0, cached, new + spilled,
                    cached + new + expanded + queries, style.unhidden_bytes)
