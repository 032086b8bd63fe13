"""A window's bytes by hand, and where they go."""

from __future__ import annotations

import math

import pytest
from builders import option, setting, with_device, with_technique
from designs import spread
from hypothesis import given

from dse.latency.attention_block import attention_block
from dse.latency.machine import machine
from dse.latency.memory import shard
from dse.latency.operators import Tokens
from dse.latency.phases import decode
from dse.latency.setting import Setting
from dse.latency.step import Step, step
from dse.latency.window import Window, ahead
from dse.technique.registry import technique_terms

MIB = 2.0**20
PLAIN = technique_terms(option("technique", "preserve"))


@pytest.mark.parametrize(("free", "readable", "limit", "saved", "wasted"), [
    (80.0, 60.0, math.inf, 60.0, 0.0),  # the window is too short
    (40.0, 60.0, math.inf, 40.0, 0.0),  # the L2 is too small
    (40.0, 60.0, 30.0, 30.0, 0.0),  # the limit stops it before
    (40.0, 25.0, 30.0, 25.0, 0.0),  # the window ends before the limit
    (400.0, 600.0, math.inf, 200.0, 0.0),  # no more is wanted
    (40.0, 60.0, 50.0, 30.0, 20.0),  # 10 more than are free evict 10 of the 40, and these 10 others: 50 - 2 x 10
    (40.0, 60.0, 70.0, 0.0, 60.0),  # 30 too many lose 60 of the 60 that the window could read
    (40.0, 60.0, 80.0, -20.0, 60.0),  # twice the free space: all 80 are lost; 20 of them were read after the window
    (40.0, 100.0, 95.0, 0.0, 95.0),  # nothing is lost that was not read
    (0.0, 60.0, math.inf, 0.0, 0.0),
    (40.0, 60.0, 0.0, 0.0, 0.0),
])
def test_bytes_of_a_window(free: float, readable: float, limit: float, saved: float, wasted: float) -> None:
    """200 bytes are wanted. What is lost is read twice: in vain in the window, or once more after it."""
    found = ahead(200.0, 0.0, 1.0, Window(free, readable), PLAIN._replace(prefetch_limit_bytes=limit))
    assert found == pytest.approx((saved, wasted), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("readable", "limit", "saved", "wasted"), [
    (60.0, math.inf, 40.0 + 0.25 * 20.0, 15.0),  # 40 certain, 20 guessed, a quarter of them of use
    (30.0, math.inf, 30.0, 0.0),  # the window is over before any are guessed
    (30.0, 60.0, 40.0 + 5.0 - 30.0, 15.0),  # 30 go on after the window, 15 of them in vain
    (30.0, 100.0, 40.0 + 0.25 * 60.0 - 70.0, 30.0),  # 70 go on, and more of them in vain than the window saved: -15
])
def test_guessed_bytes_of_a_window(readable: float, limit: float, saved: float, wasted: float) -> None:
    """40 bytes are wanted for certain, 100 are guessed; 500 fit."""
    found = ahead(40.0, 100.0, 0.25, Window(500.0, readable), PLAIN._replace(prefetch_limit_bytes=limit))
    assert found == (saved, wasted)


@given(spread(1e3, 1e9), spread(1e3, 1e9), spread(1e3, 1e9), spread(1e3, 1e9))
def test_a_limit_never_beats_none(free: float, readable: float, limit: float, candidates: float) -> None:
    """It gives the same where it is between what fits or can be read and what is free, and less elsewhere.

    A managed L2 cuts it down to what is free: it never costs anything.
    """
    at = Window(free, readable)
    unlimited = ahead(candidates, 0.0, 1.0, at, PLAIN).saved_bytes
    limited = PLAIN._replace(prefetch_limit_bytes=limit)
    managed = ahead(candidates, 0.0, 1.0, at, limited._replace(managed_l2=1.0))
    assert ahead(candidates, 0.0, 1.0, at, limited).saved_bytes <= managed.saved_bytes <= unlimited
    assert managed.saved_bytes >= 0.0 == managed.wasted_bytes
    assert ahead(candidates, 0.0, 1.0, at, PLAIN._replace(prefetch_limit_bytes=free)).saved_bytes == unlimited


