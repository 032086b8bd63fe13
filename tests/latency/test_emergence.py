"""What prefetching is worth, and what an L2 is worth without it: nothing here is put into the model, it comes out."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from builders import PREFETCHING, setting, with_device, with_split, with_style, with_technique
from designs import settings_of, spread
from hypothesis import assume, given, settings

from dse.latency.machine import machine
from dse.latency.memory import shard
from dse.latency.phases import Pass, decode, decode_s, prefill, prefill_s
from dse.latency.roofline import OperatorTime
from dse.latency.setting import Setting
from dse.latency.step import step
from dse.technique.terms import OFF, TechniqueTerms

MIB = 2.0**20
CONTEXT = 16384.0
MATMULS = ("qkv", "output", "gate_up", "down")


def with_l2(at: Setting, mib: float) -> Setting:
    return with_device(at, l2_bytes=mib * MIB)


def working_set_bytes(at: Setting, rows: float) -> float:
    """L2 from which a decode step of `rows` tokens a copy of attention keeps all activations and reads no weight twice.

    The largest of what an operator reads and writes, and the C at which 2 M N K b / sqrt(C / b) equals the inputs of a
    product of M rows: 2 M N K b / sqrt(C / b) <= K N b_w + M K b_a holds from C = b (2 M b / b_w)^2 on.
    """
    model, part = at.model, shard(at.model, at.parallelism)
    weight, activation, residual = at.precision.weight_bytes, at.precision.activation_bytes, at.precision.residual_bytes
    heads, gates = part.query_heads * model.head_width + part.kv_elements, 1.0 + model.gated
    kept = (4.0 * model.width * residual, (2.0 + model.gated) * part.ffn_width * residual,
            max(activation, residual) * (max(model.width, part.ffn_width, heads) + max(model.width, heads)),
            model.width * residual + part.vocabulary * residual,
            activation * model.width + residual * gates * part.ffn_width,
            2.0 * heads * residual + part.kv_elements * at.precision.kv_cache_bytes)
    mean, everyone = 0.5 * (weight + activation), rows * at.parallelism.data_parallel
    twice = max(mean * (2.0 * everyone * mean / weight) ** 2, residual * (2.0 * everyone) ** 2)
    experts, latents = of_experts(at) if model.experts else 0.0, of_latents(at) if model.kv_latent_width else 0.0
    return max(everyone * max(*kept, experts, latents), twice)


def of_experts(at: Setting) -> float:
    """The most that one token's copies for its experts, the router or the shared expert read and write, or more."""
    model, part = at.model, shard(at.model, at.parallelism)
    wide = max(model.width, (1.0 + model.gated) * max(part.expert_width, part.shared_width))
    return max(1.0, model.experts_per_token) * 4.0 * (model.width + 2.0 * wide) + 2.0 * (
        model.width + model.experts)


def of_latents(at: Setting) -> float:
    """The most that a projection to or from one token's latent vectors, or attention to them, reads and writes."""
    model, heads = at.model, shard(at.model, at.parallelism).query_heads
    latent = model.kv_latent_width + model.rope_width
    head = model.head_width + model.rope_width + model.value_width
    return 2.0 * (2.0 * heads * (latent + head) + model.query_latent_width + 2.0 * latent + model.width)


def prefetched_bytes(one: Pass) -> float:
    """Bytes read ahead in one layer and for the logits."""
    entries = (*one.attention, *one.mlp, one.ends.logits)
    return sum(entry.prefetched_bytes for entry in entries)


@pytest.mark.parametrize("model", ["llama3_8b", "llama3_70b", "qwen2_72b"])
@pytest.mark.parametrize("batch", [1.0, 4.0, 64.0])
def test_larger_l2_never_helps_decode_without_technique(model: str, batch: float) -> None:
    """From its working set of at most 5 MiB to 1 GiB, to the last bit; below it, decode is slower."""
    at = setting(model=model, batch=batch)
    enough = working_set_bytes(at, batch) / MIB
    assert enough < 5.0
    reference = decode_s(with_l2(at, enough), batch, CONTEXT)
    for mib in (8.0, 50.0, 192.0, 1024.0):
        assert decode_s(with_l2(at, mib), batch, CONTEXT) == reference
    assert decode_s(with_l2(at, enough / 64.0), batch, CONTEXT) > reference


