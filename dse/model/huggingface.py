"""Reads the shape of a dense language model from the `config.json` of a Hugging Face checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dse.errors import InputError

FILE = "config.json"


class Architecture(NamedTuple):
    """Where an architecture states its shape, and what its class in transformers takes where the file is silent.

    Those defaults: `tied`; `kv_heads`, None for as many as query heads; `head_width`, None for the width split over the
    query heads; `window`, and whether there is one at all, `windowed`; `ffn_over_width`, 0 where the feed-forward width
    must be stated. Learned position embeddings are the value of `positions_key` and `extra_positions`. `gated` and
    `grouped` (key and value heads of their own number) are fixed by the architecture.
    """

    gated: bool
    tied: bool
    grouped: bool = True
    kv_heads: int | None = None
    head_width: int | None = None
    windowed: bool = True
    window: int | None = None
    layers_key: str = "num_hidden_layers"
    width_key: str = "hidden_size"
    heads_key: str = "num_attention_heads"
    ffn_key: str = "intermediate_size"
    ffn_over_width: int = 0
    positions_key: str = ""
    extra_positions: int = 0


# Defaults of the configuration classes of github huggingface/transformers, src/transformers/models.
ARCHITECTURES = {
    "GPT2LMHeadModel": Architecture(
        gated=False, tied=True, grouped=False, layers_key="n_layer", width_key="n_embd", heads_key="n_head",
        ffn_key="n_inner", ffn_over_width=4, positions_key="n_positions"),
    "GemmaForCausalLM": Architecture(gated=True, tied=True, kv_heads=16, head_width=256),
    "LlamaForCausalLM": Architecture(gated=True, tied=False),
    "MistralForCausalLM": Architecture(gated=True, tied=False, kv_heads=8, window=4096),
    "OPTForCausalLM": Architecture(
        gated=False, tied=True, grouped=False, ffn_key="ffn_dim", positions_key="max_position_embeddings",
        extra_positions=2),
    "Phi3ForCausalLM": Architecture(gated=True, tied=False),
    "Qwen2ForCausalLM": Architecture(gated=True, tied=False, kv_heads=32, windowed=False),
    "Qwen3ForCausalLM": Architecture(gated=True, tied=False, kv_heads=32, head_width=128, windowed=False),
}


def model_mapping(path: str | Path) -> dict[str, Any]:
    """The group `model` that a `config.json` describes; `path` is the file or the folder that holds it.

    The shape is read, not the number format: that is the group `precision`. Raises InputError where the file cannot be
    read, lacks a field, or describes an architecture that is not supported: a mixture of experts, latent attention, a
    sliding window that is shorter than the longest context, or an unknown one.
    """
    file = _file(path)
    config = _content(file)
    architecture = _architecture(file, config)
    _refuse_window(file, config, architecture)
    _refuse_encoder(file, config)
    width = _count(file, config, architecture.width_key)
    query_heads = _count(file, config, architecture.heads_key)
    _refuse_projection(file, config, width)
    return {
        "name": file.absolute().parent.name,
        "layers": _count(file, config, architecture.layers_key),
        "width": width,
        "query_heads": query_heads,
        "kv_heads": _kv_heads(file, config, architecture, query_heads),
        "head_width": _head_width(file, config, architecture, width, query_heads),
        "ffn_width": _ffn_width(file, config, architecture, width),
        "gated": architecture.gated,
        "vocabulary": _count(file, config, "vocab_size"),
        "tied_embeddings": _flag(file, config, "tie_word_embeddings", architecture.tied),
        "positions": _positions(file, config, architecture),
    }


def _file(path: str | Path) -> Path:
    if not isinstance(path, (str, Path)) or not str(path):
        raise InputError(f"model.huggingface={path!r} is not allowed: give the path of a {FILE} or of its folder")
    try:
        file = Path(path).expanduser()
        folder = file.is_dir()
        empty = folder and not (file / FILE).exists()
    except (OSError, RuntimeError) as fault:
        raise InputError(f"model.huggingface={path} cannot be read: {fault}") from fault
    if empty:
        raise InputError(f"model.huggingface={path} is not allowed: the folder holds no {FILE}")
    return file / FILE if folder else file


def _content(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputError(f"model.huggingface={file} cannot be read: {fault.strerror}") from fault
    except (ValueError, RecursionError) as fault:
        raise InputError(f"model.huggingface={file} is not valid JSON in UTF-8: {fault}") from fault
    if not isinstance(config, dict):
        raise InputError(f"model.huggingface={file} is not allowed: a {FILE} is a JSON object")
    return config


def _architecture(file: Path, config: Mapping[str, Any]) -> Architecture:
    named = config.get("architectures")
    name = named[0] if isinstance(named, list) and len(named) == 1 and isinstance(named[0], str) else None
    known = ", ".join(ARCHITECTURES)
    if name is None:
        raise InputError(f"model.huggingface={file} must name one architecture under architectures: {known}")
    if name not in ARCHITECTURES:
        raise InputError(f"model.huggingface={file} has the architecture {name}, which is not supported: give one of "
                         f"{known}, or describe the model by the other keys of the group model")
    return ARCHITECTURES[name]


def _count(file: Path, config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        fault = "is missing" if value is None else f"is {json.dumps(value)}"
        raise InputError(f"model.huggingface={file} cannot be used: {key} {fault} where a whole number >= 1 is needed")
    return value


def _flag(file: Path, config: Mapping[str, Any], key: str, default: bool) -> bool:
    value = config.get(key, default)
    if not isinstance(value, bool):
        raise InputError(f"model.huggingface={file} cannot be used: {key} is {json.dumps(value)} where true or false "
                         "is needed")
    return value


def _kv_heads(file: Path, config: Mapping[str, Any], architecture: Architecture, query_heads: int) -> int:
    key = "num_key_value_heads"
    if not architecture.grouped:
        return query_heads
    if config.get(key, architecture.kv_heads) is None:
        return query_heads
    kv_heads = _count(file, {key: architecture.kv_heads, **config}, key)
    if query_heads % kv_heads:
        raise InputError(f"model.huggingface={file} cannot be used: {key} is {kv_heads}, which must divide the "
                         f"{query_heads} query heads")
    return kv_heads


def _head_width(file: Path, config: Mapping[str, Any], architecture: Architecture, width: int, heads: int) -> int:
    key = "head_dim"
    if architecture.grouped and config.get(key) is not None:
        return _count(file, config, key)
    if architecture.head_width is not None:
        return architecture.head_width
    if width % heads:
        raise InputError(f"model.huggingface={file} cannot be used: {architecture.width_key} is {width}, which must be "
                         f"a multiple of the {heads} query heads where no {key} is given")
    return width // heads


def _ffn_width(file: Path, config: Mapping[str, Any], architecture: Architecture, width: int) -> int:
    if architecture.ffn_over_width and config.get(architecture.ffn_key) is None:
        return architecture.ffn_over_width * width
    return _count(file, config, architecture.ffn_key)


def _positions(file: Path, config: Mapping[str, Any], architecture: Architecture) -> int:
    if not architecture.positions_key:
        return 0
    return _count(file, config, architecture.positions_key) + architecture.extra_positions


def _refuse_window(file: Path, config: Mapping[str, Any], architecture: Architecture) -> None:
    """InputError where some layer attends to a part of the context only: its KV reads would be counted too high."""
    window = config.get("sliding_window", architecture.window)
    if not _flag(file, config, "use_sliding_window", architecture.windowed):
        window = None
    longest = config.get("max_position_embeddings")
    inactive = window is None or (_is_number(window) and _is_number(longest) and window >= longest)
    kinds = config.get("layer_types") or ["full_attention"]
    partial = [kind for kind in kinds if kind != "full_attention"] if isinstance(kinds, list) else [kinds]
    if not inactive or partial:
        found = f"layer_types {partial[0]!r}" if partial else f"sliding_window {window!r}"
        raise InputError(f"model.huggingface={file} cannot be used: {found} is not supported, only attention over the "
                         "whole context is".replace("'", ""))


def _refuse_encoder(file: Path, config: Mapping[str, Any]) -> None:
    """InputError where the model is not a decoder alone."""
    for key in ("is_encoder_decoder", "add_cross_attention"):
        if _flag(file, config, key, False):
            raise InputError(f"model.huggingface={file} cannot be used: {key} is true, and only decoders are supported")


def _refuse_projection(file: Path, config: Mapping[str, Any], width: int) -> None:
    """InputError where the embedding is narrower than the residual stream (OPT-350M)."""
    narrow = config.get("word_embed_proj_dim")
    if narrow is not None and narrow != width:
        raise InputError(f"model.huggingface={file} cannot be used: word_embed_proj_dim is {json.dumps(narrow)}, which "
                         f"is supported only where it equals the width {width}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
