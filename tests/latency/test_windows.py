"""The closed form of the prefetch windows against an independent simulation of the same streams."""

from __future__ import annotations

import math

import pytest
from builders import PREFETCHING, setting, with_device, with_technique
from designs import settings_of
from hypothesis import given, settings
from hypothesis import strategies as st
from latency.event_simulation import (
    L2_FULL,
    LIMIT,
    NOTHING_LEFT,
    WINDOW_END,
    Chip,
    Operator,
    Outcome,
    Transfer,
    simulate,
)
from latency.programs import chip, program

from dse.latency.machine import machine
from dse.latency.memory import shard
from dse.latency.operators import Tokens
from dse.latency.phases import Pass, single_pass
from dse.latency.setting import Setting

MIB = 2.0**20
EQUAL = 1e-9
TINY_BYTES = 1e-5  # a window is the difference of two numbers of up to 1e10 bytes, each rounded to 16 digits


def closed_form(at: Setting, tokens: Tokens) -> Pass:
    return single_pass(tokens, machine(at.device, at.style, at.precision), shard(at.model, at.parallelism), at)


def simulated(at: Setting, tokens: Tokens) -> Outcome:
    return simulate(program(at, tokens), chip(at))


def assert_same(at: Setting, tokens: Tokens) -> Outcome:
    """Both give the same time, and the same prefetched bytes for every operator of every layer."""
    closed, run = closed_form(at, tokens), simulated(at, tokens)
    ends, second = closed.ends, closed.experts if at.model.experts else closed.mlp
    start_s = ends.embedding.time_s + ends.embedding_reduce.time_s - second[-1].time_s
    assert run.time_s == pytest.approx(closed.pass_s - start_s, rel=EQUAL, abs=0.0)
    expected = {**closed.attention._asdict(), **second._asdict(), **ends._asdict()}
    items = program(at, tokens)
    assert len(items) == len(run.prefetched_bytes) > 8 * at.model.layers
    for item, found in zip(items, run.prefetched_bytes, strict=True):
        used = found * item.useful if isinstance(item, Operator) else found
        assert used == pytest.approx(expected[item.name].prefetched_bytes, rel=EQUAL, abs=TINY_BYTES), item.name
    return run


def alike(most_layers: int, **limits: int) -> st.SearchStrategy[Setting]:
    """A random setting of any kind of parallelism, all of whose layers are alike: with experts, or without.

    Nothing overlaps: the simulation's collectives stand alone.
    """
    return settings_of(most_layers=most_layers, names=("none", *PREFETCHING), **limits).map(
        lambda at: at._replace(model=at.model._replace(dense_layers=0.0)))


@st.composite
def limited(draw: st.DrawFn) -> Setting:
    """A random setting on one group of devices; half of them with a limit of at most the free L2."""
    at = draw(alike(most_layers=4))
    message = at.traffic.batch * at.model.width * at.precision.residual_bytes
    free = max(0.0, at.style.l2_usable_share * at.device.l2_bytes - 2.0 * message)
    limit = draw(st.one_of(st.just(math.inf), st.floats(0.0, 1.0).map(lambda share: share * free)))
    return at._replace(technique=at.technique._replace(prefetch_limit_bytes=limit, managed_l2=1.0))


@settings(max_examples=80)
@given(limited())
def test_decode_equals_the_simulation(at: Setting) -> None:
    assert_same(at, Tokens(at.traffic.batch, 1.0, at.traffic.prompt_tokens))


@settings(max_examples=60)
@given(alike(most_layers=4, most_tokens=4096))
def test_prefill_equals_the_simulation(at: Setting) -> None:
    assert_same(at, Tokens(at.traffic.batch, at.traffic.prompt_tokens, 0.0))


@settings(max_examples=60)
@given(alike(most_layers=3), st.floats(1.0, 30.0))
def test_short_prompts_equal_the_simulation(at: Setting, l2_messages: float) -> None:
    """A few prompt tokens, and an L2 of a few messages: the prefill whose windows are open, but not wide."""
    tokens = Tokens(1.0, min(8.0, at.traffic.prompt_tokens), 0.0)
    message = tokens.new * at.model.width * at.precision.residual_bytes
    assert_same(with_device(at, l2_bytes=l2_messages * message), tokens)


def small(technique: str, **changes: float) -> Setting:
    """Three layers of Llama-3-70B on eight Ascend 910B, batch 4; `changes` of the device."""
    at = with_device(setting(technique=technique), **changes)
    return at._replace(model=at.model._replace(layers=3.0))


STEP = Tokens(4.0, 1.0, 16384.0)


def test_stops_with_the_window() -> None:
    """Collectives of a microsecond per device and hop leave no time to read 11 MB of QKV weights."""
    at = small("preserve", link_latency_s=0.0)
    at = at._replace(style=at.style._replace(one_shot_startup_s=0.0, one_shot_device_s=1e-7))
    assert assert_same(at, STEP).stops == [WINDOW_END] * 7 + [NOTHING_LEFT]


def test_stops_with_the_l2() -> None:
    """8 MiB hold neither the QKV weights (10 MiB) nor those of the MLP (84 MiB) nor of the logits."""
    assert assert_same(small("preserve", l2_bytes=8.0 * MIB), STEP).stops == [L2_FULL] * 7 + [NOTHING_LEFT]


def test_stops_with_the_candidates() -> None:
    """With links a hundred times slower the windows outlast all that may be read."""
    at = small("preserve", l2_bytes=1024.0 * MIB, link_bytes_per_s=1.96e9, link_latency_s=1e-3)
    assert assert_same(at, STEP).stops == [NOTHING_LEFT] * 8


def test_stops_with_the_limit() -> None:
    at = with_technique(small("preserve"), "preserve", limit_mib=4)
    assert assert_same(at, STEP).stops == [LIMIT] * 7 + [NOTHING_LEFT]


def test_windows_by_hand() -> None:
    """Two operators behind one collective, every number small enough to follow.

    The collective lasts 10 s and takes 2 of the 10 B/s of HBM: 8 B/s for 10 s would be 80 B. The first operator wants
    50 B, the second 60 B, of which 30 arrive. The first then reads nothing and takes 1 s floor + max(2 s compute,
    50 / 25 L2) = 3 s; the second 1 s + max(1 s, (30 + 10) / 10 HBM, 70 / 25 L2) = 5 s. In all 10 + 3 + 5 = 18 s.
    """
    first, second = Operator("1", 1.0, 2.0, 1.0, 50.0, 0.0, 50.0), Operator("2", 1.0, 1.0, 1.0, 60.0, 10.0, 70.0)
    items: list[Operator | Transfer] = [Transfer("reduce", 10.0, 20.0), first, second]
    run = simulate(items, Chip(10.0, 25.0, 100.0, math.inf))
    assert run == Outcome(18.0, [0.0, 50.0, 30.0], [WINDOW_END])
    items[0] = Transfer("reduce", 10.0, 20.0, 20.0)
    full = simulate(items, Chip(10.0, 25.0, 100.0, math.inf))  # 60 B free: 50 + 10, then 1 + 60 / 10 s
    assert full == Outcome(10.0 + 3.0 + 7.0, [0.0, 50.0, 10.0], [L2_FULL])
