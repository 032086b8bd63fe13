"""A better machine is never slower, more work never faster, and no resource does more than its rate allows.

With prefetching, a window can jump where another all-reduce becomes the fastest: a one-shot moves more HBM bytes than a
two-shot or an in-switch reduction in about the same time, and leaves less to the prefetch. Nor is the first layer's
window paid for where no collective like that which ends a layer follows the embedding. So with prefetching the laws are
asked only where the same kind of all-reduce is the fastest for both designs, and layers end as the embedding does;
without it everywhere.
"""

from __future__ import annotations

import itertools

import pytest
from builders import setting, with_device, with_style, with_traffic
from designs import settings_of, spread
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.latency.phases import Pass, decode, decode_s, prefill, prefill_s
from dse.latency.roofline import OperatorTime
from dse.latency.setting import Setting
from dse.latency.style import LatencyStyle
from dse.latency.work import pass_work
from dse.technique.terms import OFF

ROUNDING = 1.0 + 1e-12
SPEEDS = ("hbm_bytes_per_s", "link_bytes_per_s", "l2_bytes_per_s", "cores", "clock_hz", "matrix_flops_per_cycle",
          "vector_flops_per_cycle")
FLOORS = tuple(name for name in LatencyStyle._fields if name.endswith("_s"))
SHARES = ("hbm_share", "matmul_share", "attention_share", "one_shot_link_share", "two_shot_link_share")


def assert_no_slower(better: Setting, worse: Setting) -> None:
    """Prefill and decode of `better` take no longer than those of `worse`, with and without its technique."""
    for first, second in ((better._replace(technique=OFF), worse._replace(technique=OFF)), (better, worse)):
        for phase in (prefill_at, decode_at):
            one, other = phase(first), phase(second)
            alike = all_reduce_kind(one, first) == all_reduce_kind(other, second)
            if first.technique == OFF or (alike and ends_as_it_begins(one) and ends_as_it_begins(other)):
                assert one.pass_s <= other.pass_s * ROUNDING, phase.__name__


def prefill_at(at: Setting) -> Pass:
    return prefill(at, at.traffic.batch)


def decode_at(at: Setting) -> Pass:
    return decode(at, at.traffic.batch, at.traffic.prompt_tokens)


def ends_as_it_begins(one: Pass) -> bool:
    """Whether the collective that ends a layer takes as long as that after the embedding."""
    last = one.experts.combine if one.layers > one.dense_layers else one.mlp.mlp_reduce
    return (last.floor_s, last.link_s) == (one.ends.embedding_reduce.floor_s, one.ends.embedding_reduce.link_s)


def all_reduce_kind(one: Pass, at: Setting) -> int:
    """Link bytes over message bytes tell which all-reduce is the fastest: N - 1, 2 (N - 1) / N, 2 or 1 + 1 / N."""
    reduced = one.attention.attention_reduce.link_bytes
    kept = one.ends.embedding.l2_bytes  # the embedding's rows, read and written
    return round(1e6 * reduced / kept)


@pytest.mark.parametrize("speed", SPEEDS)
@settings(max_examples=20)
@given(at=settings_of(), factor=spread(1.001, 30.0))
def test_a_faster_device_is_never_slower(speed: str, at: Setting, factor: float) -> None:
    assert_no_slower(with_device(at, **{speed: getattr(at.device, speed) * factor}), at)


@pytest.mark.parametrize("share", SHARES)
@settings(max_examples=20)
@given(at=settings_of(), factor=st.floats(0.3, 0.99))
def test_a_larger_share_is_never_slower(share: str, at: Setting, factor: float) -> None:
    assert_no_slower(at, with_style(at, **{share: getattr(at.style, share) * factor}))


@settings(max_examples=60)
@given(settings_of(), spread(1.001, 100.0))
def test_a_longer_link_latency_is_never_faster(at: Setting, factor: float) -> None:
    assert_no_slower(at, with_device(at, link_latency_s=at.device.link_latency_s * factor))


@pytest.mark.parametrize("floor", FLOORS)
@settings(max_examples=20)
@given(at=settings_of(), more_s=spread(1e-8, 1e-4))
def test_a_longer_floor_is_never_faster(floor: str, at: Setting, more_s: float) -> None:
    assert_no_slower(at, with_style(at, **{floor: getattr(at.style, floor) + more_s}))


