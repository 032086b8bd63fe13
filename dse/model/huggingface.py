"""Reads the shape of a language model from the `config.json` of a Hugging Face checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dse.model.architectures import Architecture, architecture_of
from dse.model.config_file import ConfigFile, read_config_file
from dse.model.experts import expert_shape
from dse.model.latent_attention import latent_attention_shape

# what a model without experts and without latent attention has of them
NO_EXPERTS = dict.fromkeys(
    ("experts", "experts_per_token", "expert_width", "shared_expert_width", "dense_layers"), 0)
NO_LATENT = dict.fromkeys(("kv_latent_width", "query_latent_width", "rope_width", "value_width"), 0)


def model_mapping(path: str | Path) -> dict[str, Any]:
    """The group `model` that a `config.json` describes; `path` is the file or the folder that holds it.

    The shape is read, not the number format: that is the group `precision`. Layers that only predict further tokens
    (`num_nextn_predict_layers`) are no part of it. Raises InputError where the file cannot be read, lacks a field, or
    describes what is not supported: a sliding window that is shorter than the longest context, an encoder, an
    embedding narrower than the model, or an unknown architecture.
    """
    config = read_config_file(path)
    architecture = architecture_of(config)
    _refuse_window(config, architecture)
    _refuse_encoder(config)
    width = config.count(architecture.width_key)
    layers = config.count(architecture.layers_key)
    _refuse_projection(config, width)
    return {
        "name": config.path.absolute().parent.name,
        "layers": layers,
        "width": width,
        **_attention_shape(config, architecture, width),
        "ffn_width": _ffn_width(config, architecture, width),
        "gated": architecture.gated,
        "vocabulary": config.count("vocab_size"),
        "tied_embeddings": config.flag("tie_word_embeddings", architecture.tied),
        "positions": _positions(config, architecture),
        **(NO_EXPERTS if architecture.experts is None else expert_shape(config, architecture.experts, layers)),
    }


def _attention_shape(config: ConfigFile, architecture: Architecture, width: int) -> dict[str, int]:
    query_heads = config.count(architecture.heads_key)
    if architecture.latent is not None:
        return {"query_heads": query_heads, **latent_attention_shape(config, architecture.latent, query_heads)}
    return {
        "query_heads": query_heads,
        "kv_heads": _kv_heads(config, architecture, query_heads),
        "head_width": _head_width(config, architecture, width, query_heads),
        **NO_LATENT,
    }


def _kv_heads(config: ConfigFile, architecture: Architecture, query_heads: int) -> int:
    key = "num_key_value_heads"
    if not architecture.grouped or config.fields.get(key, architecture.kv_heads) is None:
        return query_heads
    kv_heads = config.count(key, architecture.kv_heads)
    if query_heads % kv_heads:
        raise config.fault(f"{key} is {kv_heads}, which must divide the {query_heads} query heads")
    return kv_heads


def _head_width(config: ConfigFile, architecture: Architecture, width: int, heads: int) -> int:
    key = "head_dim"
    if architecture.grouped and config.states(key):
        return config.count(key)
    if architecture.head_width is not None:
        return architecture.head_width
    if width % heads:
        raise config.fault(f"{architecture.width_key} is {width}, which must be a multiple of the {heads} query heads "
                           f"where no {key} is given")
    return width // heads


def _ffn_width(config: ConfigFile, architecture: Architecture, width: int) -> int:
    if architecture.ffn_over_width and not config.states(architecture.ffn_key):
        return architecture.ffn_over_width * width
    return config.count(architecture.ffn_key)


def _positions(config: ConfigFile, architecture: Architecture) -> int:
    if not architecture.positions_key:
        return 0
    return config.count(architecture.positions_key) + architecture.extra_positions


def _refuse_window(config: ConfigFile, architecture: Architecture) -> None:
    """InputError where some layer attends to a part of the context only: its KV reads would be counted too high."""
    window = config.fields.get("sliding_window", architecture.window)
    if not config.flag("use_sliding_window", architecture.windowed):
        window = None
    longest = config.fields.get("max_position_embeddings")
    inactive = window is None or (_is_number(window) and _is_number(longest) and window >= longest)
    kinds = config.fields.get("layer_types") or ["full_attention"]
    partial = [kind for kind in kinds if kind != "full_attention"] if isinstance(kinds, list) else [kinds]
    if not inactive or partial:
        found = f"layer_types {partial[0]!r}" if partial else f"sliding_window {window!r}"
        raise config.fault(f"{found} is not supported, only attention over the whole context is".replace("'", ""))


def _refuse_encoder(config: ConfigFile) -> None:
    """InputError where the model is not a decoder alone."""
    for key in ("is_encoder_decoder", "add_cross_attention"):
        if config.flag(key, False):
            raise config.fault(f"{key} is true, and only decoders are supported")


def _refuse_projection(config: ConfigFile, width: int) -> None:
    """InputError where the embedding is narrower than the residual stream (OPT-350M)."""
    narrow = config.fields.get("word_embed_proj_dim")
    if narrow is not None and narrow != width:
        raise config.fault(f"word_embed_proj_dim is {json.dumps(narrow)}, which is supported only where it equals the "
                           f"width {width}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
