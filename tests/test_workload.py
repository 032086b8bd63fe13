"""The shipped precisions and traffic, and what the keys of traffic change."""

import math
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from dse.errors import InputError
from dse.workload import precision, traffic, traffic_group

FOLDER = Path(__file__).parents[1] / "conf"


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (FOLDER / group).glob("*.yaml"))


def group(name: str, option: str) -> dict[str, Any]:
    raw: Any = OmegaConf.to_container(OmegaConf.load(FOLDER / name / f"{option}.yaml"))
    return dict(raw)


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
