"""Continuous batching by hand, from the times of single passes."""

from __future__ import annotations

import math

import pytest
from builders import setting
from hypothesis import given
from hypothesis import strategies as st

from dse.latency.load import Load
from dse.latency.phases import Setting, decode_s, prefill_s
from dse.latency.server import no_server
from dse.latency.serving import served

MANY = 10**9
FREE = no_server()


def small(prompt_tokens: float = 1024.0, output_tokens: float = 128.0) -> Setting:
    return setting("h100", "llama3_8b", "bf16", tensor_parallel=1.0, batch=8.0, prompt_tokens=prompt_tokens,
                   output_tokens=output_tokens)


def steps_s(at: Setting, batch: float, steps: float) -> float:
    """Decode steps 1 to `steps` of `batch` requests: the cached tokens grow by one a step from those of the prompt."""
    return steps * decode_s(at, batch, at.traffic.prompt_tokens + 0.5 * (steps - 1.0))


def test_a_single_client_waits_for_its_prompt_alone() -> None:
    """One request after another: its way to the engine and the prompt's pass, then 127 decode steps."""
    at = small()
    found = served(at, Load(1, 3, 1.0, 1, MANY, False, FREE._replace(request_s=0.02)))
    assert found.ttft_s == pytest.approx(0.02 + prefill_s(at, 1.0))
    assert found.tpot_s == pytest.approx(steps_s(at, 1.0, 127.0) / 127.0, rel=1e-3)


def test_a_wave_that_fits_one_step_stays_together() -> None:
    """8 prompts in one pass, 127 steps of 8 requests, and all 8 clients ask again at once."""
    at = small()
    found = served(at, Load(8, 5, 1.0, 8, 8 * 1024, False, FREE))
    assert found.ttft_s == pytest.approx(prefill_s(at, 8.0))
    assert found.tpot_s == pytest.approx(steps_s(at, 8.0, 127.0) / 127.0, rel=1e-3)


def test_prompts_beyond_a_step_wait_for_the_step_before() -> None:
    """One request of each of two clients, one prompt a step: the second waits for the first one's prompt.

    Its own comes with the first decode step of the first, which has the prompt's 1024 tokens cached.
    """
    at = small()
    alone_s = prefill_s(at, 1.0)
    found = served(at, Load(2, 1, 1.0, 2, 1024 + 1, False, FREE))
    assert found.ttft_s == pytest.approx((alone_s + 2.0 * alone_s + decode_s(at, 1.0, 1024.0)) / 2.0, rel=1e-3)


def test_with_a_slot_less_than_clients_one_always_waits() -> None:
    """Little's law: one of 8 clients waits at any time, so that a request waits for 1 / 7 of one in work.

    Of 10 requests of each client the last ones find free slots: 79 of 7 slots are 11 rounds, 11 / 80 of a request.
    """
    at = small(output_tokens=512.0)
    free = served(at, Load(8, 10, 1.0, 8, MANY, False, FREE))
    short = served(at, Load(8, 10, 1.0, 7, MANY, False, FREE))
    work_s = short.tpot_s * 511.0
    assert short.ttft_s - free.ttft_s == pytest.approx(11.0 / 80.0 * work_s, rel=0.10)


def test_a_cut_prompt_takes_as_many_steps_as_it_has_pieces() -> None:
    """2048 tokens in steps of 512: four passes, each over the tokens before it, cost more than one pass."""
    at = small(prompt_tokens=2048.0)
    whole, cut = (served(at, Load(1, 1, 1.0, 1, tokens, True, FREE)).ttft_s for tokens in (2048, 512))
    quarter_s = prefill_s(small(prompt_tokens=512.0), 1.0)
    assert whole == pytest.approx(prefill_s(at, 1.0))
    assert 4.0 * quarter_s < cut < 4.4 * quarter_s


def test_requests_wait_for_the_kv_cache() -> None:
    """Llama-70B in 16 bits on two H100: 72 - 70.6 GB leave room for few contexts, whatever the slots."""
    at = setting("h100", "llama3_70b", "bf16", tensor_parallel=2.0, prompt_tokens=2048.0, output_tokens=256.0)
    wide = setting("h100", "llama3_70b", "bf16", tensor_parallel=4.0, prompt_tokens=2048.0, output_tokens=256.0)
    load = Load(16, 1, 1.0, 16, MANY, False, FREE)
    assert served(at, load).ttft_s > 5.0 * served(wide, load).ttft_s


@given(clients=st.integers(1, 12), each=st.integers(1, 4), share=st.floats(0.5, 1.0), slots=st.integers(1, 12),
       tokens=st.integers(300, 4000), chunked=st.booleans())
def test_every_request_is_answered(clients: int, each: int, share: float, slots: int, tokens: int,
                                   chunked: bool) -> None:
    """Whatever the limits, all end, and no first token comes before its prompt's pass could."""
    at = small(prompt_tokens=512.0, output_tokens=16.0)
    found = served(at, Load(clients, each, share, slots, tokens, chunked, FREE._replace(request_s=0.001)))
    assert found.ttft_s > 0.001 + prefill_s(small(prompt_tokens=256.0), 1.0)
    assert 0.0 < found.tpot_s < math.inf


def test_a_request_has_at_least_a_token_of_each_kind() -> None:
    """Lengths of 0.01 to 4 tokens, some of which round to 0: each has a prompt and an answer, 1 to 4 tokens."""
    found = served(small(prompt_tokens=4.0, output_tokens=4.0), Load(1, 64, 0.0025, 1, MANY, True, FREE))
    tokens = found.throughput_tokens_per_s * 64.0 * found.request_s  # one client: all requests one after the other
    assert 64.0 < tokens < 4.0 * 64.0
    assert tokens == pytest.approx(round(tokens))


def test_answers_of_a_single_token_count_in_no_mean_of_what_follows() -> None:
    """Answers of 1 and of 2 tokens, one at a time: the second token takes a decode step, whatever the others do."""
    at = small(output_tokens=2.0)
    found = served(at, Load(1, 40, 0.25, 1, MANY, True, FREE))
    assert found.tpot_s == pytest.approx(decode_s(at, 1.0, 640.0), rel=0.02)
    assert served(small(output_tokens=1.0), Load(1, 4, 1.0, 1, MANY, True, FREE)).tpot_s == 0.0