@settings(max_examples=60)
@given(settings_of(most_stages=3), spread(1.0, 1000.0))
def test_decode_does_not_feel_l2_beyond_its_working_set(at: Setting, factor: float) -> None:
    off = at._replace(technique=OFF)
    enough = working_set_bytes(off, off.traffic.batch)
    reference = decode_s(with_device(off, l2_bytes=enough), off.traffic.batch, CONTEXT)
    assert decode_s(with_device(off, l2_bytes=enough * factor), off.traffic.batch, CONTEXT) == reference


@pytest.mark.parametrize("model", ["llama3_8b", "llama3_70b"])
def test_larger_l2_helps_prefill_until_its_matmuls_are_compute_bound(model: str) -> None:
    """Each matmul gets faster while HBM holds it back, and not at all from the L2 on at which its FLOPs do.

    For 2 M N K FLOPs at rate F, 2 M N K b / sqrt(C / b) bytes pass at rate W: equal times at C = b (b F / W)^2, in int8
    (1 x 597e12 / 1.26e12)^2 B = 0.2 MiB, and more where the activations that spill take much of W: of the 2^-6 ... 2^10
    MiB tried, at most 16 MiB, for the short product (K = 512) behind the attention of the 8B model.
    """
    at = overlapping(setting(model=model))
    for name in MATMULS:
        found = [matmul(prefill(with_l2(at, 2.0**power), 4.0), name) for power in range(-6, 11)]
        times, bound = [entry[0] for entry in found], [entry[1] for entry in found]
        first = bound.index(True)
        assert 0 < first <= 10, name
        assert bound == [False] * first + [True] * (len(bound) - first), name
        assert all(smaller > larger for smaller, larger in pairwise(times[:first + 1])), name
        assert len(set(times[first:])) == 1, name


def overlapping(at: Setting) -> Setting:
    """The same setting with all reading that is shorter than computing hidden behind it, and the other way round."""
    return at._replace(style=at.style._replace(unhidden_bytes=0.0))


def matmul(one: Pass, name: str) -> tuple[float, bool]:
    """Time of a matmul, and whether compute (or L2), not HBM, holds it back."""
    entry = (one.attention._asdict() | one.mlp._asdict())[name]
    return entry.time_s, max(entry.compute_s, entry.l2_s) >= entry.hbm_s


def test_larger_l2_then_saves_prefill_no_more_than_the_activations_it_keeps() -> None:
    """Beyond 8 MiB, 184 MiB more save at most their own bytes in HBM traffic, for each operator that spills."""
    at = overlapping(setting())
    small, large = with_l2(at, 8.0), with_l2(at, 192.0)
    spilling = 8.0 * at.model.layers + 3.0
    saved = prefill_s(small, 4.0) - prefill_s(large, 4.0)
    assert 0.0 < saved <= spilling * 184.0 * MIB / machine(at.device, at.style, at.precision).hbm_bytes_per_s
    assert saved < 0.03 * prefill_s(small, 4.0)


@pytest.mark.parametrize("technique", PREFETCHING)
@pytest.mark.parametrize("hardware", ["ascend_910b", "a100"])
def test_gain_grows_with_l2_until_window_or_candidates_are_covered(hardware: str, technique: str) -> None:
    """More is read ahead with every MiB up to that L2, and from it on nothing changes, to the last bit.

    It is what must stay in L2, twice the message, and the lesser of the window and the largest candidates.
    """
    at = setting(hardware, technique=technique)
    shared = step(4.0, 4.0, at.parallelism, machine(at.device, at.style, at.precision), at.model,
                  shard(at.model, at.parallelism), at.precision, at.technique)
    message = 4.0 * at.model.width * at.precision.residual_bytes
    window = shared.on.hbm_bytes_per_s * shared.by.mlp_reduce.time_s - shared.by.mlp_reduce.hbm_bytes
    covered = (2.0 * message + min(window, largest_candidates(at))) / MIB
    sizes = [covered * share for share in (0.1, 0.3, 0.5, 0.7, 0.9, 0.999, 1.0001, 1.1, 2.0, 20.0)]
    read = [prefetched_bytes(decode(with_l2(at, mib), 4.0, CONTEXT)) for mib in sizes]
    gain = [decode_s(with_l2(with_technique(at, "none"), mib), 4.0, CONTEXT) / decode_s(with_l2(at, mib), 4.0, CONTEXT)
            for mib in sizes]
    assert all(less < more for less, more in pairwise(read[:7]))
    assert len(set(read[6:])) == 1
    assert all(less <= more for less, more in pairwise(gain[:7]))
    assert len(set(gain[6:])) == 1
    assert gain[0] < gain[3] < gain[6]


