"""The multi-head latent attention that a Hugging Face `config.json` describes."""

from __future__ import annotations

from typing import NamedTuple

from dse.model.config_file import ConfigFile


class LatentAttention(NamedTuple):
    """What a class with latent attention takes where the file is silent.

    A head's key is `qk_nope_head_dim` (the head width) and `qk_rope_head_dim` elements, the latter one vector that all
    heads share; its value is `v_head_dim`. `kv_lora_rank` and `q_lora_rank` are the latent widths. The field
    `head_dim`, which some files hold, is the rotary part and not read.
    """

    kv_latent_width: int = 512
    query_latent_width: int = 1536
    head_width: int = 128
    rope_width: int = 64
    value_width: int = 128


def latent_attention_shape(config: ConfigFile, latent: LatentAttention, query_heads: int) -> dict[str, int]:
    """The keys of the group `model` that describe attention; `q_lora_rank` null: queries without a latent vector."""
    if not config.flag("use_mla", True):
        raise config.fault("use_mla is false, and this architecture is supported with latent attention only")
    if config.states("num_key_value_heads") and config.count("num_key_value_heads") != query_heads:
        raise config.fault(f"num_key_value_heads is {config.count('num_key_value_heads')}, which must equal the "
                           f"{query_heads} query heads in latent attention")
    query_latent = config.fields.get("q_lora_rank", latent.query_latent_width)
    return {
        "kv_heads": query_heads,
        "head_width": config.count("qk_nope_head_dim", latent.head_width),
        "kv_latent_width": config.count("kv_lora_rank", latent.kv_latent_width),
        "query_latent_width": 0 if query_latent is None else config.count("q_lora_rank", latent.query_latent_width),
        "rope_width": config.count("qk_rope_head_dim", latent.rope_width),
        "value_width": config.count("v_head_dim", latent.value_width),
    }
