"""The shipped models against their published parameter counts."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from dse.errors import InputError
from dse.latency.memory import kv_cache_bytes, shard, weights_per_device_bytes
from dse.model.language_model import LanguageModel, language_model
from dse.model.parameter_count import (
    active_parameter_count,
    attention_elements,
    embedding_elements,
    feed_forward_elements,
    latent_attention_elements,
    mixture_elements,
    parameter_count,
)
from dse.workload import Parallelism, Precision

FOLDER = Path(__file__).parents[1] / "conf"
MODELS = sorted(path.stem for path in (FOLDER / "model").glob("*.yaml"))
MIXTURES = [name for name in MODELS if "experts:" in (FOLDER / "model" / f"{name}.yaml").read_text()]
# The paper rounds to "13.0B"; its own shape (40 layers of 5120, table 1) gives 12.85 billion, 1.15 % less.
TOLERANCE = {"opt_13b": 0.012}
SIXTEEN_BIT = Precision(2.0, 2.0, 2.0, 2.0, 1.0)


def group(name: str, option: str) -> dict[str, Any]:
    raw: Any = OmegaConf.to_container(OmegaConf.load(FOLDER / name / f"{option}.yaml"))
    return dict(raw)


def model(name: str) -> LanguageModel:
    return language_model(group("model", name))


def test_the_models_that_are_shipped() -> None:
    assert MODELS == ["deepseek_v2", "deepseek_v2_lite", "deepseek_v3", "gpt3_175b", "kimi_k2", "llama2_70b",
                      "llama2_7b", "llama3_70b", "llama3_8b", "mixtral_8x22b", "mixtral_8x7b", "opt_13b", "opt_30b",
                      "opt_66b", "opt_6_7b", "phi3_medium", "phi3_small", "qwen2_57b_a14b", "qwen2_72b", "qwen2_7b",
                      "qwen3_235b_a22b", "qwen3_30b_a3b"]
    assert MIXTURES == ["deepseek_v2", "deepseek_v2_lite", "deepseek_v3", "kimi_k2", "mixtral_8x22b", "mixtral_8x7b",
                        "qwen2_57b_a14b", "qwen3_235b_a22b", "qwen3_30b_a3b"]


@pytest.mark.parametrize("name", MODELS)
def test_model_meets_its_published_parameter_count(name: str) -> None:
    raw = group("model", name)
    assert raw["name"] == name
    assert parameter_count(model(name)) == pytest.approx(raw["parameters"], rel=TOLERANCE.get(name, 0.01))


@pytest.mark.parametrize("name", [name for name in MODELS if not name.startswith(("opt", "gpt", "qwen2_57b"))])
def test_norms_and_biases_are_below_a_twentieth_of_a_percent(name: str) -> None:
    """Where the checkpoint's tensors were counted, what our count leaves out is norms and biases alone."""
    published = group("model", name)["parameters"]
    assert 0.0 < (published - parameter_count(model(name))) / published < 0.0005


# Norms, and what else is a vector, of the checkpoints whose tensors were counted.
VECTORS = {
    "mixtral_8x7b": 65 * 4096,  # two norms a layer and the last one
    "mixtral_8x22b": 113 * 6144,
    "qwen3_30b_a3b": 97 * 2048 + 48 * 2 * 128,  # and a norm over the heads of queries and of keys
    "qwen3_235b_a22b": 189 * 4096 + 94 * 2 * 128,
    "deepseek_v2_lite": 55 * 2048 + 27 * 512,  # and one of the latent vector
    "deepseek_v2": 121 * 5120 + 60 * (1536 + 512),  # of both latent vectors
    "deepseek_v3": 123 * 7168 + 61 * (1536 + 512) + 58 * 256,  # and a bias a routed expert
    "kimi_k2": 123 * 7168 + 61 * (1536 + 512) + 60 * 384,
}


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_matrices_and_vectors_make_the_checkpoint_to_the_element(name: str) -> None:
    assert parameter_count(model(name)) + VECTORS[name] == group("model", name)["parameters"]


@pytest.mark.parametrize("name", MIXTURES)
def test_active_parameters_meet_the_published_figure(name: str) -> None:
    """Within 2.2 %: published with two or three digits, some of them cut rather than rounded (2.45 to 2.4 billion).

    DeepSeek's and Moonshot's figures are met without the token embedding, the others with it.
    """
    read = model(name)
    looked_up = read.vocabulary * read.width if read.kv_latent_width else 0.0
    assert active_parameter_count(read) - looked_up == pytest.approx(
        float(group("model", name)["active_parameters"]), rel=0.022)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in MIXTURES])
def test_every_parameter_of_a_dense_model_is_active(name: str) -> None:
    assert active_parameter_count(model(name)) == parameter_count(model(name))


def test_parameter_count_of_mixtral_8x7b_by_hand() -> None:
    """A layer: attention 4096 x (2 x 32 + 2 x 8) x 128 = 41,943,040; router 4096 x 8 = 32,768; an expert 3 x 4096 x
    14336 = 176,160,768. 32 x (41,943,040 + 32,768 + 8 x 176,160,768) + 2 x 32000 x 4096 = 46,702,526,464; with two
    experts 12,879,659,008.
    """
    mixtral = model("mixtral_8x7b")
    assert attention_elements(mixtral) == 41_943_040
    assert mixture_elements(mixtral, 8.0) == 32_768 + 8 * 176_160_768
    assert parameter_count(mixtral) == 46_702_526_464
    assert active_parameter_count(mixtral) == 12_879_659_008