@settings(max_examples=60)
@given(settings_of(), st.integers(1, 64))
def test_more_sequences_are_never_faster(at: Setting, more: int) -> None:
    assert_no_slower(at, with_traffic(at, batch=at.traffic.batch + more))


@pytest.mark.parametrize(("chip", "model"), [("h100", "llama3_8b"), ("a100", "llama3_70b")])
def test_no_batch_is_faster_than_a_smaller_one(chip: str, model: str) -> None:
    """One by one on one device, through every wave of tiles: random pairs of batches miss a fall of a few percent."""
    at = setting(chip, model, "bf16", tensor_parallel=1.0)
    times = [decode_s(at, float(batch), 16.0) for batch in range(1, 321)]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))


def test_no_prompt_is_faster_than_a_shorter_one() -> None:
    at = setting("h100", "llama3_8b", "bf16", tensor_parallel=1.0, batch=1.0)
    times = [prefill_s(with_traffic(at, prompt_tokens=float(tokens)), 1.0) for tokens in range(1, 321)]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))


@settings(max_examples=60)
@given(settings_of(), st.integers(1, 8192))
def test_more_context_is_never_faster(at: Setting, more: int) -> None:
    assert_no_slower(at, with_traffic(at, prompt_tokens=at.traffic.prompt_tokens + more))


@settings(max_examples=60)
@given(settings_of(most_stages=4), st.integers(1, 64), st.integers(1, 8192))
def test_a_pipeline_with_more_work_is_never_faster(at: Setting, sequences: int, tokens: int) -> None:
    """Stages, micro-batches and all, without technique."""
    off, batch, context = at._replace(technique=OFF), at.traffic.batch, at.traffic.prompt_tokens
    longer = with_traffic(off, prompt_tokens=context + tokens)
    assert decode_s(off, batch, context) <= ROUNDING * decode_s(off, batch + sequences, context + tokens)
    assert prefill_s(off, batch) <= ROUNDING * prefill_s(longer, batch + sequences)


@settings(max_examples=60)
@given(settings_of())
def test_no_resource_does_more_than_its_rate_allows(at: Setting) -> None:
    """The time of a pass is no less than its compute, its L2, HBM (what was read ahead too) and link bytes at peak.

    The first layer reads ahead as if another had come before it, which an embedding without a collective is not.
    """
    for one in (prefill_at(at), decode_at(at)):
        work = pass_work(one, 1.0)
        mixed = one.layers - one.dense_layers
        blocks = ((one.layers, one.attention), (one.dense_layers, one.mlp), (mixed, one.experts))
        layers_s = sum(count * entry.compute_s for count, block in blocks for entry in block)
        compute_s = layers_s + one.ends.final_norm.compute_s + one.ends.logits.compute_s
        busiest = (compute_s, work.l2_bytes / at.device.l2_bytes_per_s, work.link_bytes / at.device.link_bytes_per_s,
                   work.hbm_bytes / (at.device.hbm_bytes_per_s * at.style.hbm_share))
        if at.technique == OFF or ends_as_it_begins(one):
            assert max(busiest) <= one.pass_s * ROUNDING


@settings(max_examples=60)
@given(settings_of())
def test_an_operator_takes_its_floor_and_its_busiest_resource(at: Setting) -> None:
    """And what of the shorter of compute and HBM is not hidden; a collective, hidden or not, its start-up and links."""
    for one in (prefill_at(at), decode_at(at)):
        entries: tuple[OperatorTime, ...] = (*one.attention, *one.mlp, *one.experts, *one.ends)
        for entry in entries:
            bare = at.style.unhidden_bytes
            share = bare / max(1.0, bare + entry.hbm_bytes + entry.prefetched_bytes)
            longer, shorter = max(entry.compute_s, entry.hbm_s), min(entry.compute_s, entry.hbm_s)
            busiest = max(entry.l2_s, entry.link_s, longer + share * shorter)
            overlapped_s = entry.hidden_s if entry.link_s > 0.0 else 0.0
            assert entry.time_s + overlapped_s == pytest.approx(entry.floor_s + busiest, rel=1e-12, abs=0.0)
            assert min(entry.hidden_s, entry.hbm_bytes) >= 0.0
