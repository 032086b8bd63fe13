"""Multi-head latent attention by hand: DeepSeek-V3, whose 128 heads share a latent vector of 512 and a rope of 64."""

from __future__ import annotations

import pytest
from builders import setting, with_split

from dse.latency.memory import kv_cache_bytes, shard
from dse.latency.phases import decode, prefill
from dse.latency.setting import Setting


def v3(tensor_parallel: float = 1.0, number_format: str = "bf16", prompt_tokens: float = 1024.0) -> Setting:
    return setting(hardware="h200", model="deepseek_v3", number_format=number_format, batch=1.0,
                   tensor_parallel=tensor_parallel, prompt_tokens=prompt_tokens)


@pytest.mark.parametrize("devices", [1.0, 8.0])
def test_a_token_keeps_70272_bytes(devices: float) -> None:
    """(512 + 64) x 2 bytes in each of 61 layers, on every device of tensor parallelism."""
    at = v3(devices)
    assert 61.0 * kv_cache_bytes(shard(at.model, at.parallelism), at.precision, 1.0) == 70272.0


def test_absorbed_decode_attends_the_latent_vectors() -> None:
    """2 x (576 + 512) FLOPs for each of 128 heads and 4097 tokens; the cache of 4096 is read once."""
    found = decode(v3(), 1.0, 4096.0).attention
    assert found.attention.flops == 2.0 * 1088.0 * 128.0 * 4097.0
    assert found.attention.hbm_bytes == 576.0 * 2.0 * 4097.0


def test_a_prompt_is_attended_by_head() -> None:
    """2 x (192 + 128) FLOPs for each of 128 heads and 1024 x 1025 / 2 pairs."""
    assert prefill(v3(), 1.0).attention.attention.flops == 2.0 * 320.0 * 128.0 * 1024.0 * 1025.0 / 2.0


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_projections(phase: str) -> None:
    """Down to 1536 + 576; queries up to 128 x 192; keys and values 512 x 128 x 128 each; output 128 x 128 x 7168."""
    at = v3()
    rows, found = (1024.0, prefill(at, 1.0)) if phase == "prefill" else (1.0, decode(at, 1.0, 4096.0))
    one = found.attention
    assert one.qkv.flops == 2.0 * rows * 7168.0 * (1536.0 + 576.0)
    assert one.query_up.flops == 2.0 * rows * 1536.0 * 128.0 * 192.0
    assert one.key_up.flops == one.value_up.flops == 2.0 * rows * 512.0 * 128.0 * 128.0
    assert one.output.flops == 2.0 * rows * 128.0 * 128.0 * 7168.0


def test_absorbed_products_carry_a_latent_vector_for_each_head() -> None:
    """128 sequences: each head's 128 x 128 queries become 128 x 512, and back; in a prompt one vector serves all heads.

    Through L2 pass at least the weights, 128 x 128 x 512 x 2 bytes, and 128 x 128 x (128 + 512) x 2 of activations.
    """
    found = decode(v3(), 128.0, 4096.0).attention
    weights, activations = 128.0 * 128.0 * 512.0 * 2.0, 128.0 * 128.0 * (128.0 + 512.0) * 2.0
    assert found.key_up.l2_bytes >= weights + activations
    assert found.value_up.l2_bytes >= weights + activations
    prompt = prefill(v3(prompt_tokens=128.0), 1.0).attention
    assert prompt.key_up.l2_bytes < found.key_up.l2_bytes


def test_heads_are_split_and_latent_projections_are_not() -> None:
    """Eight devices: 16 heads on each, all of the projections down to the latent vectors."""
    one, eight = decode(v3(), 1.0, 4096.0).attention, decode(with_split(v3(), 8.0), 1.0, 4096.0).attention
    assert eight.qkv.flops == one.qkv.flops
    for name in ("query_up", "key_up", "attention", "value_up", "output"):
        assert getattr(eight, name).flops == getattr(one, name).flops / 8.0
    assert eight.attention.hbm_bytes == one.attention.hbm_bytes


def test_without_a_query_latent_queries_come_directly() -> None:
    """DeepSeek-V2-Lite: 2048 x (16 x 192 + 576) in one product, and no second one."""
    at = setting(hardware="h100", model="deepseek_v2_lite", number_format="bf16", batch=1.0, tensor_parallel=1.0)
    found = decode(at, 1.0, 4096.0).attention
    assert found.qkv.flops == 2.0 * 2048.0 * (16.0 * 192.0 + 576.0)
    assert found.query_up.time_s == found.query_up.flops == 0.0
