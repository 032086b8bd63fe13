"""Shapes with experts and with latent attention read from `config.json`: published files, defaults, refusals."""

from pathlib import Path
from typing import Any

import pytest
from builders import option
from config_files import DEEPSEEK_V2, DEEPSEEK_V3, LLAMA, MIXTRAL, MIXTURES, QWEN2_MOE, QWEN3_MOE, without, write

from dse.errors import InputError
from dse.model.architectures import ARCHITECTURES
from dse.model.huggingface import model_mapping
from dse.model.language_model import MODEL, language_model, model_group
from dse.model.parameter_count import parameter_count

EXPERTS = ("experts", "experts_per_token", "expert_width", "shared_expert_width", "dense_layers")
LATENT = ("kv_heads", "head_width", "kv_latent_width", "query_latent_width", "rope_width", "value_width")


def read(folder: Path, config: dict[str, Any], keys: tuple[str, ...]) -> tuple[int, ...]:
    mapping = model_mapping(write(folder, config))
    return tuple(mapping[key] for key in keys)


@pytest.mark.parametrize("name", sorted(MIXTURES))
def test_published_file_gives_the_shape_of_the_shipped_model(name: str, tmp_path: Path) -> None:
    shipped = language_model(option("model", name))
    file = write(tmp_path, MIXTURES[name])
    assert MODEL.read(model_mapping(file)) == shipped
    assert language_model({"huggingface": str(file)}) == shipped


def test_every_architecture_with_experts_is_read_from_a_published_file() -> None:
    read = {config["architectures"][0] for config in MIXTURES.values()}
    assert read == {name for name, architecture in ARCHITECTURES.items() if architecture.experts is not None}


def test_tiny_random_mixtral_by_hand(tmp_path: Path) -> None:
    """A width of 8 and 2 heads of 4: attention 8 x (4 + 2) x 4 = 192; 4 experts of 3 x 8 x 16 = 384 and a router of
    8 x 4 = 32, so 1,568; three layers of 1,760 and 2 x 10 x 8 = 160 of embeddings: 5,440.
    """
    config = {**MIXTRAL, "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 3,
              "intermediate_size": 16, "num_local_experts": 4, "vocab_size": 10}
    assert parameter_count(language_model({"huggingface": str(write(tmp_path, config))})) == 5440


