"""The shipped models against their published parameter counts, and the precisions and traffic that go with them."""

import math
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from dse.errors import InputError
from dse.model.language_model import LanguageModel, language_model
from dse.model.parameter_count import attention_elements, embedding_elements, feed_forward_elements, parameter_count
from dse.workload import precision, traffic, traffic_group

FOLDER = Path(__file__).parents[1] / "conf"
MODELS = sorted(path.stem for path in (FOLDER / "model").glob("*.yaml"))
# The paper rounds to "13.0B"; its own shape (40 layers of 5120, table 1) gives 12.85 billion, 1.15 % less.
TOLERANCE = {"opt_13b": 0.012}


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (FOLDER / group).glob("*.yaml"))


def group(name: str, option: str) -> dict[str, Any]:
    raw: Any = OmegaConf.to_container(OmegaConf.load(FOLDER / name / f"{option}.yaml"))
    return dict(raw)


def model(name: str) -> LanguageModel:
    return language_model(group("model", name))


def test_the_models_that_are_shipped() -> None:
    assert MODELS == ["gpt3_175b", "llama2_70b", "llama2_7b", "llama3_70b", "llama3_8b", "opt_13b", "opt_30b",
                      "opt_66b", "opt_6_7b", "phi3_medium", "phi3_small", "qwen2_72b", "qwen2_7b"]


@pytest.mark.parametrize("name", MODELS)
def test_model_meets_its_published_parameter_count(name: str) -> None:
    raw = group("model", name)
    assert raw["name"] == name
    assert parameter_count(model(name)) == pytest.approx(raw["parameters"], rel=TOLERANCE.get(name, 0.01))


@pytest.mark.parametrize("name", [name for name in MODELS if not name.startswith(("opt", "gpt"))])
def test_norms_and_biases_are_below_a_twentieth_of_a_percent(name: str) -> None:
    """Where the checkpoint's tensors were counted, what our count leaves out is norms and biases alone."""
    published = group("model", name)["parameters"]
    assert 0.0 < (published - parameter_count(model(name))) / published < 0.0005


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
def test_head_width_is_128_everywhere_and_heads_make_the_width(name: str) -> None:
    read = model(name)
    assert read.head_width == 128.0
    assert read.query_heads * read.head_width == read.width


def test_heads_that_do_not_fit_together_are_named() -> None:
    with pytest.raises(InputError, match=r"model.kv_heads=7 is not allowed: it must divide model.query_heads=32"):
        language_model({**group("model", "llama3_8b"), "kv_heads": 7})


def test_the_precisions_that_are_shipped() -> None:
    rates = {"fp8": 2.0, "int8": 2.0}
    read = {name: precision(group("precision", name), rates, "any") for name in options("precision")}
    assert read["bf16"] == read["fp16"] == (2.0, 2.0, 2.0, 2.0, 1.0)
    assert read["fp8"] == read["int8"] == (1.0, 1.0, 1.0, 2.0, 2.0)  # the residual stream stays in 16 bit
    assert read["int4"] == (0.5, 2.0, 2.0, 2.0, 1.0)  # widened before it is multiplied: the 16-bit rate
    assert len(read) == 5


@pytest.mark.parametrize("bad", [None, "int3", 8, ["int8"]])
def test_unknown_format_is_named(bad: Any) -> None:
    with pytest.raises(InputError, match=r"precision.kv_cache=.* is not allowed: choose one of fp32, bf16"):
        precision({**group("precision", "int8"), "kv_cache": bad}, {"int8": 2.0}, "any")


def test_traffic_of_the_paper_is_two_thirds_prompt() -> None:
    """16384 x 2 / 3 = 10922.67, so 10923 tokens of prompt and 5461 generated; no limits."""
    assert traffic(group("traffic", "paper")) == (4.0, 10923.0, 5461.0, math.inf, math.inf)


@pytest.mark.parametrize(("name", "tokens"), [("chat", (1024.0, 256.0)), ("long_prompt", (31744.0, 1024.0)),
                                              ("long_output", (2048.0, 8192.0))])
def test_example_traffic_splits_as_its_comment_says(name: str, tokens: tuple[float, float]) -> None:
    assert traffic(group("traffic", name))[1:3] == tokens
    assert f"a prompt of {tokens[0]:.0f} tokens, {tokens[1]:.0f} generated" in (
        FOLDER / "traffic" / f"{name}.yaml").read_text()


def test_largest_batch_is_infinite() -> None:
    assert traffic(group("traffic", "chat")).batch == math.inf


@pytest.mark.parametrize(("given", "tokens"), [
    ({"prompt_tokens": 2048, "output_tokens": 256}, (2048.0, 256.0)),
    ({"prompt_tokens": 2048}, (2048.0, 5461.0)),
    ({"output_tokens": 256}, (10923.0, 256.0)),
    ({"total_tokens": 8192, "prompt_share": 0.75}, (6144.0, 2048.0)),
    ({"total_tokens": 12288}, (8192.0, 4096.0)),
])
def test_each_key_changes_only_what_it_names(given: dict[str, float], tokens: tuple[float, float]) -> None:
    assert traffic({**group("traffic", "paper"), **given})[1:3] == tokens


def test_split_that_the_user_sets_counts_above_the_tokens_of_an_option() -> None:
    mine = {"batch": 1, "prompt_tokens": 10, "output_tokens": 20, "total_tokens": 100, "prompt_share": 0.5}
    assert traffic(mine)[1:3] == (10.0, 20.0)
    assert traffic(traffic_group(mine, {"total_tokens", "batch"}))[1:3] == (50.0, 50.0)
    assert traffic_group(mine, {"prompt_tokens"}) == mine


def test_both_forms_at_once_are_refused() -> None:
    with pytest.raises(InputError, match=r"traffic.output_tokens and traffic.total_tokens exclude each other"):
        traffic_group(group("traffic", "paper"), {"output_tokens", "total_tokens"})


@pytest.mark.parametrize(("given", "message"), [
    ({"total_tokens": None}, "traffic.total_tokens is missing: .* go together"),
    ({"prompt_share": None}, "traffic.prompt_share is missing: .* go together"),
    ({"total_tokens": None, "prompt_share": None}, "traffic.prompt_tokens is missing"),
    ({"total_tokens": None, "prompt_share": None, "prompt_tokens": 5}, "traffic.output_tokens is missing"),
    ({"prompt_share": 1.0}, "leaves no token for the prompt or for the output"),
    ({"prompt_share": 1.5}, "traffic.prompt_share=1.5 is not allowed"),
    ({"total_tokens": 0}, "traffic.total_tokens=0 is not allowed"),
    ({"prompt_tokens": 0}, "traffic.prompt_tokens=0 is not allowed"),
    ({"batch": "most"}, "traffic.batch=most is not allowed"),
    ({"ttft_limit_ms": 0}, "traffic.ttft_limit_ms=0 is not allowed"),
    ({"length": 5}, "traffic.length is unknown"),
])
def test_bad_traffic_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        traffic({**group("traffic", "paper"), **given})


def test_limit_is_in_milliseconds() -> None:
    read = traffic({**group("traffic", "paper"), "ttft_limit_ms": 500, "tpot_limit_ms": 20})
    assert (read.ttft_limit_s, read.tpot_limit_s) == (0.5, 0.02)