def largest_candidates(at: Setting) -> float:
    """Bytes that the hungriest window could read: attention, MLP or logits."""
    one = decode(at._replace(technique=OFF), 4.0, CONTEXT)
    weights, cache = at.technique.prefetch_weights, at.technique.prefetch_kv_cache
    attention = weights * (one.attention.qkv.hbm_bytes + one.attention.output.hbm_bytes)
    mlp = weights * (one.mlp.gate_up.hbm_bytes + one.mlp.down.hbm_bytes)
    return max(attention + cache * one.attention.attention.hbm_bytes, mlp, weights * one.ends.logits.hbm_bytes)


@settings(max_examples=60)
@given(settings_of(), spread(1.0, 100.0))
def test_larger_l2_is_never_slower(at: Setting, factor: float) -> None:
    larger = with_device(at, l2_bytes=at.device.l2_bytes * factor)
    batch = at.traffic.batch
    assert decode_s(larger, batch, at.traffic.prompt_tokens) <= decode_s(at, batch, at.traffic.prompt_tokens)
    assert prefill_s(larger, batch) <= prefill_s(at, batch)


def assert_no_gain(at: Setting) -> None:
    """Not a bit of time is gained, in decode or prefill."""
    off, batch, context = at._replace(technique=OFF), at.traffic.batch, at.traffic.prompt_tokens
    assert decode_s(at, batch, context) == decode_s(off, batch, context)
    assert prefill_s(at, batch) == prefill_s(off, batch)


@settings(max_examples=60)
@given(settings_of())
def test_no_gain_on_a_single_device(at: Setting) -> None:
    """No collective, no window."""
    assert_no_gain(with_split(at, 1.0))


@settings(max_examples=60)
@given(settings_of(names=PREFETCHING))
def test_no_gain_with_an_l2_no_larger_than_the_working_set(at: Setting) -> None:
    """The all-reduce's message, arriving and leaving, takes the whole L2."""
    message = at.traffic.batch * at.model.width * at.precision.residual_bytes
    assert_no_gain(with_split(with_device(at, l2_bytes=2.0 * message), at.parallelism.tensor_parallel))


@settings(max_examples=60)
@given(settings_of(names=PREFETCHING))
def test_no_gain_for_a_compute_bound_consumer(at: Setting) -> None:
    """As much is read ahead as with fast matrix units, but all in vain, where computing hides all reading."""
    assume(at.parallelism.tensor_parallel > 1.0)
    slow = compute_bound(overlapping(at))
    batch, context = at.traffic.batch, at.traffic.prompt_tokens
    one = decode(slow, batch, context)
    assert all(entry.hidden_s == 0.0 for entry in consumers(one))
    assert one.pass_s == decode(slow._replace(technique=OFF), batch, context).pass_s
    assert prefetched_bytes(one) == prefetched_bytes(decode(at, batch, context))


def consumers(one: Pass) -> tuple[OperatorTime, ...]:
    """Every operator whose reads may come early."""
    first, second = one.attention, one.mlp
    return first.qkv, first.attention, first.output, second.gate_up, second.down, one.ends.logits


def compute_bound(at: Setting) -> Setting:
    """The same setting with matrix units so slow that each of these operators computes for longer than it reads.

    Far slower than that takes, since the inner dimension is split over idle cores once computing is what counts.
    """
    off = decode(at._replace(technique=OFF), at.traffic.batch, at.traffic.prompt_tokens)
    slower = max(entry.hbm_s / entry.compute_s for entry in consumers(off))
    return with_device(at, matrix_flops_per_cycle=at.device.matrix_flops_per_cycle / max(1.0, 1000.0 * slower))


