"""The operators of a transformer layer, as work for one device."""

from __future__ import annotations

from typing import NamedTuple

from dse.hardware import Accelerator, matrix_flops_per_s, vector_flops_per_s
from dse.latency.memory import Shard, kv_cache_bytes, matmul_l2_bytes, reread_bytes, spilled_bytes
from dse.latency.roofline import Operator
from dse.latency.style import LatencyStyle
from dse.workload import LanguageModel, Precision

# FLOPs per element, counted from the definitions: add, square, sum, scale, weigh; and sigmoid (exp, add, divide) and
# two products.
NORM_FLOPS = 5.0
ACTIVATION_FLOPS = 5.0


class Machine(NamedTuple):
    """The device with its style, and the achievable rates that follow from both."""

    device: Accelerator
    style: LatencyStyle
    hbm_bytes_per_s: float
    matmul_flops_per_s: float
    attention_flops_per_s: float
    vector_flops_per_s: float


class Tokens(NamedTuple):
    """What one pass works on: `sequences`, new tokens of each, and the tokens each has cached before the pass."""

    sequences: float
    new: float
    cached: float


def machine(device: Accelerator, style: LatencyStyle, precision: Precision) -> Machine:
    """Achievable rates of `device`: data-sheet peak times the style's share; attention multiplies in 16 bits."""
    peak = matrix_flops_per_s(device)
    return Machine(device, style, device.hbm_bytes_per_s * style.hbm_share,
                   peak * precision.matrix_rate * style.matmul_share, peak * style.attention_share,
                   vector_flops_per_s(device))


def matmul(rows: float, inner: float, columns: float, on: Machine, precision: Precision) -> Operator:
    """rows x inner activations times inner x columns weights. FLOPs: 2 M N K."""
    l2 = on.device.l2_bytes
    again = reread_bytes(rows, inner, columns, precision.weight_bytes, precision.activation_bytes, l2)
    activations = rows * (inner * precision.activation_bytes + columns * precision.residual_bytes)
    through = matmul_l2_bytes(rows, inner, columns, precision.weight_bytes, precision.activation_bytes,
                              on.style.matmul_tile)
    return Operator(2.0 * rows * inner * columns, on.matmul_flops_per_s, on.style.matmul_floor_s,
                    inner * columns * precision.weight_bytes, 0.0, again + spilled_bytes(activations, l2),
                    through + rows * columns * precision.residual_bytes)


def vector(elements: float, flops_per_element: float, passes: float, on: Machine, precision: Precision) -> Operator:
    """An element-wise operator that reads or writes `elements` numbers of the residual stream `passes` times."""
    moved = elements * passes * precision.residual_bytes
    return Operator(elements * flops_per_element, on.vector_flops_per_s, on.style.vector_floor_s, 0.0, 0.0,
                    spilled_bytes(moved, on.device.l2_bytes), moved)


def logits(rows: float, model: LanguageModel, part: Shard, on: Machine, precision: Precision) -> Operator:
    """The product with the vocabulary's matrix, which quantisation leaves as it leaves the residual stream.

    It is read in the residual stream's precision, as `weights_per_device_bytes` keeps it, and runs at the 16-bit rate.
    """
    kept = precision.residual_bytes
    wide = Precision(kept, kept, precision.kv_cache_bytes, kept, 1.0)
    rate = on.matmul_flops_per_s / precision.matrix_rate
    exact = Machine(on.device, on.style, on.hbm_bytes_per_s, rate, on.attention_flops_per_s, on.vector_flops_per_s)
    return matmul(rows, model.width, part.vocabulary, exact, wide)


def attention(tokens: Tokens, model: LanguageModel, part: Shard, on: Machine, precision: Precision) -> Operator:
    """Rotary embedding and fused causal attention over cached and new tokens.

    FLOPs: 4 d h per pair of a query and a key that it may see, s (c + (s + 1) / 2) pairs a sequence. The cache is read
    once; the new keys and values are written. In a prompt the queries that fit in L2 at a time share one reading of
    the new keys and values: max(1, s d b / C) readings a head (Dao et al. 2022, theorem 2).
    """
    pairs = tokens.sequences * tokens.new * (tokens.cached + 0.5 * (tokens.new + 1.0))
    cached = tokens.sequences * kv_cache_bytes(model, part, precision, tokens.cached)
    new = tokens.sequences * kv_cache_bytes(model, part, precision, tokens.new)
    query = tokens.new * model.head_width * precision.residual_bytes
    queries = 2.0 * tokens.sequences * part.query_heads * query
    l2 = on.device.l2_bytes
    spilled = spilled_bytes(queries + new * max(1.0, query / l2), l2)
    return Operator(4.0 * model.head_width * part.query_heads * pairs, on.attention_flops_per_s,
                    on.style.attention_floor_s, 0.0, cached, new + spilled, cached + 2.0 * new + queries)
