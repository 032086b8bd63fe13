"""Sequence and data parallelism against plain tensor parallelism, and pipelines with dense layers first."""

from __future__ import annotations

import pytest
from builders import setting, with_split, with_technique
from designs import settings_of
from hypothesis import given

from dse.latency.capacity import memory
from dse.latency.collectives import point_to_point_s
from dse.latency.memory import shard, stages
from dse.latency.phases import decode, latency, prefill
from dse.latency.setting import Setting
from dse.latency.work import pass_work
from dse.objective import devices
from dse.workload import Parallelism

LLAMA = {"hardware": "h100", "model": "llama3_70b", "number_format": "bf16"}


def with_kind(at: Setting, **changes: float) -> Setting:
    return at._replace(parallelism=at.parallelism._replace(**changes))


def test_sequence_parallelism_sends_what_a_two_shot_all_reduce_sends() -> None:
    """64 prompts' rows B on 8 devices: reduce-scatter and all-gather 7 / 8 B each, together 2 x 7 / 8 B."""
    at = with_kind(setting(**LLAMA), sequence_parallel=1.0)
    one = prefill(at, 1.0)
    message = 10923.0 * 8192.0 * 2.0
    for gather, reduce in ((one.attention.attention_gather, one.attention.attention_reduce),
                           (one.mlp.mlp_gather, one.mlp.mlp_reduce)):
        assert gather.link_bytes + reduce.link_bytes == 2.0 * 7.0 / 8.0 * message


def test_sequence_parallelism_does_the_norms_on_a_share() -> None:
    """10923 tokens on 8 devices: 1366 on the fullest; every product as before, and dealt tokens gathered once more."""
    plain = prefill(setting(**LLAMA), 1.0)
    one = prefill(with_kind(setting(**LLAMA), sequence_parallel=1.0), 1.0)
    assert one.attention.attention_norm.flops == 5.0 * 1366.0 * 8192.0
    assert one.mlp.mlp_norm.flops == 5.0 * 1366.0 * 8192.0
    for name in ("qkv", "attention", "output"):
        assert getattr(one.attention, name) == getattr(plain.attention, name)
    assert one.ends.final_gather.link_bytes == 7.0 / 8.0 * 8192.0 * 2.0
    assert plain.ends.final_gather.time_s == 0.0


def test_two_copies_of_attention_are_two_groups_that_share_the_feed_forward_network() -> None:
    """Half of 64 sequences and all heads of a device's four; 64 rows of an eighth of the network's columns."""
    at = with_kind(with_split(setting(**LLAMA, batch=64.0), 4.0), data_parallel=2.0)
    one, half = decode(at, 64.0, 2048.0), decode(with_split(setting(**LLAMA), 4.0), 32.0, 2048.0)
    whole = decode(setting(**LLAMA), 64.0, 2048.0)
    for name in ("qkv", "attention", "output"):
        assert getattr(one.attention, name) == getattr(half.attention, name)
    for name in ("gate_up", "activation", "down"):
        assert getattr(one.mlp, name) == getattr(whole.mlp, name)
    assert devices(at) == 8.0


def test_a_batch_that_does_not_divide_fills_one_copy() -> None:
    """Nine sequences on eight copies: two on the fullest; the feed-forward network has nine rows and not sixteen."""
    at = with_kind(with_split(setting(**LLAMA, batch=9.0), 1.0), data_parallel=8.0)
    one = decode(at, 9.0, 2048.0)
    assert memory(at).sequences == 2.0
    assert one.mlp.down.flops == 2.0 * 9.0 * 3584.0 * 8192.0
    assert one.attention.qkv.flops == 2.0 * 2.0 * 8192.0 * 10240.0


@given(settings_of(most_parts=1))
def test_a_single_device_has_no_collectives_of_any_kind(at: Setting) -> None:
    alone = with_kind(at, data_parallel=1.0, expert_parallel=1.0)
    plain = with_kind(alone, sequence_parallel=0.0, all_to_all=0.0)
    for of in (alone, plain):
        assert pass_work(decode(of, 3.0, 100.0), 1.0).link_bytes == 0.0
    assert latency(alone, 3.0) == latency(plain, 3.0)


def test_dense_layers_come_first_in_a_pipeline() -> None:
    """61 layers of DeepSeek-V3, three dense: 31 and 30 on two stages, 16 and less on four; no layer is made up."""
    at = setting(hardware="h200", model="deepseek_v3", number_format="fp8")
    found = [stages(at.model, shard(at.model, Parallelism(8.0, deep))) for deep in (1.0, 2.0, 4.0)]
    assert found == [(3.0, 58.0, 0.0, 0.0), (3.0, 28.0, 0.0, 30.0), (3.0, 13.0, 0.0, 16.0)]
    one = decode(with_split(at, 8.0, 4.0), 4.0, 2048.0)
    assert (one.layers, one.dense_layers) == (61.0, 3.0)


def test_a_hop_between_stages_carries_the_tokens_that_a_device_has() -> None:
    """Eight sequences on eight devices: one token of 8192 numbers each where they are dealt, else all eight."""
    at = with_split(setting(**LLAMA), 8.0, 2.0)
    for kind, rows in ((0.0, 8.0), (1.0, 1.0)):
        one = decode(with_kind(at, sequence_parallel=kind), 16.0, 2048.0)
        assert one.transfers_s == point_to_point_s(rows * 8192.0 * 2.0, at.device, at.style)


@pytest.mark.parametrize("kind", [{"sequence_parallel": 1.0}, {"data_parallel": 2.0, "tensor_parallel": 4.0}])
def test_reading_ahead_gains_under_every_kind(kind: dict[str, float]) -> None:
    at = with_kind(setting(batch=16.0), **kind)
    off, on = decode(at, 16.0, 4096.0), decode(with_technique(at, "preserve"), 16.0, 4096.0)
    assert on.pass_s < off.pass_s
    assert on.attention.qkv.prefetched_bytes > 0.0 < on.mlp.gate_up.prefetched_bytes