def test_absent_fields_take_the_defaults_of_the_class(tmp_path: Path) -> None:
    stated = ("num_local_experts", "num_experts", "num_experts_per_tok", "moe_intermediate_size", "n_routed_experts",
              "n_shared_experts", "shared_expert_intermediate_size", "first_k_dense_replace", "moe_layer_freq",
              "decoder_sparse_step", "mlp_only_layers", "num_key_value_heads", "q_lora_rank", "kv_lora_rank",
              "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "tie_word_embeddings")

    def silent(config: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in config.items() if key not in stated}

    assert read(tmp_path, silent(MIXTRAL), EXPERTS) == (8, 2, 14336, 0, 0)
    assert read(tmp_path, silent(QWEN2_MOE) | {"num_attention_heads": 16}, EXPERTS) == (60, 4, 1408, 5632, 0)
    assert read(tmp_path, silent(QWEN3_MOE), EXPERTS) == (128, 8, 768, 0, 0)
    assert read(tmp_path, silent(DEEPSEEK_V3), EXPERTS) == (256, 8, 2048, 2048, 3)
    assert read(tmp_path, silent(DEEPSEEK_V3), LATENT) == (128, 128, 512, 1536, 64, 128)
    assert read(tmp_path, silent(MIXTRAL) | {"num_attention_heads": 64}, ("kv_heads",)) == (8,)
    assert read(tmp_path, silent(QWEN2_MOE) | {"num_attention_heads": 16}, ("kv_heads",)) == (16,)
    assert read(tmp_path, silent(QWEN3_MOE), ("kv_heads",)) == (4,)
    for config in (MIXTRAL, QWEN3_MOE, DEEPSEEK_V3):
        assert model_mapping(write(tmp_path, silent(config)))["tied_embeddings"] is False


@pytest.mark.parametrize("key", ["n_routed_experts", "num_experts_per_tok", "moe_intermediate_size",
                                 "n_shared_experts"])
def test_deepseek_v2_must_state_its_experts(key: str, tmp_path: Path) -> None:
    """The class in transformers and the one beside the checkpoint differ in what they take."""
    with pytest.raises(InputError, match=f"{key} is missing"):
        model_mapping(write(tmp_path, without(DEEPSEEK_V2, key)))


def test_deepseek_v2_has_no_dense_layer_where_its_file_states_none(tmp_path: Path) -> None:
    assert read(tmp_path, without(DEEPSEEK_V2, "first_k_dense_replace"), ("dense_layers",)) == (0,)


def test_names_of_the_number_of_experts_in_either_version(tmp_path: Path) -> None:
    renamed = {**without(QWEN3_MOE, "num_experts"), "num_local_experts": 64}
    assert read(tmp_path, renamed, ("experts",)) == (64,)
    assert read(tmp_path, {**QWEN3_MOE, "num_local_experts": 128}, ("experts",)) == (128,)
    assert read(tmp_path, {**without(MIXTRAL, "num_local_experts"), "num_experts": 16}, ("experts",)) == (16,)
    with pytest.raises(InputError, match="num_experts and num_local_experts differ"):
        model_mapping(write(tmp_path, {**QWEN3_MOE, "num_local_experts": 64}))


@pytest.mark.parametrize(("config", "dense_layers"), [
    ({**QWEN3_MOE, "decoder_sparse_step": 2}, 24),  # layers 2, 4, 6, ... of 48 have experts
    ({**QWEN3_MOE, "decoder_sparse_step": 5}, 39),  # 5, 10, ..., 45: 9 of 48 have
    ({**QWEN3_MOE, "mlp_only_layers": [0, 1, 47]}, 3),
    ({**QWEN3_MOE, "mlp_only_layers": [0, 1], "decoder_sparse_step": 2}, 25),  # layer 1, the second, had experts
    ({**QWEN3_MOE, "mlp_only_layers": None}, 0),
    ({**DEEPSEEK_V3, "first_k_dense_replace": 0}, 0),
    ({**DEEPSEEK_V3, "moe_layer_freq": 2}, 32),  # 4, 6, ..., 60 of 61 have experts: 29
    ({**DEEPSEEK_V3, "first_k_dense_replace": 0, "moe_layer_freq": 2}, 30),  # 0, 2, ..., 60: 31
])
def test_interleaved_layers_count_by_number(config: dict[str, Any], dense_layers: int, tmp_path: Path) -> None:
    assert read(tmp_path, config, ("dense_layers",)) == (dense_layers,)


def test_shared_experts_are_one_network_as_wide_as_together(tmp_path: Path) -> None:
    for number, width in ((2, 4096), (1, 2048), (0, 0), (None, 0)):
        assert read(tmp_path, {**DEEPSEEK_V3, "n_shared_experts": number}, ("shared_expert_width",)) == (width,)
    without_shared = {**QWEN2_MOE, "shared_expert_intermediate_size": 0}
    assert read(tmp_path, without_shared, ("shared_expert_width",)) == (0,)
    not_read = {**QWEN3_MOE, "shared_expert_intermediate_size": 512}  # the class of Qwen3 has no shared expert
    assert read(tmp_path, not_read, ("shared_expert_width",)) == (0,)


def test_queries_without_a_latent_vector_and_heads_of_other_widths(tmp_path: Path) -> None:
    assert read(tmp_path, {**DEEPSEEK_V3, "q_lora_rank": None}, LATENT) == (128, 128, 512, 0, 64, 128)
    other = {**DEEPSEEK_V3, "qk_nope_head_dim": 192, "v_head_dim": 256, "qk_rope_head_dim": 32, "kv_lora_rank": 256}
    assert read(tmp_path, other, LATENT) == (128, 192, 256, 1536, 32, 256)
    assert read(tmp_path, {**without(DEEPSEEK_V3, "num_key_value_heads"), "head_dim": 64}, LATENT) == (
        128, 128, 512, 1536, 64, 128)


@pytest.mark.parametrize(("config", "message"), [
    ({**MIXTRAL, "num_local_experts": 0}, "num_local_experts is 0 where a whole number >= 1 is needed"),
    ({**MIXTRAL, "num_local_experts": "8"}, 'num_local_experts is "8"'),
    ({**MIXTRAL, "num_experts_per_tok": 9}, "num_experts_per_tok is 9, more than the 8 experts of num_local_experts"),
    ({**MIXTRAL, "num_experts_per_tok": None}, "num_experts_per_tok is missing"),
    ({**MIXTRAL, "sliding_window": 4096}, "sliding_window 4096 is not supported"),
    ({**MIXTRAL, "num_key_value_heads": 5}, "num_key_value_heads is 5, which must divide the 32 query heads"),
    ({**QWEN2_MOE, "use_sliding_window": True, "sliding_window": 65536}, "sliding_window 65536 is not supported"),
    ({**QWEN2_MOE, "shared_expert_intermediate_size": -1}, "shared_expert_intermediate_size is -1 .* >= 0 is needed"),
    ({**QWEN2_MOE, "shared_expert_intermediate_size": True}, "shared_expert_intermediate_size is true"),
    ({**QWEN3_MOE, "moe_intermediate_size": 0}, "moe_intermediate_size is 0"),
    ({**QWEN3_MOE, "num_experts": 0}, "num_experts is 0"),
    ({**QWEN3_MOE, "decoder_sparse_step": 0}, "decoder_sparse_step is 0"),
    ({**QWEN3_MOE, "decoder_sparse_step": 49}, "none of its 48 layers has experts"),
    ({**QWEN3_MOE, "mlp_only_layers": list(range(48))}, "none of its 48 layers has experts"),
    ({**QWEN3_MOE, "mlp_only_layers": 3}, "mlp_only_layers is 3 where a list of layers is needed"),
    ({**QWEN3_MOE, "mlp_only_layers": ["0"]}, "mlp_only_layers is .* where a list of layers is needed"),
    ({**DEEPSEEK_V3, "first_k_dense_replace": 61}, "none of its 61 layers has experts"),
    ({**DEEPSEEK_V3, "n_routed_experts": 10**13}, "n_routed_experts is 10000000000000 where a whole number <= 1e"),
    ({**QWEN3_MOE, "num_hidden_layers": 10**400}, f"num_hidden_layers is {10**400} where a whole number <= 1e"),
    ({**DEEPSEEK_V3, "first_k_dense_replace": -1}, "first_k_dense_replace is -1 where a whole number >= 0"),
    ({**DEEPSEEK_V3, "moe_layer_freq": [0, 1, 1]}, r"moe_layer_freq is \[0, 1, 1\]"),
    ({**DEEPSEEK_V3, "n_routed_experts": None}, "n_routed_experts is missing"),
    ({**DEEPSEEK_V3, "n_shared_experts": 0.5}, "n_shared_experts is 0.5"),
    ({**DEEPSEEK_V3, "kv_lora_rank": None}, "kv_lora_rank is missing"),
    ({**DEEPSEEK_V3, "q_lora_rank": 0}, "q_lora_rank is 0"),
    ({**DEEPSEEK_V3, "qk_rope_head_dim": 0}, "qk_rope_head_dim is 0"),
    ({**DEEPSEEK_V3, "v_head_dim": "128"}, 'v_head_dim is "128"'),
    ({**DEEPSEEK_V3, "num_key_value_heads": 8}, "num_key_value_heads is 8, which must equal the 128 query heads"),
    ({**DEEPSEEK_V2, "use_mla": False}, "use_mla is false, and this architecture is supported with latent attention"),
])
def test_file_that_cannot_be_used_says_why_in_one_sentence(config: Any, message: str, tmp_path: Path) -> None:
    file = write(tmp_path, config)
    with pytest.raises(InputError, match=message) as caught:
        model_mapping(file)
    assert str(caught.value).startswith(f"model.huggingface={file} cannot be used: ")
    assert "\n" not in str(caught.value)


def test_dense_file_leaves_nothing_of_an_option_with_experts(tmp_path: Path) -> None:
    group = model_group({**option("model", "deepseek_v3"), "huggingface": str(write(tmp_path, LLAMA))})
    assert language_model(group) == language_model(option("model", "llama3_8b"))
    assert (group["parameters"], group["active_parameters"], group["note"]) == (None, None, None)


def test_what_the_user_sets_stands_above_the_file(tmp_path: Path) -> None:
    raw = {**option("model", "llama3_8b"), "huggingface": str(write(tmp_path, DEEPSEEK_V3)), "experts_per_token": 4}
    assert language_model(model_group(raw, {"huggingface", "experts_per_token"})).experts_per_token == 4.0