def test_latent_attention_of_deepseek_by_hand() -> None:
    """V3: queries 7168 x 1536 + 1536 x 128 x 192 = 48,758,784; latent 7168 x 576 = 4,128,768; keys and values
    512 x 128 x 256 = 16,777,216; output 128 x 128 x 7168 = 117,440,512; together 187,105,280.
    V2-Lite has no latent queries: 2048 x 16 x 192 + 2048 x 576 + 512 x 16 x 256 + 16 x 128 x 2048 = 13,762,560.
    """
    assert attention_elements(model("deepseek_v3")) == 187_105_280
    assert attention_elements(model("deepseek_v2_lite")) == 13_762_560
    narrow = model("deepseek_v3")._replace(value_width=0.0)  # as wide as the head
    assert latent_attention_elements(narrow) == 187_105_280
    assert latent_attention_elements(narrow._replace(value_width=64.0)) == 187_105_280 - 64 * 128 * (512 + 7168)


def test_layers_without_experts_and_shared_experts_count() -> None:
    """DeepSeek-V3: 3 layers of 3 x 7168 x 18432 = 396,361,728; 58 of a router, 1,835,008, and 256 + 1 experts of
    44,040,192; 61 of attention 187,105,280; 2 x 129280 x 7168 = 1,853,358,080 of embeddings: 671,025,397,760.
    """
    deepseek = model("deepseek_v3")
    assert feed_forward_elements(deepseek) == 396_361_728
    assert mixture_elements(deepseek, 256.0) == 1_835_008 + 257 * 44_040_192
    assert parameter_count(deepseek) == 671_025_397_760
    all_dense = deepseek._replace(experts=0.0, experts_per_token=0.0, expert_width=0.0, shared_expert_width=0.0,
                                  dense_layers=0.0)
    assert parameter_count(all_dense) == 61 * (187_105_280 + 396_361_728) + 1_853_358_080


def test_parameter_count_of_llama3_8b_by_hand() -> None:
    """Attention 4096 x (2 x 32 + 2 x 8) x 128 = 41,943,040; feed-forward 3 x 4096 x 14336 = 176,160,768;
    embedding and logits 2 x 128256 x 4096 = 1,050,673,152; 32 x 218,103,808 + 1,050,673,152 = 8,029,995,008.
    """
    llama = model("llama3_8b")
    assert attention_elements(llama) == 41_943_040
    assert feed_forward_elements(llama) == 176_160_768
    assert embedding_elements(llama) == 1_050_673_152
    assert parameter_count(llama) == 8_029_995_008


def test_tied_embeddings_count_once_and_learned_positions_count() -> None:
    """OPT-6.7B: (50272 + 2050) x 4096 = 214,310,912; its feed-forward network has two matrices of 4096 x 16384."""
    opt = model("opt_6_7b")
    assert embedding_elements(opt) == 214_310_912
    assert feed_forward_elements(opt) == 2 * 4096 * 16384


@pytest.mark.parametrize("name", MODELS)
def test_one_device_keeps_every_matrix(name: str) -> None:
    """What latency counts as weights, 2 bytes each, and the count of parameters are written apart."""
    read = model(name)
    alone = Parallelism(1.0, 1.0)
    kept = weights_per_device_bytes(read, shard(read, alone), alone, SIXTEEN_BIT)
    assert kept == 2.0 * parameter_count(read)


@pytest.mark.parametrize(("name", "published_bytes"), [("deepseek_v3", 70_272), ("qwen2_72b", 327_680)])
def test_kv_cache_of_a_token_is_as_published(name: str, published_bytes: float) -> None:
    """arXiv 2505.09343, table 1, in 16 bit: DeepSeek-V3, 61 x (512 + 64) x 2; and Qwen2.5 72B, of Qwen2's shape."""
    read = model(name)
    assert read.layers * kv_cache_bytes(shard(read, Parallelism(1.0, 1.0)), SIXTEEN_BIT, 1.0) == published_bytes


@pytest.mark.parametrize("name", MODELS)
def test_head_width_is_128_everywhere(name: str) -> None:
    assert model(name).head_width == 128.0


@pytest.mark.parametrize("name", [name for name in MODELS if name not in MIXTURES])
def test_heads_of_a_dense_model_make_its_width(name: str) -> None:
    read = model(name)
    assert read.query_heads * read.head_width == read.width


def test_heads_that_do_not_fit_together_are_named() -> None:
    with pytest.raises(InputError, match=r"model.kv_heads=7 is not allowed: it must divide model.query_heads=32"):
        language_model({**group("model", "llama3_8b"), "kv_heads": 7})


@pytest.mark.parametrize(("name", "changes", "message"), [
    ("llama3_8b", {"experts_per_token": 2}, "experts_per_token=2 is not allowed without model.experts"),
    ("llama3_8b", {"dense_layers": 1}, "dense_layers=1 is not allowed without model.experts"),
    ("llama3_8b", {"experts": 8}, "experts_per_token=0 is not allowed: it takes a whole number from 1 to .*=8"),
    ("mixtral_8x7b", {"experts_per_token": 9}, "experts_per_token=9 is not allowed"),
    ("mixtral_8x7b", {"expert_width": 0}, "expert_width=0 is not allowed with model.experts=8"),
    ("mixtral_8x7b", {"dense_layers": 32}, "dense_layers=32 is not allowed .* below model.layers=32"),
    ("mixtral_8x7b", {"experts": 7.5}, "experts=7.5 is not allowed: model.experts takes a whole number >= 0"),
    ("llama3_8b", {"rope_width": 64}, "rope_width=64 is not allowed without model.kv_latent_width"),
    ("deepseek_v3", {"kv_heads": 8}, "kv_heads=8 is not allowed with model.kv_latent_width=512"),
    ("deepseek_v3", {"kv_latent_width": -1}, "kv_latent_width=-1 is not allowed"),
])
def test_experts_and_latent_attention_that_do_not_fit_are_named(
        name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"model.{message}"):
        language_model({**group("model", name), **changes})
