"""Shapes read from `config.json`: published files, defaults of each class, and everything that is refused."""

from pathlib import Path
from typing import Any

import pytest
from builders import option
from config_files import GPT2_XL, LLAMA, PUBLISHED, llama_like, opt, without, write

from dse.errors import InputError
from dse.model.architectures import ARCHITECTURES
from dse.model.huggingface import model_mapping
from dse.model.language_model import MODEL, language_model, model_group

DENSE = sorted(name for name, architecture in ARCHITECTURES.items() if architecture.experts is None)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_file_gives_the_shape_of_the_shipped_model(name: str, tmp_path: Path) -> None:
    shipped = language_model(option("model", name))
    file = write(tmp_path, PUBLISHED[name])
    assert MODEL.read(model_mapping(file)) == shipped
    assert model_mapping(str(tmp_path)) == model_mapping(file)
    assert language_model({"huggingface": str(file)}) == shipped


def test_a_model_is_named_after_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "Some-Model-8B"
    folder.mkdir()
    write(folder, LLAMA)
    assert model_mapping(folder)["name"] == "Some-Model-8B"


def test_gpt2_xl_takes_four_widths_and_learned_positions(tmp_path: Path) -> None:
    read = model_mapping(write(tmp_path, GPT2_XL))
    assert read == {"name": tmp_path.name, "layers": 48, "width": 1600, "query_heads": 25, "kv_heads": 25,
                    "head_width": 64, "ffn_width": 6400, "gated": False, "vocabulary": 50257, "tied_embeddings": True,
                    "positions": 1024, "experts": 0, "experts_per_token": 0, "expert_width": 0,
                    "shared_expert_width": 0, "dense_layers": 0, "kv_latent_width": 0, "query_latent_width": 0,
                    "rope_width": 0, "value_width": 0}
    assert model_mapping(write(tmp_path, {**GPT2_XL, "n_inner": 100}))["ffn_width"] == 100


def test_opt_counts_the_two_positions_of_its_offset(tmp_path: Path) -> None:
    read = model_mapping(write(tmp_path, opt(4096, 32, 32)))
    assert (read["positions"], read["gated"], read["tied_embeddings"]) == (2050, False, True)


@pytest.mark.parametrize(("architecture", "kv_heads"), [
    ("LlamaForCausalLM", 64), ("Phi3ForCausalLM", 64), ("MistralForCausalLM", 8), ("Qwen2ForCausalLM", 32),
    ("Qwen3ForCausalLM", 32), ("GemmaForCausalLM", 16)])
def test_absent_kv_heads_take_the_default_of_the_class(architecture: str, kv_heads: int, tmp_path: Path) -> None:
    config = llama_like(architecture, 8192, 28672, 80, 64, 8, 1000, sliding_window=None)
    assert model_mapping(write(tmp_path, without(config, "num_key_value_heads")))["kv_heads"] == kv_heads
    assert model_mapping(write(tmp_path, {**config, "num_key_value_heads": None}))["kv_heads"] == 64


@pytest.mark.parametrize(("architecture", "head_width"), [
    ("LlamaForCausalLM", 128), ("Phi3ForCausalLM", 128), ("MistralForCausalLM", 128), ("Qwen2ForCausalLM", 128),
    ("Qwen3ForCausalLM", 128), ("GemmaForCausalLM", 256)])
def test_absent_head_width_takes_the_default_of_the_class(architecture: str, head_width: int, tmp_path: Path) -> None:
    config = llama_like(architecture, 8192, 28672, 80, 64, 8, 1000, sliding_window=None)
    assert model_mapping(write(tmp_path, config))["head_width"] == head_width
    assert model_mapping(write(tmp_path, {**config, "head_dim": 96}))["head_width"] == 96


def test_qwen3_keeps_heads_of_128_whatever_its_width(tmp_path: Path) -> None:
    """Qwen3-0.6B: 16 heads on a width of 1024 would be 64 wide if split."""
    config = llama_like("Qwen3ForCausalLM", 1024, 3072, 28, 16, 8, 151936, tie_word_embeddings=True,
                        use_sliding_window=False, sliding_window=None)
    assert model_mapping(write(tmp_path, config))["head_width"] == 128


@pytest.mark.parametrize("architecture", DENSE)
def test_absent_tie_takes_the_default_of_the_class(architecture: str, tmp_path: Path) -> None:
    config = {**GPT2_XL, **opt(1600, 2, 25), **llama_like(architecture, 1600, 256, 2, 25, 5, 100, head_dim=64,
                                                          sliding_window=None)}
    tied = {"GPT2LMHeadModel", "GemmaForCausalLM", "OPTForCausalLM"}
    assert model_mapping(write(tmp_path, without(config, "tie_word_embeddings")))["tied_embeddings"] == (
        architecture in tied)
    assert model_mapping(write(tmp_path, {**config, "tie_word_embeddings": True}))["tied_embeddings"] is True


@pytest.mark.parametrize("architecture", ["DeepseekV32ForCausalLM", "GptOssForCausalLM", "Phi3SmallForCausalLM",
                                          "Gemma2ForCausalLM", "T5ForConditionalGeneration"])
