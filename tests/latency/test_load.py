"""The group `serving`, every option of `server`, and copies of attention under a load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import setting

from dse.errors import InputError
from dse.latency.load import Load, load
from dse.latency.phases import prefill_s
from dse.latency.server import no_server, server
from dse.latency.serving import served
from dse.latency.serving_steps import cache_tokens
from dse.shipped import configuration_folder, option

FREE = no_server()
ASKED: dict[str, Any] = {"clients": 4, "requests_each": 3, "shortest_share": 0.8, "slots": None, "step_tokens": 2048,
                         "chunked": True}
SERVERS = sorted(path.stem for path in Path(configuration_folder(), "server").glob("*.yaml"))


def test_slots_not_given_are_as_many_as_clients() -> None:
    assert load(ASKED, FREE) == Load(4, 3, 0.8, 4, 2048, True, FREE)
    assert load({**ASKED, "slots": 3}, FREE).slots == 3


@pytest.mark.parametrize(("key", "value"), [("clients", 0), ("requests_each", 1.5), ("shortest_share", 0.0),
                                            ("shortest_share", 1.1), ("slots", 0), ("step_tokens", -1),
                                            ("chunked", 1), ("clients", "many"), ("rate", 1.0)])
def test_impossible_loads_are_refused(key: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"serving.{key}"):
        load({**ASKED, key: value}, FREE)


def test_more_requests_than_can_be_followed_are_refused() -> None:
    with pytest.raises(InputError, match="at most 1,000,000 requests"):
        load({**ASKED, "clients": 10**5, "requests_each": 11}, FREE)


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_is_read(name: str) -> None:
    assert min(server(option("server", name))) >= 0.0


def test_the_server_none_takes_no_time() -> None:
    assert server(option("server", "none")) == FREE


def test_throughput_and_request_of_one_client_by_hand() -> None:
    """3 requests of 64 tokens, one after the other: 3 x 64 tokens in the time of three requests."""
    at = setting("h100", "llama3_8b", "bf16", tensor_parallel=1.0, batch=1.0, prompt_tokens=512.0, output_tokens=64.0)
    found = served(at, Load(1, 3, 1.0, 1, 512, False, FREE))
    assert found.request_s == pytest.approx(found.ttft_s + 63.0 * found.tpot_s)
    assert found.throughput_tokens_per_s == pytest.approx(64.0 / found.request_s)


def test_copies_of_attention_share_the_prompts_and_hold_a_cache_each() -> None:
    """Four prompts for four copies are one prompt for each: the time of a prefill of the batch of four."""
    at = setting("h100", "llama3_8b", "bf16", tensor_parallel=1.0, batch=4.0, prompt_tokens=1024.0, output_tokens=2.0)
    copies = at._replace(parallelism=at.parallelism._replace(data_parallel=4.0))
    found = served(copies, Load(4, 1, 1.0, 4, 4 * 1024, False, FREE))
    assert found.ttft_s == pytest.approx(prefill_s(copies, 4.0))
    assert cache_tokens(copies) > 4.0 * cache_tokens(at)  # each has a quarter of the other weights


def test_stages_take_prompts_as_micro_batches() -> None:
    """Two prompts on two stages: the pipeline fills, and the second prompt follows a stage time later."""
    at = setting("h100", "llama3_8b", "bf16", tensor_parallel=1.0, batch=2.0, prompt_tokens=1024.0, output_tokens=2.0)
    staged = at._replace(parallelism=at.parallelism._replace(pipeline_parallel=2.0))
    assert served(staged, Load(2, 1, 1.0, 2, 2 * 1024, False, FREE)).ttft_s == pytest.approx(prefill_s(staged, 2.0))