@settings(max_examples=60)
@given(settings_of(most_stages=3), spread(1e-3, 1e3))
def test_prefetching_is_never_slower_than_none(at: Setting, limit_mib: float) -> None:
    """With no limit of its own, nor with any that a managed L2 cuts down to what is free."""
    off, batch, context = at._replace(technique=OFF), at.traffic.batch, at.traffic.prompt_tokens
    limited = at._replace(technique=at.technique._replace(prefetch_limit_bytes=limit_mib * MIB, managed_l2=1.0))
    for on in (at, limited):
        assert decode_s(on, batch, context) <= decode_s(off, batch, context)
        assert prefill_s(on, batch) <= prefill_s(off, batch)


@pytest.mark.parametrize("technique", PREFETCHING)
def test_a_limit_above_the_free_l2_loses_what_was_gained(technique: str) -> None:
    """8 MiB of L2, less a message of 64 KiB in and out, leave 7.875 free: 12 MiB evict some, 16 MiB win nothing."""
    at = with_l2(setting(technique=technique), 8.0)
    at = with_device(at, link_latency_s=2e-5)
    none, free = decode_s(with_technique(at, "none"), 4.0, CONTEXT), decode_s(at, 4.0, CONTEXT)
    at_free, above, far = (decode_s(with_technique(at, technique, limit_mib=limit), 4.0, CONTEXT)
                           for limit in (7.875, 12.0, 16.0))
    assert free == at_free < above < far == none


@pytest.mark.parametrize("model", ["llama3_8b", "llama3_70b", "qwen2_7b", "qwen2_72b", "phi3_medium"])
def test_preserve_gains_what_its_halves_gain_where_nothing_is_short(model: str) -> None:
    """With windows and L2 for all candidates, the halves add up, so that both together are at least either."""
    at = with_device(with_l2(setting(model=model), 1024.0), link_latency_s=1e-3)
    none, both, weights, cache = (decode_s(with_technique(at, name), 4.0, CONTEXT) for name in ("none", *PREFETCHING))
    assert none - both == pytest.approx((none - weights) + (none - cache), rel=1e-9)
    assert none - both > max(none - weights, none - cache) > 0.0


@settings(max_examples=60)
@given(settings_of())
def test_preserve_gains_no_less_than_its_halves_where_hbm_binds(at: Setting) -> None:
    """Where every byte read ahead saves its time (compute and L2 out of the way), more candidates are never worse."""
    fast = with_style(with_device(at, l2_bytes_per_s=1e18, matrix_flops_per_cycle=1e12), matmul_wave_s=0.0)
    batch, context = at.traffic.batch, at.traffic.prompt_tokens
    both, weights, cache = (decode_s(fast._replace(technique=TechniqueTerms(weight, kv, math.inf)), batch, context)
                            for weight, kv in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0)))
    assert both <= min(weights, cache) * (1.0 + 1e-12)


def test_a_limit_far_above_the_free_l2_is_slower_than_none() -> None:
    """All of what an 8 MiB L2 cannot hold is read twice: once in vain under the collective, once after it."""
    at = with_l2(setting(), 8.0)
    limited = with_technique(at, "preserve", limit_mib=64.0)
    none, sized, obeyed = (decode_s(one, 4.0, CONTEXT) for one in (at, with_technique(at, "preserve"), limited))
    assert sized < none < obeyed
    assert decode_s(with_technique(at, "preserve", limit_mib=64.0, managed_l2=True), 4.0, CONTEXT) == sized


def test_reading_in_order_can_gain_less_than_the_better_half() -> None:
    """Weights come first, wanted or not: at batch 256 the matmuls are held back by compute, and L2 is lost to them.

    On two Ascend 910B the window's whole L2 goes to QKV and output weights, which gain nothing, before the KV-cache,
    which alone would gain. Where compute hides all reading, that is.
    """
    at = overlapping(setting(tensor_parallel=2.0, batch=256.0))
    none, both, weights, cache = (decode_s(with_technique(at, name), 256.0, 2048.0) for name in ("none", *PREFETCHING))
    assert none == weights > both > cache
