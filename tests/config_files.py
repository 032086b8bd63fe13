"""Contents of `config.json` as published on huggingface.co, and what tests do with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def llama_like(architecture: str, width: int, ffn: int, layers: int, heads: int, kv_heads: int, vocabulary: int,
               **more: Any) -> dict[str, Any]:
    return {"architectures": [architecture], "hidden_size": width, "intermediate_size": ffn, "hidden_act": "silu",
            "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
            "vocab_size": vocabulary, "max_position_embeddings": 8192, "tie_word_embeddings": False, **more}


def opt(width: int, layers: int, heads: int, **more: Any) -> dict[str, Any]:
    return {"architectures": ["OPTForCausalLM"], "activation_function": "relu", "do_layer_norm_before": True,
            "ffn_dim": 4 * width, "hidden_size": width, "max_position_embeddings": 2048, "num_attention_heads": heads,
            "num_hidden_layers": layers, "vocab_size": 50272, "word_embed_proj_dim": width, **more}


LLAMA = llama_like("LlamaForCausalLM", 4096, 14336, 32, 32, 8, 128256)
QWEN = llama_like("Qwen2ForCausalLM", 3584, 18944, 28, 28, 4, 152064, max_position_embeddings=131072,
                  max_window_layers=28, sliding_window=131072, use_sliding_window=False)
GPT2_XL = {"architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new", "n_ctx": 1024, "n_embd": 1600,
           "n_head": 25, "n_layer": 48, "n_positions": 1024, "vocab_size": 50257}

# the figures of the files of the same name on huggingface.co
PUBLISHED = {
    "llama3_8b": LLAMA,
    "llama3_70b": llama_like("LlamaForCausalLM", 8192, 28672, 80, 64, 8, 128256, rope_theta=500000.0),
    "llama2_70b": llama_like("LlamaForCausalLM", 8192, 28672, 80, 64, 8, 32000, pretraining_tp=1),
    "llama2_7b": llama_like("LlamaForCausalLM", 4096, 11008, 32, 32, 32, 32000),
    "qwen2_7b": QWEN,
    "qwen2_72b": {**QWEN, "hidden_size": 8192, "intermediate_size": 29568, "num_hidden_layers": 80,
                  "num_attention_heads": 64, "num_key_value_heads": 8, "max_window_layers": 80},
    "phi3_medium": llama_like("Phi3ForCausalLM", 5120, 17920, 40, 40, 10, 32064, max_position_embeddings=131072,
                              sliding_window=131072),
    "opt_6_7b": opt(4096, 32, 32),
    "opt_13b": opt(5120, 40, 40),
    "opt_30b": opt(7168, 48, 56),
    "opt_66b": opt(9216, 64, 72),
}


def mixtral(width: int, ffn: int, layers: int, heads: int, longest: int) -> dict[str, Any]:
    return {**llama_like("MixtralForCausalLM", width, ffn, layers, heads, 8, 32000),
            "max_position_embeddings": longest, "model_type": "mixtral", "num_experts_per_tok": 2,
            "num_local_experts": 8, "output_router_logits": False, "router_aux_loss_coef": 0.02,
            "sliding_window": None}


def qwen3_moe(width: int, ffn: int, expert: int, layers: int, heads: int) -> dict[str, Any]:
    return {**llama_like("Qwen3MoeForCausalLM", width, ffn, layers, heads, 4, 151936),
            "decoder_sparse_step": 1, "head_dim": 128, "max_position_embeddings": 40960, "max_window_layers": layers,
            "mlp_only_layers": [], "model_type": "qwen3_moe", "moe_intermediate_size": expert, "norm_topk_prob": True,
            "num_experts": 128, "num_experts_per_tok": 8, "sliding_window": None, "use_sliding_window": False}


def deepseek(version: int, width: int, ffn: int, expert: int, layers: int, heads: int, vocabulary: int, experts: int,
             per_token: int, shared: int, first: int, query_latent: int | None = 1536) -> dict[str, Any]:
    name = f"DeepseekV{version}ForCausalLM"
    return {**llama_like(name, width, ffn, layers, heads, heads, vocabulary),
            "attention_bias": False, "ep_size": 1, "first_k_dense_replace": first, "kv_lora_rank": 512,
            "max_position_embeddings": 163840, "model_type": f"deepseek_v{version}", "moe_intermediate_size": expert,
            "moe_layer_freq": 1, "n_routed_experts": experts, "n_shared_experts": shared,
            "num_experts_per_tok": per_token, "q_lora_rank": query_latent, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128}


MIXTRAL = mixtral(4096, 14336, 32, 32, 32768)
QWEN2_MOE = {
    **llama_like("Qwen2MoeForCausalLM", 3584, 18944, 28, 28, 4, 151936), "decoder_sparse_step": 1,
    "max_position_embeddings": 131072, "max_window_layers": 28, "model_type": "qwen2_moe",
    "moe_intermediate_size": 2560, "norm_topk_prob": False, "num_experts": 64, "num_experts_per_tok": 8,
    "shared_expert_intermediate_size": 20480, "sliding_window": 131072, "use_sliding_window": False}
QWEN3_MOE = qwen3_moe(2048, 6144, 768, 48, 32)
DEEPSEEK_V2 = deepseek(2, 5120, 12288, 1536, 60, 128, 102400, 160, 6, 2, 1)
DEEPSEEK_V3 = {**deepseek(3, 7168, 18432, 2048, 61, 128, 129280, 256, 8, 1, 3), "num_nextn_predict_layers": 1,
               "quantization_config": {"fmt": "e4m3", "quant_method": "fp8", "weight_block_size": [128, 128]}}

MIXTURES = {
    "mixtral_8x7b": MIXTRAL,
    "mixtral_8x22b": mixtral(6144, 16384, 56, 48, 65536),
    "qwen2_57b_a14b": QWEN2_MOE,
    "qwen3_30b_a3b": QWEN3_MOE,
    "qwen3_235b_a22b": qwen3_moe(4096, 12288, 1536, 94, 64),
    "deepseek_v2_lite": deepseek(2, 2048, 10944, 1408, 27, 16, 102400, 64, 6, 2, 1, query_latent=None),
    "deepseek_v2": DEEPSEEK_V2,
    "deepseek_v3": DEEPSEEK_V3,
    "kimi_k2": {**deepseek(3, 7168, 18432, 2048, 61, 64, 163840, 384, 8, 1, 1), "model_type": "kimi_k2"},
}


def write(folder: Path, config: Any) -> Path:
    file = folder / "config.json"
    file.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
    return file


def without(config: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != key}
