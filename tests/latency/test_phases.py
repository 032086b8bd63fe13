"""Passes, pipelines, memory and requests by hand."""

from __future__ import annotations

import math

import pytest
from builders import setting, with_device, with_split, with_style, with_traffic
from designs import settings_of
from hypothesis import given

from dse.latency.capacity import memory
from dse.latency.collectives import point_to_point_s
from dse.latency.phases import Pass, decode, decode_s, latency, mean_decode_s, micro_batches, prefill, prefill_s
from dse.latency.setting import Setting
from dse.workload import Parallelism

GIB = 2.0**30
MIB = 2.0**20


def layer_s(one: Pass) -> float:
    return sum(entry.time_s for entry in (*one.attention, *one.mlp))


def ends_s(one: Pass) -> tuple[float, float]:
    """Before the layers and after them."""
    before, after = one.ends[:2], one.ends[2:]
    return sum(entry.time_s for entry in before), sum(entry.time_s for entry in after)


def test_a_pass_is_its_ends_and_its_layers() -> None:
    one = decode(setting(technique="preserve"), 4.0, 16384.0)
    before, after = ends_s(one)
    assert one.pass_s == pytest.approx(before + 80.0 * layer_s(one) + after, rel=1e-12)
    assert one.stage_s == pytest.approx(one.pass_s, rel=1e-12)
    assert one.transfers_s == 0.0


def test_a_pipeline_fills_then_gives_a_micro_batch_a_stage_time() -> None:
    """Eight prompts on four stages: four micro-batches of two; the last leaves after one pass and three stage times.

    A pass is 80 layers, both ends and three hops of 2 x 10923 x 8192 x 2 bytes; a stage 20 layers and the longer end.
    """
    at = with_split(setting(batch=8.0), 8.0, 4.0)
    one = prefill(at, 8.0)
    before, after = ends_s(one)
    hop = point_to_point_s(2.0 * 10923.0 * 8192.0 * 2.0, at.device, at.style)
    assert one.transfers_s == pytest.approx(3.0 * hop, rel=1e-12)
    assert one.pass_s == pytest.approx(before + 80.0 * layer_s(one) + 3.0 * hop + after, rel=1e-12)
    assert one.stage_s == pytest.approx(20.0 * layer_s(one) + max(before, after), rel=1e-12)
    assert prefill_s(at, 8.0) == pytest.approx(one.pass_s + 3.0 * one.stage_s, rel=1e-12)


def test_a_full_pipeline_decodes_at_its_slowest_stage() -> None:
    """Four micro-batches on four stages take turns: a token takes a pass, or four stage times where these are longer.

    A single sequence has the pipeline for itself, and takes a pass.
    """
    at = with_split(setting(), 8.0, 4.0)
    one = decode(at, 4.0, 16384.0)
    assert decode_s(at, 4.0, 16384.0) == max(one.pass_s, 4.0 * one.stage_s)
    alone = decode(at, 1.0, 16384.0)
    assert decode_s(at, 1.0, 16384.0) == alone.pass_s > alone.stage_s


def test_micro_batches() -> None:
    """As many as there are stages, while there are sequences; six sequences on four stages are four of at most two."""
    assert [micro_batches(Parallelism(1.0, 4.0), batch) for batch in (1.0, 3.0, 4.0, 6.0)] == [1.0, 3.0, 4.0, 4.0]
    at = with_split(setting(), 8.0, 4.0)
    assert decode(at, 6.0, 1000.0) == decode(at, 8.0, 1000.0)


def test_largest_batch_that_fits() -> None:
    """64 GB x 0.9 = 57.6e9 bytes usable, less (80 x 102 + 501) MiB = 8661 MiB = 9.082e9 of weights: 48.518e9.

    A sequence of 10923 + 5461 = 16384 tokens keeps 2 x 128 x 16384 bytes x 80 layers = 320 MiB = 335.5e6: 144 fit
    (48.518e9 / 335.5e6 = 144.6).
    """
    at = with_style(with_traffic(setting(), batch=math.inf), hbm_usable_share=0.9)
    held = memory(at)
    assert held.usable_bytes == pytest.approx(57.6e9)
    assert held.weights_bytes == 8661.0 * MIB
    assert held.sequence_bytes == 320.0 * MIB
    assert held.batch == 144.0


def test_batch_is_the_given_one_or_at_least_one() -> None:
    """A given batch stands, whether it fits or not; the largest that fits is one even where nothing does."""
    at = setting(batch=1000.0)
    assert memory(at).batch == 1000.0
    assert memory(with_traffic(with_device(at, hbm_bytes=1e9), batch=math.inf)).batch == 1.0


@given(settings_of(most_stages=3))
def test_largest_batch_fits_and_one_more_does_not(at: Setting) -> None:
    """Sequences of a copy of attention."""
    held = memory(with_traffic(at, batch=math.inf))
    room = held.usable_bytes - held.weights_bytes
    assert held.batch == held.sequences * at.parallelism.data_parallel
    assert held.sequences == 1.0 or held.sequences * held.sequence_bytes <= room * (1.0 + 1e-12)
    assert (held.sequences + 1.0) * held.sequence_bytes > room * (1.0 - 1e-12)


def test_a_request() -> None:
    """5461 tokens: the first with the prompt, then 5460 steps; four requests at a time."""
    at = setting()
    found = latency(at, 4.0)
    assert found.ttft_s == prefill_s(at, 4.0)
    assert found.tpot_s == mean_decode_s(at, 4.0)
    assert found.request_s == pytest.approx(found.ttft_s + 5460.0 * found.tpot_s, rel=1e-12)
    assert found.throughput_tokens_per_s == pytest.approx(4.0 * 5461.0 / found.request_s, rel=1e-12)


def test_padding_costs_time() -> None:
    """28 query heads on 8 devices take as long as 32 (4 a device); on 7 devices they divide."""
    at = setting(model="qwen2_7b")
    padded = at._replace(model=at.model._replace(query_heads=32.0))
    assert decode_s(at, 4.0, 16384.0) == decode_s(padded, 4.0, 16384.0)
    sevenths = (decode(with_split(one, 7.0), 4.0, 16384.0).attention.output.flops for one in (at, padded))
    assert next(sevenths) == 0.8 * next(sevenths)  # 4 heads a device against 5
