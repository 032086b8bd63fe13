"""What a figure's designs have in common."""

from __future__ import annotations

from typing import Any

from dse.figures.caption import caption

CONFIGURATION: dict[str, Any] = {
    "hardware": {"name": "ascend_910b"}, "model": {"name": "llama3_70b"},
    "parallelism": {"tensor_parallel": 8, "pipeline_parallel": 1},
    "precision": {"weights": "int8", "activations": "int8", "kv_cache": "bf16"},
    "traffic": {"batch": 4, "total_tokens": 16384, "prompt_tokens": None, "output_tokens": None}}


def test_a_caption_names_all_that_is_not_an_axis() -> None:
    assert caption(CONFIGURATION, ()) == "Llama3-70B, Ascend 910B, TP 8, INT8/BF16, batch 4, 16,384 tokens"
    axes = {"model": [], "parallelism.tensor_parallel": [], "precision.kv_cache": [], "traffic.batch": []}
    assert caption(CONFIGURATION, axes) == "Ascend 910B, 16,384 tokens"
    assert caption(CONFIGURATION, ("hardware", "traffic", "precision")) == "Llama3-70B, TP 8"


def test_a_given_prompt_stands_for_the_total_and_the_largest_batch_keeps_its_word() -> None:
    traffic = {"batch": "max", "total_tokens": 16384, "prompt_tokens": 1000, "output_tokens": 200}
    split = {"tensor_parallel": 1, "pipeline_parallel": 2}
    assert caption({**CONFIGURATION, "traffic": traffic, "parallelism": split}, ()) == (
        "Llama3-70B, Ascend 910B, PP 2, INT8/BF16, batch max, prompt 1,000 tokens, output 200 tokens")