def test_prefetch_sweep_on_ascend_rises_to_the_free_l2_and_falls() -> None:
    """vllm-project/vllm-ascend PR 1509: 90.711 tokens/s without, 92.574 at 80 MB, 92.653 at 100, 92.073 at 120.

    Half of 192 MB being free and the window just long enough, the gain is largest at 100 MB and smaller at 120: what
    is read beyond the free L2 evicts what was read before.
    """
    gains = [ahead(400e6, 0.0, 1.0, Window(100e6, 100e6), PLAIN._replace(prefetch_limit_bytes=limit)).saved_bytes
             for limit in (10e6, 80e6, 100e6, 120e6)]
    assert gains == pytest.approx([10e6, 80e6, 100e6, 60e6], rel=1e-12)


def shared(at: Setting, rows: float = 4.0) -> Step:
    return step(rows, rows, at.parallelism, machine(at.device, at.style, at.precision), at.model,
                shard(at.model, at.parallelism), at.precision, at.technique)


def test_free_l2_is_what_the_message_leaves() -> None:
    """4 x 8192 x 2 bytes come in and go out: 2 x 64 KiB of 2 MiB, for a window that is long enough."""
    at = with_device(setting(technique="preserve"), l2_bytes=2.0 * MIB)
    assert shared(at).windows.mlp.free_bytes == 2.0 * MIB - 2.0 * 65536.0


def test_readable_bytes_are_what_the_collective_leaves() -> None:
    """All of the HBM's bandwidth for as long as the collective lasts, less what it moves itself."""
    at = setting(technique="preserve")
    found = shared(at)
    hbm = 1600e9 * at.style.hbm_share
    reduce = found.by.attention_reduce
    assert found.windows.mlp.readable_bytes == pytest.approx(hbm * reduce.time_s - reduce.hbm_bytes, rel=1e-12)
    assert found.windows.mlp.readable_bytes < 192.0 * MIB


@pytest.mark.parametrize(("technique", "expected"), [
    ("none", (0.0, 0.0, 0.0)),
    ("preserve", (10.0, 10.0, 0.0)),
    ("preserve_weights", (10.0, 0.0, 8.0)),
    ("preserve_kv", (0.0, 16.0, 0.0)),
])
def test_a_window_is_spent_in_order(technique: str, expected: tuple[float, float, float]) -> None:
    """20 MiB for QKV weights (10 MiB), KV-cache (16 MiB) and output weights (8 MiB): Llama-3-70B, int8, TP 8."""
    at = setting(technique=technique)
    whole = shared(at)
    given_window = whole._replace(windows=whole.windows._replace(attention=Window(20.0 * MIB, 50.0 * MIB)))
    block = attention_block(Tokens(4.0, 1.0, 16384.0), given_window)
    ahead = (block.qkv.prefetched_bytes, block.attention.prefetched_bytes, block.output.prefetched_bytes)
    assert ahead == tuple(mib * MIB for mib in expected)


def test_what_is_read_ahead_crosses_hbm_once() -> None:
    """The consumer's HBM bytes and its prefetched bytes are what it would read without."""
    at = setting(technique="preserve")
    one, off = decode(at, 4.0, 16384.0), decode(with_technique(at, "none"), 4.0, 16384.0)
    for name in ("qkv", "attention", "output"):
        found, reference = getattr(one.attention, name), getattr(off.attention, name)
        assert found.hbm_bytes + found.prefetched_bytes == pytest.approx(reference.hbm_bytes, rel=1e-12)
        assert found.hidden_s == pytest.approx(reference.time_s - found.time_s, rel=1e-9, abs=1e-18)
