"""Bytes: what an operator moves per memory level, and what must stay in HBM."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.model.language_model import LanguageModel
from dse.workload import Parallelism, Precision


class Shard(NamedTuple):
    """The part of a layer that one device holds; what does not divide is padded up.

    `kv_elements`: of one token's keys and values, or of its latent vector. `experts` are whole or split, each of
    `expert_width` here; `shared_width` is of what every token takes beside them.
    """

    query_heads: float
    kv_elements: float
    ffn_width: float
    vocabulary: float
    layers: float
    experts: float
    expert_width: float
    shared_width: float


def split(count: float, parts: float) -> float:
    """Elements of the largest part when `count` are dealt to `parts` devices: ceil(count / parts)."""
    return float(math.ceil(count / parts))


def stage_devices(parallelism: Parallelism) -> float:
    """Devices that share one layer's feed-forward network: all copies of attention, each on its devices."""
    return parallelism.tensor_parallel * parallelism.data_parallel


def expert_shards(parallelism: Parallelism) -> float:
    """Devices that share one expert: those of a stage over the parts that experts are dealt to, at least one."""
    return max(1.0, float(math.floor(stage_devices(parallelism) / parallelism.expert_parallel)))


def shard(model: LanguageModel, parallelism: Parallelism) -> Shard:
    """What one device holds: heads and vocabulary by tensor parallelism, layers by pipeline, columns of feed-forward
    networks by all devices of a stage, experts by expert parallelism and each one's columns by the devices left.

    Heads that do not divide are padded (40 query heads on 16 devices take 3 on each, as if there were 48), KV heads
    are replicated where there are fewer of them than devices, and so is the latent vector: the largest shard sets the
    pace. Where tokens are sent to their experts, each device has all of the shared one, for its own tokens.
    """
    tensor_parallel, devices = parallelism.tensor_parallel, stage_devices(parallelism)
    heads = 2.0 * split(model.kv_heads, tensor_parallel) * model.head_width
    latent = model.kv_latent_width + model.rope_width
    shared = split(model.shared_expert_width, devices)
    return Shard(split(model.query_heads, tensor_parallel), latent if model.kv_latent_width > 0.0 else heads,
                 split(model.ffn_width, devices), split(model.vocabulary, tensor_parallel),
                 split(model.layers, parallelism.pipeline_parallel), split(model.experts, parallelism.expert_parallel),
                 split(model.expert_width, expert_shards(parallelism)),
                 model.shared_expert_width if parallelism.all_to_all > 0.0 else shared)


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


def value_width(model: LanguageModel) -> float:
    """Elements of one head's value."""
    return model.value_width if model.value_width > 0.0 else model.head_width


def key_width(model: LanguageModel) -> float:
    """Elements of one head's query and key."""
    return model.head_width + model.rope_width


def attention_elements(model: LanguageModel, part: Shard) -> float:
    """Elements of the projections of one layer's attention on one device.

    grouped-query   width (2 H d + 2 H_kv d)
    latent          width (q + c + r) + q H (d + r) + c H (d + v) + H v width

    Without a query latent the queries' part is width H (d + r).
    """
    width, heads = model.width, part.query_heads
    grouped = width * (2.0 * heads * model.head_width + part.kv_elements)
    queries = heads * key_width(model)
    direct = width * queries
    through = model.query_latent_width * (width + queries)
    values = model.kv_latent_width * heads * (model.head_width + value_width(model))
    latent = ((through if model.query_latent_width > 0.0 else direct) + width * part.kv_elements + values
              + heads * value_width(model) * width)
    return latent if model.kv_latent_width > 0.0 else grouped


def dense_layers(model: LanguageModel) -> float:
    """Layers without experts: all of them where the model has none."""
    return model.dense_layers if model.experts > 0.0 else model.layers


class Stages(NamedTuple):
    """Layers without and with experts in the first stage of a pipeline, and in the fullest of the later ones."""

    first_dense: float
    first_mixed: float
    later_dense: float
    later_mixed: float


def stages(model: LanguageModel, part: Shard) -> Stages:
    """The dense layers come first; a later stage has as many layers as the first, or those that it leaves."""
    dense = dense_layers(model)
    first_dense = min(dense, part.layers)
    later = min(part.layers, model.layers - part.layers)
    later_mixed = min(later, model.layers - dense)
    return Stages(first_dense, part.layers - first_dense, later - later_mixed, later_mixed)


def weights_per_device_bytes(model: LanguageModel, part: Shard, parallelism: Parallelism, precision: Precision) -> (
        float):
    """Weights that one device keeps: its layers, and on the first or last pipeline stage an embedding matrix.

    The fullest stage counts: the first, with the dense layers, or a later one. Norms and biases (below 0.1 %) are left
    out. With a single stage, embedding and logits both count unless tied; they and the router are not quantised.
    """
    matrices = (2.0 + model.gated) * model.width
    attention = attention_elements(model, part)
    dense = matrices * part.ffn_width
    router = model.width * model.experts * precision.residual_bytes / precision.weight_bytes
    experts = matrices * (part.experts * part.expert_width + part.shared_width) + router
    by = stages(model, part)
    first = part.layers * attention + by.first_dense * dense + by.first_mixed * experts
    later = (by.later_dense + by.later_mixed) * attention + by.later_dense * dense + by.later_mixed * experts
    layers = max(first, later)
    kept = 2.0 - model.tied_embeddings if parallelism.pipeline_parallel == 1.0 else 1.0
    embedding = kept * part.vocabulary * model.width + model.positions * model.width
    return layers * precision.weight_bytes + embedding * precision.residual_bytes


def kv_cache_bytes(part: Shard, precision: Precision, tokens: float) -> float:
    """KV-cache of `tokens` tokens in one layer on one device: 2 x KV heads x head width, or the latent, x bytes."""
    return part.kv_elements * precision.kv_cache_bytes * tokens
