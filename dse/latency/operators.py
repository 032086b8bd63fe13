"""The operators of a transformer layer, as work for one device."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.latency.machine import Machine
from dse.latency.memory import Shard, kv_cache_bytes, matmul_l2_bytes, reread_bytes, spilled_bytes
from dse.latency.roofline import Operator
from dse.latency.tiles import padded_rows, tiled
from dse.model.language_model import LanguageModel
from dse.workload import Precision

# FLOPs per element, counted from the definitions: add, square, sum, scale, weigh; and sigmoid (exp, add, divide) and
# two products.
NORM_FLOPS = 5.0
ACTIVATION_FLOPS = 5.0


class Tokens(NamedTuple):
    """What one pass works on: `sequences`, new tokens of each, and the tokens each has cached before the pass."""

    sequences: float
    new: float
    cached: float


def matmul(rows: float, inner: float, columns: float, on: Machine, precision: Precision) -> Operator:
    """rows x inner activations times inner x columns weights. FLOPs: 2 M N K.

    Its compute is that of the tiles which cover the result, wide or narrow ones, whichever take less; where they are
    fewer than the cores, the inner dimension may be split, for a longer floor. The floor holds the quantisation of the
    activations too.
    """
    l2 = on.device.l2_bytes
    style = on.style
    again = reread_bytes(rows, inner, columns, precision.weight_bytes, precision.activation_bytes, l2)
    activations = rows * (inner * precision.activation_bytes + columns * precision.residual_bytes)
    through = matmul_l2_bytes(rows, inner, columns, precision.weight_bytes, precision.activation_bytes,
                              style.matmul_tile)
    tile_rows = padded_rows(rows, style)
    row_tiles = math.ceil(rows / tile_rows)
    wide = tiled(row_tiles, tile_rows, style.matmul_wide_columns, inner, columns, on)
    narrow = tiled(row_tiles, tile_rows, style.matmul_narrow_columns, inner, columns, on)
    floor_s = on.slowness * style.matmul_floor_s + quantise_s(rows * inner, on, precision)
    return Operator(2.0 * rows * inner * columns, floor_s, min(wide.whole_s, narrow.whole_s),
                    floor_s + on.slowness * style.matmul_split_s, min(wide.split_s, narrow.split_s),
                    inner * columns * precision.weight_bytes, 0.0, again + spilled_bytes(activations, l2),
                    through + rows * columns * precision.residual_bytes)


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
    return Operator(flops, floor_s, compute_s, floor_s, compute_s, 0.0, 0.0,
                    spilled_bytes(moved, on.device.l2_bytes), moved)


def logits(rows: float, model: LanguageModel, part: Shard, on: Machine, precision: Precision) -> Operator:
    """The product with the vocabulary's matrix, which quantisation leaves as it leaves the residual stream.

    It is read in the residual stream's precision, as `weights_per_device_bytes` keeps it, and runs at the 16-bit rate.
    """
    kept = precision.residual_bytes
    wide = Precision(kept, kept, precision.kv_cache_bytes, kept, 1.0)
    rate = on.matmul_flops_per_s / precision.matrix_rate
    exact = Machine(on.device, on.style, on.hbm_bytes_per_s, rate, on.attention_flops_per_s, on.vector_flops_per_s,
                    on.slowness)
    return matmul(rows, model.width, part.vocabulary, exact, wide)


def attention(tokens: Tokens, model: LanguageModel, part: Shard, on: Machine, precision: Precision) -> Operator:
    """Rotary embedding, write to the cache, and fused causal attention over cached and new tokens.

    FLOPs: 4 d h per pair of a query and a key that it may see, s (c + (s + 1) / 2) pairs a sequence. The cache is read
    once; the new keys and values are written. In a prompt the queries that fit in L2 at a time share one reading of
    the new keys and values: max(1, s d b / C) readings a head (Dao et al. 2022, theorem 2).

        floor = attention_floor + attention_context sqrt(c) + 2 (Q + K + V + O of the new tokens) / hbm_bandwidth

    A context of c tokens is cut into parts that run side by side; what is serial, c / parts within a part and their sum
    after it, is least with sqrt(c) parts. The last term is the pass that turns, places and stores queries, keys and
    values before the fused kernel starts.
    """
    style = on.style
    pairs = tokens.sequences * tokens.new * (tokens.cached + 0.5 * (tokens.new + 1.0))
    cached = tokens.sequences * kv_cache_bytes(model, part, precision, tokens.cached)
    new = tokens.sequences * kv_cache_bytes(model, part, precision, tokens.new)
    query = tokens.new * model.head_width * precision.residual_bytes
    queries = 2.0 * tokens.sequences * part.query_heads * query
    l2 = on.device.l2_bytes
    spilled = spilled_bytes(queries + new * max(1.0, query / l2), l2)
    flops = 4.0 * model.head_width * part.query_heads * pairs
    compute_s = flops / on.attention_flops_per_s
    serial_s = style.attention_floor_s + style.attention_context_s * math.sqrt(tokens.cached)
    floor_s = on.slowness * serial_s + 2.0 * (queries + new) / on.hbm_bytes_per_s
    return Operator(flops, floor_s, compute_s, floor_s, compute_s, 0.0, cached, new + spilled,
                    cached + 2.0 * new + queries)
