"""Continuous batching by hand."""

from __future__ import annotations

import pytest
from builders import setting

from dse.latency.phases import mean_decode_s, prefill_s
from dse.latency.serving import continuous_tpot_s, continuous_ttft_s


def test_one_request_shares_with_nobody() -> None:
    at = setting("h100", number_format="bf16", batch=1.0, prompt_tokens=1024.0, output_tokens=128.0)
    assert continuous_tpot_s(at, 1.0) == mean_decode_s(at, 1.0)
    assert continuous_ttft_s(at, 1.0, 1e9) == pytest.approx(prefill_s(at, 1.0) + 0.5 * mean_decode_s(at, 1.0))


def test_prompts_of_others_spread_over_the_output() -> None:
    """63 other prompts fall into the 128 tokens of each request."""
    at = setting("h100", "llama3_8b", "bf16", tensor_parallel=1.0, batch=64.0, prompt_tokens=1024.0,
                 output_tokens=128.0)
    assert continuous_tpot_s(at, 64.0) == pytest.approx(mean_decode_s(at, 64.0) + 63.0 / 128.0 * prefill_s(at, 1.0))


def test_all_at_once_wait_for_half_of_the_others() -> None:
    """One request of each client: the first waits for its prompt, the last for all 8, on average 4.5 prompts."""
    at = setting("h100", number_format="bf16", batch=8.0)
    assert continuous_ttft_s(at, 8.0, 1.0) == pytest.approx(4.5 * prefill_s(at, 1.0))
