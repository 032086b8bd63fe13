"""The mixture of experts that a Hugging Face `config.json` describes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import NamedTuple

from dse.model.config_file import ConfigFile

Placement = Callable[[ConfigFile, int], int]  # layers without experts, of a file with that many layers


class Experts(NamedTuple):
    """Where an architecture states its experts, and what its class takes where the file is silent.

    `number_keys` are the names of the number of experts, by version of the class. Those defaults: `number`,
    `per_token`, `width` and `shared`, None where the file must state it. What all tokens take beside the experts is as
    wide as `shared_key` says, or, with `shared_is_count`, as that many experts; an empty key means that there is none.
    """

    number_keys: tuple[str, ...]
    number: int | None
    per_token: int | None
    width: int | None
    dense_layers: Placement
    width_key: str = "moe_intermediate_size"
    shared_key: str = ""
    shared: int | None = None
    shared_is_count: bool = False


def expert_shape(config: ConfigFile, experts: Experts, layers: int) -> dict[str, int]:
    """The keys of the group `model` that describe the experts."""
    width = config.count(experts.width_key, experts.width)
    dense_layers = experts.dense_layers(config, layers)
    if dense_layers >= layers:
        raise config.fault(f"none of its {layers} layers has experts")
    return {
        **_number_of_experts(config, experts),
        "expert_width": width,
        "shared_expert_width": _shared_width(config, experts, width),
        "dense_layers": dense_layers,
    }


def _number_of_experts(config: ConfigFile, experts: Experts) -> dict[str, int]:
    stated = [key for key in experts.number_keys if key in config.fields]
    key = (stated or experts.number_keys)[0]
    number = config.count(key, experts.number)
    per_token = config.count("num_experts_per_tok", experts.per_token)
    if any(config.fields[other] != number for other in stated):
        raise config.fault(f"{' and '.join(stated)} differ: they name the same number of experts")
    if per_token > number:
        raise config.fault(f"num_experts_per_tok is {per_token}, more than the {number} experts of {key}")
    return {"experts": number, "experts_per_token": per_token}


def _shared_width(config: ConfigFile, experts: Experts, width: int) -> int:
    """Width of what all tokens take; a null in the file says that there is nothing."""
    key = experts.shared_key
    if not key or (key in config.fields and config.fields[key] is None):
        return 0
    stated = config.count(key, experts.shared, smallest=0)
    return stated * width if experts.shared_is_count else stated


def no_dense_layer(config: ConfigFile, layers: int) -> int:
    """Mixtral: every layer has experts."""
    return 0


def dense_layers_by_step(config: ConfigFile, layers: int) -> int:
    """Qwen: layers that `mlp_only_layers` lists or that are not at a multiple of `decoder_sparse_step`, from 1 on."""
    step = config.count("decoder_sparse_step", 1)
    listed = config.fields.get("mlp_only_layers") or []
    if not isinstance(listed, list) or not all(isinstance(layer, int) for layer in listed):
        raise config.fault(f"mlp_only_layers is {json.dumps(listed)} where a list of layers is needed")
    dealt = layers // step - len({layer for layer in listed if 0 <= layer < layers and (layer + 1) % step == 0})
    return layers - dealt


def dense_layers_first(default: int) -> Placement:
    """DeepSeek: the first `first_k_dense_replace` layers, then those that are not at a multiple of `moe_layer_freq`.

    Layers count from 0 here; `default` is what the class takes where the file does not state the first ones.
    """

    def dense_layers(config: ConfigFile, layers: int) -> int:
        first = config.count("first_k_dense_replace", default, smallest=0)
        step = config.count("moe_layer_freq", 1)
        return layers - (math.ceil(layers / step) - math.ceil(min(first, layers) / step))

    return dense_layers
