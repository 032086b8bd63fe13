"""Mixtures of experts by hand: what is touched, with how many rows, what is sent where, and what is kept."""

from __future__ import annotations

import math

import pytest
from builders import option, setting, with_technique
from designs import any_models, whole
from hypothesis import given

from dse.latency.communication import communication
from dse.latency.experts import copies_per_token, tokens_per_expert, touched_share
from dse.latency.memory import expert_shards, shard, weights_per_device_bytes
from dse.latency.phases import decode, prefill
from dse.latency.setting import Setting
from dse.model.language_model import LanguageModel, language_model
from dse.workload import Parallelism

MIXTURES = ("mixtral_8x7b", "mixtral_8x22b", "qwen2_57b_a14b", "qwen3_30b_a3b", "qwen3_235b_a22b", "deepseek_v2_lite",
            "deepseek_v2", "deepseek_v3", "kimi_k2")
MIXTRAL = {"hardware": "h100", "model": "mixtral_8x7b", "number_format": "bf16", "batch": 1.0}
V3 = {"hardware": "h200", "model": "deepseek_v3", "number_format": "fp8"}
ON_EIGHT = Parallelism(1.0, 1.0, 8.0, 8.0, 0.0, 0.0)  # a copy of attention and an eighth of the experts on each


def model(name: str) -> LanguageModel:
    return language_model(option("model", name))


def at_v3(parallelism: Parallelism, batch: float = 1024.0) -> Setting:
    return setting(**V3, batch=batch)._replace(parallelism=parallelism)


def test_one_token_of_mixtral_touches_its_two_experts() -> None:
    """2 of 8: gate and up are 2 x 4096 x 28672 numbers of 2 bytes, on one device; each has one row."""
    at = setting(**MIXTRAL, tensor_parallel=1.0)
    assert touched_share(at.model, 1.0) == 0.25
    assert tokens_per_expert(at.model, 1.0) == 1.0
    found = decode(at, 1.0, 1000.0).experts
    assert found.expert_gate_up.hbm_bytes == 2.0 * 4096.0 * 28672.0 * 2.0
    assert found.expert_down.flops == 2.0 * 2.0 * 14336.0 * 4096.0


def test_deepseek_v3_at_batch_32() -> None:
    """1 - (248 / 256)^32 = 1 - 0.36206: 163.3 of 256 experts; 32 x 8 rows over them are 1.568 each."""
    share = touched_share(model("deepseek_v3"), 32.0)
    assert share == pytest.approx(0.63794, abs=1e-5)
    assert 256.0 * share == pytest.approx(163.3, abs=0.05)
    assert tokens_per_expert(model("deepseek_v3"), 32.0) == pytest.approx(256.0 / 163.31, rel=1e-4)


@given(any_models(most_layers=2), whole(1, 4096))
def test_rows_of_touched_experts_are_all_there_are(model: LanguageModel, tokens: float) -> None:
    """Experts x share x rows = tokens x experts of a token; no expert has more rows than there are tokens."""
    if model.experts > 0.0:
        rows, share = tokens_per_expert(model, tokens), touched_share(model, tokens)
        assert model.experts * share * rows == pytest.approx(tokens * model.experts_per_token, rel=1e-9)
        assert 1.0 - 1e-9 <= rows <= tokens * (1.0 + 1e-9)
        assert share <= 1.0


