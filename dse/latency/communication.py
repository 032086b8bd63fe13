"""The collectives of a layer, by the kind of parallelism, and the windows that they open to reading ahead.

    all-reduce           attention and feed-forward network each end with one (tensor parallelism)
    reduce-scatter       each ends with it and begins with an all-gather; between the two a device has a share of the
                         tokens (sequence parallelism; data-parallel attention, whose copies gather all their tokens
                         for the feed-forward network)
    all-to-all           tokens are sent to the devices of their experts and come back (expert parallelism)
"""

from __future__ import annotations

from typing import NamedTuple

from dse.hardware import Accelerator
from dse.latency.collectives import Collective, all_gather, all_reduce, all_to_all, no_collective, reduce_scatter
from dse.latency.experts import copies_per_token
from dse.latency.machine import Machine
from dse.latency.memory import expert_shards, split, stage_devices
from dse.latency.style import LatencyStyle
from dse.latency.window import Window, readable_bytes, window
from dse.model.language_model import LanguageModel
from dse.workload import Parallelism, Precision


class Communication(NamedTuple):
    """The collectives before and after attention, feed-forward network and experts, and the bytes that pass them.

    `own_rows` are the tokens that a device has between two blocks, `all_rows` those of all copies of attention.
    """

    own_rows: float
    all_rows: float
    attention_gather: Collective
    attention_reduce: Collective
    mlp_gather: Collective
    mlp_reduce: Collective
    dispatch: Collective
    combine: Collective


class Windows(NamedTuple):
    """What may be read ahead before attention, before a feed-forward network, and before experts.

    `router_bytes` can be read until the router runs, which is before tokens are gathered or sent; `ended_rows` are the
    tokens of the message that ends a layer.
    """

    attention: Window
    mlp: Window
    experts: Window
    router_bytes: float
    ended_rows: float


def is_scattered(split_over: Parallelism) -> bool:
    """Whether tokens are dealt to the devices between two blocks."""
    return split_over.sequence_parallel > 0.0 or split_over.data_parallel > 1.0 or split_over.all_to_all > 0.0


def communication(rows: float, all_rows: float, split_over: Parallelism, device: Accelerator, style: LatencyStyle,
                  model: LanguageModel, precision: Precision) -> Communication:
    """The collectives of one layer of a pass over `rows` tokens of the fullest copy of attention, `all_rows` of all.

    Messages are of the residual stream's precision; tokens that are sent to their experts have that of the activations
    on the way there, as in DeepSeek-V3 (arXiv 2412.19437, 3.2.2).
    """
    scattered = is_scattered(split_over)
    devices, stage = split_over.tensor_parallel, stage_devices(split_over)
    token = model.width * precision.residual_bytes
    own_rows = split(rows, devices) if scattered else rows
    reduced = all_reduce(rows * token, devices, device, style)
    scatter = reduce_scatter(rows * token, devices, device, style)
    gather = all_gather(rows * token, devices, device, style)
    wide_gather = all_gather(all_rows * token, stage, device, style)
    wide_scatter = reduce_scatter(all_rows * token, stage, device, style)
    end = scatter if scattered else reduced
    mlp_gather = wide_gather if scattered else no_collective()
    mlp_reduce = wide_scatter if scattered else reduced
    back = sent_rows(own_rows, model, split_over) * token
    there = back * min(1.0, precision.activation_bytes / precision.residual_bytes)
    sends = split_over.all_to_all > 0.0
    dispatch = all_to_all(there, stage, device, style) if sends else mlp_gather
    combine = all_to_all(back, stage, device, style) if sends else mlp_reduce
    return Communication(own_rows, all_rows, gather if scattered else no_collective(), end, mlp_gather, mlp_reduce,
                         dispatch, combine)


def sent_rows(own_rows: float, model: LanguageModel, split_over: Parallelism) -> float:
    """Copies of its own tokens that a device sends: one to each part with an expert of theirs, and there to each device
    that has a share of it."""
    return own_rows * copies_per_token(model, split_over.expert_parallel) * expert_shards(split_over)


def arriving_rows(by: Communication, model: LanguageModel, split_over: Parallelism) -> float:
    """Tokens that reach a device for its experts: as many as it sends, or all of them where they are gathered."""
    return sent_rows(by.own_rows, model, split_over) if split_over.all_to_all > 0.0 else by.all_rows


def windows(rows: float, by: Communication, split_over: Parallelism, on: Machine, model: LanguageModel,
            precision: Precision) -> Windows:
    """The windows of a layer's collectives; a norm or a router between two of them reads next to nothing.

    The window before attention is that after a layer, with experts where the model has any: the first layer, and those
    after layers without experts, are few.
    """
    token = model.width * precision.residual_bytes
    arriving = arriving_rows(by, model, split_over)
    ended = arriving if model.experts > 0.0 else by.all_rows
    return Windows(window(last_collective(by, model), by.attention_gather, max(rows, ended) * token, on),
                   window(by.attention_reduce, by.mlp_gather, by.all_rows * token, on),
                   window(by.attention_reduce, by.dispatch, max(rows, arriving) * token, on),
                   readable_bytes(by.attention_reduce, on), ended)


def last_collective(by: Communication, model: LanguageModel) -> Collective:
    """What ends a layer."""
    return by.combine if model.experts > 0.0 else by.mlp_reduce
