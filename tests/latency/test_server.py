"""A server's software by hand: steps paced by the loop, tokens that queue in the front end, what can only rise."""

from __future__ import annotations

import pytest
from builders import option, setting
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.latency.load import Load
from dse.latency.phases import decode_s, prefill_s
from dse.latency.server import SERVER, Server, loop_s, no_server, paced_s, server
from dse.latency.serving import served
from dse.latency.setting import Setting

MANY = 10**9
FREE = no_server()
TIMES = ("request_s", "step_s", "sequence_s", "prompt_s", "token_s")


def small(prompt_tokens: float = 512.0, output_tokens: float = 33.0) -> Setting:
    return setting("h100", "llama3_8b", "bf16", tensor_parallel=8.0, batch=8.0, prompt_tokens=prompt_tokens,
                   output_tokens=output_tokens)


def wave(clients: int, by: Server, requests_each: int = 1) -> Load:
    """As many slots as clients, and no limit of tokens: one pass over all prompts, then decode steps of all."""
    return Load(clients, requests_each, 1.0, clients, MANY, False, by)


def test_the_loop_and_the_devices_hide_each_other_in_part() -> None:
    """2 ms + 10 x 50 us + 3 x 10 ms = 32.5 ms of the loop; beside 40 ms of the devices 40 + 0.2 x 32.5 = 46.5."""
    by = FREE._replace(step_s=2e-3, sequence_s=50e-6, prompt_s=10e-3, unhidden_share=0.2)
    assert loop_s(by, 10.0, 3.0) == pytest.approx(32.5e-3)
    assert paced_s(by, 40e-3, 32.5e-3) == paced_s(by, 32.5e-3, 40e-3) == pytest.approx(46.5e-3)
    assert paced_s(FREE, 40e-3, 0.0) == 40e-3


def test_a_slow_loop_paces_every_step() -> None:
    """50 ms a step and 1 ms for each of 4 running requests, the devices within: 54 ms a token; first 50 + 4 x 20."""
    found = served(small(), wave(4, FREE._replace(step_s=0.050, sequence_s=0.001, prompt_s=0.020), 3))
    assert found.tpot_s == pytest.approx(0.054)
    assert found.ttft_s == pytest.approx(0.130)


def test_what_is_not_hidden_is_added_to_the_devices_time() -> None:
    """One request, loop of 0.1 ms a step: the prompt's pass, and each of 32 decode steps, 0.05 ms longer."""
    at = small()
    found = served(at, wave(1, FREE._replace(step_s=1e-4, unhidden_share=0.5)))
    assert found.ttft_s == pytest.approx(prefill_s(at, 1.0) + 5e-5)
    assert found.tpot_s == pytest.approx(decode_s(at, 1.0, 512.0 + 15.5) + 5e-5, rel=1e-3)


def test_tokens_queue_in_a_slow_front_end() -> None:
    """4 requests of 33 tokens at 1 s a token, 100 times the devices' step, start together.

    The first tokens come 1, 2, 3, 4 s after the prompts' pass: 2.5 s on average; then one of each request every 4 s.
    """
    at = small()
    found = served(at, wave(4, FREE._replace(token_s=1.0)))
    assert found.ttft_s == pytest.approx(prefill_s(at, 4.0) + 2.5)
    assert found.tpot_s == pytest.approx(4.0)


def test_a_first_token_queues_behind_those_of_all_others() -> None:
    """2 clients, 1 slot, 33 tokens, 1 s a token: the engine is done long before the client has its answer.

    A is written in seconds 0 to 33, B (taken up as soon as A has left the engine) in 33 to 66; A's client asks again at
    33, is taken up at once and written from 66 on: first tokens after 1, 34, 34 and, with nothing behind it, 34 s.
    """
    at = small()
    found = served(at, Load(2, 2, 1.0, 1, MANY, False, FREE._replace(token_s=1.0)))
    assert found.ttft_s == pytest.approx((1.0 + 34.0 + 34.0 + 34.0) / 4.0, rel=1e-2)
    assert found.tpot_s == pytest.approx(1.0, rel=1e-2)


def test_a_front_end_that_keeps_up_delays_each_token_by_its_own_time() -> None:
    """1 us a token: the 8 of a step are written while the next runs, so that only 4.5 us on average are added."""
    at = small()
    free, short = served(at, wave(8, FREE)), served(at, wave(8, FREE._replace(token_s=1e-6)))
    assert short.ttft_s - free.ttft_s == pytest.approx(4.5e-6)
    assert short.tpot_s == pytest.approx(free.tpot_s)


@settings(deadline=None, max_examples=60)
@given(clients=st.integers(1, 12), times=st.lists(st.floats(0.0, 0.02), min_size=5, max_size=5),
       share=st.floats(0.0, 1.0), place=st.integers(0, 4), more=st.floats(0.0, 0.02))
def test_a_slower_server_is_never_faster_in_a_wave(clients: int, times: list[float], share: float, place: int,
                                                   more: float) -> None:
    """Requests that all start at once and never meet again: a longer time of any kind delays every token."""
    by = Server(times[0], times[1], times[2], times[3], share, times[4])
    slower = by._replace(**{TIMES[place]: getattr(by, TIMES[place]) + more})
    fast, slow = (served(small(), wave(clients, one)) for one in (by, slower))
    assert slow.ttft_s >= fast.ttft_s - 1e-12
    assert slow.ttft_s + 32.0 * slow.tpot_s >= fast.ttft_s + 32.0 * fast.tpot_s - 1e-12
    if TIMES[place] in ("step_s", "sequence_s", "token_s") and not times[4]:
        assert slow.tpot_s >= fast.tpot_s - 1e-12


@settings(deadline=None, max_examples=40)
@given(clients=st.integers(1, 10), token_s=st.floats(1e-6, 1e-2))
def test_no_more_tokens_than_the_front_end_writes(clients: int, token_s: float) -> None:
    """All 33 tokens of each are written by the end, and the last ones of the others 1, 2, ... tokens before it."""
    found = served(small(), wave(clients, FREE._replace(token_s=token_s)))
    assert found.ttft_s + 32.0 * found.tpot_s >= token_s * (33.0 * clients - 0.5 * (clients - 1.0)) * (1.0 - 1e-9)


@pytest.mark.parametrize("name", ["trtllm", "vllm"])
def test_shipped_servers_have_an_interval_and_a_source(name: str) -> None:
    raw = option("server", name)
    assert raw["name"] == name
    assert set(SERVER.constants(raw)) == {f"server.{field.key}" for field in SERVER.fields}
    assert server(raw).request_s == pytest.approx(0.015)


def test_a_server_that_takes_less_than_no_time_is_refused() -> None:
    with pytest.raises(InputError, match=r"server\.token_us=-1.0 is not allowed: server\.token_us takes a number >= 0"):
        server(option("server", "trtllm", token_us=-1))
    assert server(option("server", "trtllm", token_us=0)).token_s == 0.0