@pytest.mark.parametrize("name", MIXTURES)
def test_copies_are_those_of_the_binomials(name: str) -> None:
    """A part with m of E experts has none of k different ones with C(E - m, k) / C(E, k)."""
    shape = model(name)
    experts, taken = int(shape.experts), int(shape.experts_per_token)
    for parts in (part for part in range(1, experts + 1) if experts % part == 0):
        missed = math.comb(experts - experts // parts, taken) / math.comb(experts, taken)
        assert copies_per_token(shape, float(parts)) == pytest.approx(parts * (1.0 - missed), rel=2e-3)


def test_copies_at_the_ends() -> None:
    """Mixtral's two experts lie on two of eight devices; all experts of all are everywhere; a part without is none."""
    mixtral = model("mixtral_8x7b")
    assert copies_per_token(mixtral, 8.0) == pytest.approx(2.0, rel=1e-12)
    assert copies_per_token(mixtral, 1.0) == pytest.approx(1.0, rel=1e-12)
    assert copies_per_token(mixtral, 16.0) == pytest.approx(2.0, rel=1e-12)
    everything = mixtral._replace(experts_per_token=8.0)
    assert [copies_per_token(everything, parts) for parts in (1.0, 2.0, 4.0, 8.0)] == [1.0, 2.0, 4.0, 8.0]
    assert copies_per_token(model("llama3_8b"), 8.0) == 0.0


def test_dispatch_of_deepseek_v3_on_eight_devices() -> None:
    """128 tokens a device go to 5.2947 of 8 devices, 7168 numbers each, 7 of 8 copies over the links.

    8 (1 - C(224, 8) / C(256, 8)) = 5.2947. There in fp8: 128 x 5.2947 x 7168 x 7 / 8 = 4.251e6 bytes; back in bf16
    twice that.
    """
    at = at_v3(ON_EIGHT._replace(all_to_all=1.0))
    found = decode(at, 1024.0, 4096.0).experts
    there = 128.0 * 5.2947 * 7168.0 * 7.0 / 8.0
    assert there == pytest.approx(4.251e6, rel=1e-3)
    assert found.dispatch.link_bytes == pytest.approx(there, rel=2e-4)
    assert found.combine.link_bytes == pytest.approx(2.0 * there, rel=2e-4)


def test_gathered_tokens_of_deepseek_v3_on_eight_devices() -> None:
    """Each device sends seven others its 128 of 1024 tokens: 7 / 8 x 1024 x 7168 x 2 bytes, and as many come back."""
    found = decode(at_v3(ON_EIGHT), 1024.0, 4096.0).experts
    assert found.dispatch.link_bytes == found.combine.link_bytes == 7.0 / 8.0 * 1024.0 * 7168.0 * 2.0


def test_experts_work_on_the_sequences_there_are() -> None:
    """One sequence on eight copies of attention: eight experts are touched, one on each device.

    The other seven copies idle; their device's experts work on the token all the same.
    """
    at = at_v3(ON_EIGHT, batch=1.0)
    found = decode(at, 1.0, 4096.0).experts
    assert found.expert_gate_up.flops == pytest.approx(2.0 * 8.0 / 8.0 * 7168.0 * 4096.0, rel=1e-9)
    assert found.dispatch.link_bytes == 7.0 / 8.0 * 1.0 * 7168.0 * 2.0
    alike = [decode(at, batch, 4096.0).attention for batch in (1.0, 8.0)]
    assert alike[0].qkv == alike[1].qkv


def test_weights_of_deepseek_v3_in_fp8_on_eight_devices() -> None:
    """Data-parallel attention: 97.54e9 bytes on each, a byte a number but for embedding, logits and router (two).

    Attention, whole: 7168 x 1536 + 1536 x 128 x 192 + 7168 x 576 + 512 x 128 x 256 + 128 x 128 x 7168 = 187,105,280.
    Three dense layers by eight: 3 x 7168 x 2304. 58 layers of 32 experts and an eighth of the shared one: 3 x 7168 x
    (65536 + 256), and routers of 7168 x 256. Embedding and logits: 2 x 129280 x 7168.
    """
    at = at_v3(ON_EIGHT)
    attention = 7168 * 1536 + 1536 * 128 * 192 + 7168 * 576 + 512 * 128 * 256 + 128 * 128 * 7168
    assert attention == 187_105_280
    layers = 61 * attention + 3 * 3 * 7168 * 2304 + 58 * (3 * 7168 * (65536 + 256) + 2 * 7168 * 256)
    expected = layers + 2 * 2 * 129280 * 7168
    assert expected == pytest.approx(97.54e9, rel=1e-4)
    part = shard(at.model, at.parallelism)
    assert weights_per_device_bytes(at.model, part, at.parallelism, at.precision) == expected


def test_each_device_has_the_shared_expert_where_tokens_are_sent() -> None:
    """2048 columns of it in place of 256, and as many rows as it has tokens of its own in place of all."""
    sent, gathered = (shard(at_v3(split_over).model, split_over)
                      for split_over in (ON_EIGHT._replace(all_to_all=1.0), ON_EIGHT))
    assert (sent.shared_width, gathered.shared_width) == (2048.0, 256.0)
    flops = [decode(at_v3(split_over), 1024.0, 4096.0).experts.shared_down.flops
             for split_over in (ON_EIGHT._replace(all_to_all=1.0), ON_EIGHT)]
    assert flops == [2.0 * 128.0 * 2048.0 * 7168.0, 2.0 * 1024.0 * 256.0 * 7168.0]


@pytest.mark.parametrize(("parts", "experts", "shards"), [(1.0, 256.0, 8.0), (2.0, 128.0, 4.0), (3.0, 86.0, 2.0),
                                                          (8.0, 32.0, 1.0), (16.0, 16.0, 1.0)])
def test_experts_are_dealt_to_parts_and_split_within(parts: float, experts: float, shards: float) -> None:
    """Eight devices: three parts have two devices each and two are left over; sixteen parts are a violation."""
    split_over = ON_EIGHT._replace(expert_parallel=parts)
    part = shard(model("deepseek_v3"), split_over)
    assert (part.experts, expert_shards(split_over)) == (experts, shards)
    assert part.expert_width == 2048.0 / shards


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_one_expert_that_all_take_is_a_dense_layer_and_its_router(phase: str) -> None:
    """A model whose only expert is as wide as its feed-forward network takes that much longer."""
    at = setting(hardware="h100", model="llama3_8b", number_format="bf16", technique="none")
    one = at._replace(model=at.model._replace(experts=1.0, experts_per_token=1.0, expert_width=at.model.ffn_width))
    passes = [prefill(of, 4.0) if phase == "prefill" else decode(of, 4.0, 2048.0) for of in (at, one)]
    added = passes[1].experts
    for name in ("gate_up", "activation", "down"):
        assert getattr(added, f"expert_{name}") == getattr(passes[0].mlp, name)
    assert (added.combine, added.dispatch) == (passes[0].mlp.mlp_reduce, passes[0].mlp.mlp_gather)
    extra = added.router.time_s + added.expert_gather.time_s + added.expert_sum.time_s
    assert passes[1].pass_s == pytest.approx(passes[0].pass_s + 32.0 * extra, rel=1e-12)
    assert passes[0].attention == passes[1].attention


def test_the_sum_reads_each_copy_and_writes_each_token() -> None:
    """16 tokens of Mixtral in prompt, on one device: 32 copies read and 16 rows written, of 4096 numbers of 2 bytes."""
    at = setting(**{**MIXTRAL, "batch": 1.0}, tensor_parallel=1.0, prompt_tokens=16.0)
    found = prefill(at, 1.0).experts
    assert found.expert_sum.l2_bytes == pytest.approx((32.0 + 16.0) * 4096.0 * 2.0, rel=1e-12)
    assert found.expert_gather.l2_bytes == pytest.approx(2.0 * 32.0 * 4096.0 * 2.0, rel=1e-12)
    assert found.expert_sum.flops == pytest.approx(2.0 * 32.0 * 4096.0, rel=1e-12)


def test_a_router_is_read_ahead_under_what_ends_attention_alone() -> None:
    """With a copy of attention on each device nothing ends it but the gathering, which the router comes before."""
    whole, parted = (decode(with_technique(at_v3(split_over), "preserve_weights"), 64.0, 4096.0).experts
                     for split_over in (ON_EIGHT, Parallelism(8.0, 1.0, 1.0, 8.0, 1.0, 0.0)))
    assert whole.router.prefetched_bytes == 0.0 < whole.shared_gate_up.prefetched_bytes
    assert parted.router.prefetched_bytes == 7168.0 * 256.0 * 2.0


def test_known_routing_reads_no_more_than_is_touched() -> None:
    """Blind reading finds the touched share of what it read, known routing all of it."""
    at = at_v3(Parallelism(8.0, 1.0, 1.0, 8.0, 0.0, 0.0), batch=8.0)
    blind, known = (decode(with_technique(at, "preserve_weights", known_routing=knows), 8.0, 4096.0).experts
                    for knows in (False, True))
    share = touched_share(at.model, 8.0)
    assert 0.0 < blind.expert_gate_up.prefetched_bytes < known.expert_gate_up.prefetched_bytes
    assert blind.expert_gate_up.prefetched_bytes == pytest.approx(share * known.expert_gate_up.prefetched_bytes)


def test_messages_of_one_layer_by_hand() -> None:
    """Four tokens on each of two copies of two devices: all 8 gathered over four devices, 3 / 4 of them from others."""
    at = setting(**MIXTRAL)._replace(parallelism=Parallelism(2.0, 1.0, 2.0, 4.0, 0.0, 0.0))
    by = communication(4.0, 8.0, at.parallelism, at.device, at.style, at.model, at.precision)
    token = 4096.0 * 2.0
    assert (by.own_rows, by.all_rows) == (2.0, 8.0)
    assert by.attention_gather.link_bytes == by.attention_reduce.link_bytes == 0.5 * 4.0 * token
    assert by.dispatch.link_bytes == by.combine.link_bytes == 0.75 * 8.0 * token
