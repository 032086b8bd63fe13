"""The architectures whose `config.json` can be read: where each states its shape, and its defaults."""

from __future__ import annotations

from typing import NamedTuple

from dse.errors import InputError
from dse.model.config_file import ConfigFile
from dse.model.experts import Experts, dense_layers_by_step, dense_layers_first, no_dense_layer
from dse.model.latent_attention import LatentAttention


class Architecture(NamedTuple):
    """Where an architecture states its shape, and what its class in transformers takes where the file is silent.

    Those defaults: `tied`; `kv_heads`, None for as many as query heads; `head_width`, None for the width split over the
    query heads; `window`, and whether there is one at all, `windowed`; `ffn_over_width`, 0 where the feed-forward width
    must be stated. Learned position embeddings are the value of `positions_key` and `extra_positions`. `gated` and
    `grouped` (key and value heads of their own number) are fixed by the architecture, and so is whether it has
    `experts` and `latent` attention.
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
    experts: Experts | None = None
    latent: LatentAttention | None = None


# Defaults of the configuration classes of github huggingface/transformers, src/transformers/models. Those for the
# experts of DeepSeek-V2 differ between that class and the one beside the checkpoint: its files must state them.
ARCHITECTURES = {
    "DeepseekV2ForCausalLM": Architecture(
        gated=True, tied=False, latent=LatentAttention(),
        experts=Experts(("n_routed_experts", "num_experts"), None, None, None, dense_layers_first(0),
                        shared_key="n_shared_experts", shared_is_count=True)),
    "DeepseekV3ForCausalLM": Architecture(
        gated=True, tied=False, latent=LatentAttention(),
        experts=Experts(("n_routed_experts", "num_local_experts"), 256, 8, 2048, dense_layers_first(3),
                        shared_key="n_shared_experts", shared=1, shared_is_count=True)),
    "GPT2LMHeadModel": Architecture(
        gated=False, tied=True, grouped=False, layers_key="n_layer", width_key="n_embd", heads_key="n_head",
        ffn_key="n_inner", ffn_over_width=4, positions_key="n_positions"),
    "GemmaForCausalLM": Architecture(gated=True, tied=True, kv_heads=16, head_width=256),
    "LlamaForCausalLM": Architecture(gated=True, tied=False),
    "MistralForCausalLM": Architecture(gated=True, tied=False, kv_heads=8, window=4096),
    "MixtralForCausalLM": Architecture(
        gated=True, tied=False, kv_heads=8,
        experts=Experts(("num_local_experts", "num_experts"), 8, 2, 14336, no_dense_layer,
                        width_key="intermediate_size")),
    "OPTForCausalLM": Architecture(
        gated=False, tied=True, grouped=False, ffn_key="ffn_dim", positions_key="max_position_embeddings",
        extra_positions=2),
    "Phi3ForCausalLM": Architecture(gated=True, tied=False),
    "Qwen2ForCausalLM": Architecture(gated=True, tied=False, kv_heads=32, windowed=False, window=4096),
    "Qwen2MoeForCausalLM": Architecture(
        gated=True, tied=False, kv_heads=16, windowed=False, window=4096,
        experts=Experts(("num_experts", "num_local_experts"), 60, 4, 1408, dense_layers_by_step,
                        shared_key="shared_expert_intermediate_size", shared=5632)),
    "Qwen3ForCausalLM": Architecture(
        gated=True, tied=False, kv_heads=32, head_width=128, windowed=False, window=4096),
    "Qwen3MoeForCausalLM": Architecture(
        gated=True, tied=False, kv_heads=4, windowed=False, window=4096,
        experts=Experts(("num_experts", "num_local_experts"), 128, 8, 768, dense_layers_by_step)),
}


def architecture_of(config: ConfigFile) -> Architecture:
    """The one architecture that the file names; InputError where it is unknown."""
    named = config.fields.get("architectures")
    name = named[0] if isinstance(named, list) and len(named) == 1 and isinstance(named[0], str) else None
    known = ", ".join(ARCHITECTURES)
    if name is None:
        raise InputError(f"model.huggingface={config.path} must name one architecture under architectures: {known}")
    if name not in ARCHITECTURES:
        raise InputError(f"model.huggingface={config.path} has the architecture {name}, which is not supported: give "
                         f"one of {known}, or describe the model by the other keys of the group model")
    return ARCHITECTURES[name]
