"""Bytes: what an operator moves per memory level, and what must stay in HBM."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.model.language_model import LanguageModel
from dse.workload import Parallelism, Precision


class Shard(NamedTuple):
    """The part of a layer that one device holds; what does not divide is padded up."""

    query_heads: float
    kv_heads: float
    ffn_width: float
    vocabulary: float
    layers: float


def split(count: float, parts: float) -> float:
    """Elements of the largest part when `count` are dealt to `parts` devices: ceil(count / parts)."""
    return float(math.ceil(count / parts))


def shard(model: LanguageModel, parallelism: Parallelism) -> Shard:
    """What one device holds: heads, feed-forward columns and vocabulary by tensor parallelism, layers by pipeline.

    Heads that do not divide are padded (40 query heads on 16 devices take 3 on each, as if there were 48) and KV heads
    are replicated where there are fewer of them than devices: the largest shard sets the pace.
    """
    tensor_parallel = parallelism.tensor_parallel
    return Shard(split(model.query_heads, tensor_parallel), split(model.kv_heads, tensor_parallel),
                 split(model.ffn_width, tensor_parallel), split(model.vocabulary, tensor_parallel),
                 split(model.layers, parallelism.pipeline_parallel))


def reread_bytes(rows: float, inner: float, columns: float, weight_bytes: float, activation_bytes: float,
                 l2_bytes: float) -> float:
    """HBM bytes that rows x inner by inner x columns moves beyond reading each of its inputs once; never negative.

        2 M N K b / sqrt(C / b) - (K N b_w + M K b_a),  b = (b_a + b_w) / 2

    With an L2 of C bytes a blocked multiplication cannot move less than about 2 M N K / sqrt(C / b) elements of its two
    inputs (Hong and Kung 1981; Irony, Toledo and Tiskin 2004).
    """
    mean_bytes = 0.5 * (activation_bytes + weight_bytes)
    blocked = 2.0 * rows * inner * columns * mean_bytes / math.sqrt(l2_bytes / mean_bytes)
    return max(0.0, blocked - (inner * columns * weight_bytes + rows * inner * activation_bytes))


def matmul_l2_bytes(rows: float, inner: float, columns: float, weight_bytes: float, activation_bytes: float,
                    tile: float) -> float:
    """Bytes that cores read from L2 when each keeps a tile x tile block of the result: M N K (b_a + b_w) / tile.

    Never less than each input once.
    """
    once = rows * inner * activation_bytes + inner * columns * weight_bytes
    return max(once, rows * inner * columns * (activation_bytes + weight_bytes) / tile)


def spilled_bytes(activation_bytes: float, l2_bytes: float) -> float:
    """Bytes of activations that pass through HBM: what does not fit in L2. Upper bound of reuse, exact at both ends."""
    return max(0.0, activation_bytes - l2_bytes)


def weights_per_device_bytes(model: LanguageModel, part: Shard, parallelism: Parallelism, precision: Precision) -> (
        float):
    """Weights that one device keeps: its layers, and on the first or last pipeline stage an embedding matrix.

    Norms and biases (below 0.1 %) are left out. With a single stage, embedding and logits both count unless tied.
    """
    heads = 2.0 * part.query_heads + 2.0 * part.kv_heads
    layer = model.width * (heads * model.head_width + (2.0 + model.gated) * part.ffn_width)
    matrices = 2.0 - model.tied_embeddings if parallelism.pipeline_parallel == 1.0 else 1.0
    embedding = matrices * part.vocabulary * model.width + model.positions * model.width
    return part.layers * layer * precision.weight_bytes + embedding * precision.residual_bytes


def kv_cache_bytes(model: LanguageModel, part: Shard, precision: Precision, tokens: float) -> float:
    """KV-cache of `tokens` tokens in one layer on one device: 2 x KV heads x head width x bytes."""
    return 2.0 * part.kv_heads * model.head_width * precision.kv_cache_bytes * tokens