def test_architecture_that_is_not_supported_is_named(architecture: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"has the architecture {architecture}, which is not supported: give one of "
                                         "DeepseekV2ForCausalLM, DeepseekV3ForCausalLM, GPT2LMHeadModel"):
        model_mapping(write(tmp_path, {**LLAMA, "architectures": [architecture]}))


@pytest.mark.parametrize("change", [
    {"architectures": ["MistralForCausalLM"], "sliding_window": 4096, "max_position_embeddings": 32768},
    {"architectures": ["MistralForCausalLM"], "max_position_embeddings": 32768},  # the class takes 4096
    {"architectures": ["Phi3ForCausalLM"], "sliding_window": 2047, "max_position_embeddings": 4096},
    {"architectures": ["Qwen2ForCausalLM"], "use_sliding_window": True, "sliding_window": 4096},
    {"architectures": ["Qwen2ForCausalLM"], "use_sliding_window": True},  # the class takes 4096
    {"architectures": ["Qwen3ForCausalLM"], "layer_types": ["full_attention", "sliding_attention"]},
    {"sliding_window": "all"},
])
def test_active_sliding_window_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only attention over the whole context is"):
        model_mapping(write(tmp_path, {**LLAMA, **change}))


@pytest.mark.parametrize("change", [
    {"architectures": ["MistralForCausalLM"], "sliding_window": None},
    {"architectures": ["Phi3ForCausalLM"], "sliding_window": 8192},  # as long as the longest context
    {"architectures": ["Qwen2ForCausalLM"], "sliding_window": 4096},  # the class leaves it off
    {"architectures": ["Qwen3ForCausalLM"], "layer_types": ["full_attention"] * 32},
])
def test_window_without_effect_is_accepted(change: dict[str, Any], tmp_path: Path) -> None:
    assert model_mapping(write(tmp_path, {**LLAMA, **change}))["layers"] == 32


@pytest.mark.parametrize(("config", "message"), [
    ("{", "is not valid JSON in UTF-8"),
    ("", "is not valid JSON in UTF-8"),
    ("[" * 100000, "is not valid JSON in UTF-8"),
    ([LLAMA], "a config.json is a JSON object"),
    ({}, "must name one architecture under architectures"),
    ({"architectures": []}, "must name one architecture"),
    ({"architectures": "LlamaForCausalLM"}, "must name one architecture"),
    ({**LLAMA, "hidden_size": None}, "hidden_size is missing where a whole number >= 1 is needed"),
    (without(LLAMA, "vocab_size"), "vocab_size is missing"),
    ({**LLAMA, "num_hidden_layers": "32"}, "num_hidden_layers is \"32\" where a whole number >= 1 is needed"),
    ({**LLAMA, "num_hidden_layers": 32.5}, "num_hidden_layers is 32.5"),
    ({**LLAMA, "num_hidden_layers": True}, "num_hidden_layers is true"),
    ({**LLAMA, "intermediate_size": 0}, "intermediate_size is 0"),
    ({**LLAMA, "num_key_value_heads": 7}, "num_key_value_heads is 7, which must divide the 32 query heads"),
    ({**LLAMA, "num_attention_heads": 24}, "hidden_size is 4096, which must be a multiple of the 24 query heads"),
    ({**LLAMA, "head_dim": -1}, "head_dim is -1"),
    ({**LLAMA, "tie_word_embeddings": 1}, "tie_word_embeddings is 1 where true or false is needed"),
    ({**LLAMA, "is_encoder_decoder": True}, "is_encoder_decoder is true, and only decoders are supported"),
    (opt(1024, 24, 16, word_embed_proj_dim=512), "word_embed_proj_dim is 512"),
    (without(opt(1024, 24, 16), "max_position_embeddings"), "max_position_embeddings is missing"),
])
def test_file_that_cannot_be_used_says_why_in_one_sentence(config: Any, message: str, tmp_path: Path) -> None:
    file = write(tmp_path, config)
    with pytest.raises(InputError, match=message) as caught:
        model_mapping(file)
    assert str(caught.value).startswith(f"model.huggingface={file} ")
    assert "\n" not in str(caught.value)


def test_path_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the folder holds no config.json"):
        model_mapping(tmp_path)
    with pytest.raises(InputError, match="cannot be read: No such file or directory"):
        model_mapping(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be read"):
        model_mapping("x" * 5000)
    (tmp_path / "config.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not valid JSON in UTF-8"):
        model_mapping(tmp_path)


@pytest.mark.parametrize("bad", ["", 7, True, ["config.json"]])
def test_what_is_no_path_is_refused(bad: Any) -> None:
    with pytest.raises(InputError, match=r"give the path of a config.json or of its folder"):
        language_model({"huggingface": bad})


def test_file_replaces_the_option_but_not_what_the_user_set(tmp_path: Path) -> None:
    chosen = option("model", "llama3_70b")
    raw = {**chosen, "huggingface": str(write(tmp_path, LLAMA)), "layers": 2}
    assert language_model(raw).layers == 32.0
    group = model_group(raw, {"layers", "huggingface"})
    assert (group["layers"], group["width"], group["name"]) == (2, 4096, tmp_path.name)
    assert group["parameters"] is None
    assert language_model(group).layers == 2.0
    assert model_group(chosen, {"layers"}) == chosen


def test_unknown_key_beside_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model.depth is unknown"):
        language_model({"huggingface": str(write(tmp_path, LLAMA)), "depth": 3})
