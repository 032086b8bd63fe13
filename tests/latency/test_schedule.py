"""A window's bytes by hand, and where they go."""

from __future__ import annotations

import math

import pytest
from builders import setting, with_device, with_technique
from designs import FEW, spread
from hypothesis import given

from dse.latency.machine import machine
from dse.latency.memory import shard
from dse.latency.operators import Tokens
from dse.latency.phases import Setting, decode
from dse.latency.schedule import Step, attention_block, step, window_bytes

MIB = 2.0**20


@pytest.mark.parametrize(("free", "readable", "limit", "expected"), [
    (80.0, 60.0, math.inf, 60.0),  # the window is too short
    (40.0, 60.0, math.inf, 40.0),  # the L2 is too small
    (40.0, 60.0, 30.0, 30.0),  # the limit stops it before
    (40.0, 25.0, 30.0, 25.0),  # the window ends before the limit
    (40.0, 60.0, 50.0, 30.0),  # 10 more than are free evict 10 of the 40: 2 x 40 - 50
    (40.0, 60.0, 70.0, 20.0),  # no more than 60 are read: 2 x 40 - 60
    (40.0, 100.0, 80.0, 0.0),  # twice the free space: everything is evicted before it is used
    (40.0, 100.0, 95.0, 0.0),  # and no less than nothing is kept
    (0.0, 60.0, math.inf, 0.0),
    (40.0, 60.0, 0.0, 0.0),
])
def test_bytes_of_a_window(free: float, readable: float, limit: float, expected: float) -> None:
    assert window_bytes(free, readable, limit) == expected


@FEW
@given(spread(1e3, 1e9), spread(1e3, 1e9), spread(1e3, 1e9))
def test_a_limit_never_beats_none(free: float, readable: float, limit: float) -> None:
    """It gives the same where it is between what fits or can be read and what is free, and less elsewhere."""
    unlimited = window_bytes(free, readable, math.inf)
    assert 0.0 <= window_bytes(free, readable, limit) <= unlimited
    assert window_bytes(free, readable, free) == unlimited


def shared(at: Setting, rows: float = 4.0) -> Step:
    return step(rows, 8.0, machine(at.device, at.style, at.precision), at.model, shard(at.model, at.parallelism),
                at.precision, at.technique)


def test_free_l2_is_what_the_message_leaves() -> None:
    """4 x 8192 x 2 bytes come in and go out: 2 x 64 KiB of 2 MiB, for a window that is long enough."""
    at = with_device(setting(technique="preserve"), l2_bytes=2.0 * MIB)
    assert shared(at).window_bytes == 2.0 * MIB - 2.0 * 65536.0


def test_readable_bytes_are_what_the_collective_leaves() -> None:
    """All of the HBM's bandwidth for as long as the collective lasts, less what it moves itself."""
    at = setting(technique="preserve")
    found = shared(at)
    hbm = 1600e9 * at.style.hbm_share
    assert found.window_bytes == pytest.approx(hbm * found.reduce.time_s - found.reduce.hbm_bytes, rel=1e-12)
    assert found.window_bytes < 192.0 * MIB


@pytest.mark.parametrize(("technique", "expected"), [
    ("none", (0.0, 0.0, 0.0)),
    ("preserve", (10.0, 10.0, 0.0)),
    ("preserve_weights", (10.0, 0.0, 8.0)),
    ("preserve_kv", (0.0, 16.0, 0.0)),
])
def test_a_window_is_spent_in_order(technique: str, expected: tuple[float, float, float]) -> None:
    """20 MiB for QKV weights (10 MiB), KV-cache (16 MiB) and output weights (8 MiB): Llama-3-70B, int8, TP 8."""
    at = setting(technique=technique)
    given_window = shared(at)._replace(window_bytes=20.0 * MIB)
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
