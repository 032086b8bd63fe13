"""All-reduces by hand on a switch, on part of a full mesh and on a torus, and their laws."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import chip, style_of
from designs import devices, spread, styles, whole
from hypothesis import given

from dse.hardware import FULL_MESH, SWITCH, TORUS, Accelerator
from dse.latency.collectives import (
    Collective,
    all_gather,
    all_reduce,
    all_to_all,
    doublings,
    one_shot_hops,
    point_to_point_s,
    reduce_scatter,
    usable_link_bytes_per_s,
)
from dse.latency.style import LatencyStyle

GIGA, MICRO = 1e9, 1e-6


def device(topology: float = SWITCH, domain: float = 8.0, adds: float = 0.0) -> Accelerator:
    """Links of 400 GB/s, a hop of 1 us, HBM far faster, and the clock at which the style's start-ups hold."""
    return chip("a100")._replace(link_bytes_per_s=400.0 * GIGA, link_latency_s=1.0 * MICRO, domain_devices=domain,
                                 topology=topology, in_switch_reduction=adds, hbm_bytes_per_s=1e13,
                                 clock_hz=1.0 * GIGA)


def style(**changes: float) -> LatencyStyle:
    """One-shot 2 us + 0.5 us a device at half the bandwidth; two-shot 10 us + 1 us a device at 0.8; in-switch 12 us."""
    numbers = {"one_shot_startup_s": 2.0 * MICRO, "one_shot_device_s": 0.5 * MICRO, "one_shot_link_share": 0.5,
               "two_shot_startup_s": 10.0 * MICRO, "two_shot_device_s": 1.0 * MICRO, "two_shot_link_share": 0.8,
               "in_switch_startup_s": 12.0 * MICRO, "floor_clock_hz": 1.0 * GIGA}
    return style_of("a100")._replace(**{**numbers, **changes})


def assert_collective(found: Collective, microseconds: float, link_bytes: float) -> None:
    """Time, bytes on the links, twice as many in HBM, and a start-up and a transfer that add up to the time."""
    assert found.time_s == pytest.approx(microseconds * MICRO, rel=1e-12)
    assert found.link_bytes == pytest.approx(link_bytes, rel=1e-12)
    assert found.hbm_bytes == pytest.approx(2.0 * link_bytes, rel=1e-12)
    assert found.startup_s + found.link_s == pytest.approx(found.time_s, rel=1e-12)


def test_one_shot_on_a_switch() -> None:
    """200 kB on 8: 2 + 8 x 0.5 + 1 hop = 7 us; 7 x 200 kB / (0.5 x 400 GB/s) = 7 us. Two-shot: 20 us before a byte."""
    assert_collective(all_reduce(2e5, 8.0, device(), style()), 14.0, 7.0 * 2e5)


def test_two_shot_on_a_switch() -> None:
    """64 MB on 8: 10 + 8 x 1 + 2 hops = 20 us; 2 x 7/8 x 64 MB / (0.8 x 400 GB/s) = 350 us. One-shot: 2240 us."""
    assert_collective(all_reduce(6.4e7, 8.0, device(), style()), 370.0, 1.75 * 6.4e7)


def test_short_messages_round_a_ring() -> None:
    """200 kB on 8: 2 + 14 steps x 0.5 + 2 hops = 11 us; 2 x 7/8 x 200 kB / (0.5 x 400 GB/s) = 1.75 us. Two-shot: 20 us.

    Each device sends a quarter of what it sends one-shot, and HBM is left the rest.
    """
    assert_collective(all_reduce(2e5, 8.0, device(), style(short_ring=1.0)), 12.75, 1.75 * 2e5)


def test_long_messages_do_not_know_the_short_ring() -> None:
    """64 MB on 8, as two-shot above; on two devices a ring has two steps, as many as there are devices."""
    assert all_reduce(6.4e7, 8.0, device(), style(short_ring=1.0)) == all_reduce(6.4e7, 8.0, device(), style())
    pair = all_reduce(2e4, 2.0, device(), style(short_ring=1.0))
    assert pair.startup_s - all_reduce(2e4, 2.0, device(), style()).startup_s == pytest.approx(1.0 * MICRO)  # a hop
    assert pair.link_bytes == all_reduce(2e4, 2.0, device(), style()).link_bytes == 2e4


def test_in_switch_reduction() -> None:
    """64 MB on 8: 12 + 2 hops = 14 us; 9/8 x 64 MB / 320 GB/s = 225 us."""
    assert_collective(all_reduce(6.4e7, 8.0, device(adds=1.0), style()), 239.0, 1.125 * 6.4e7)


def test_a_tree_pays_by_step_and_wins_among_many_devices() -> None:
    """400 kB on 64: six doublings twice are 12 steps, 10 + 12 x (1 + 1) = 34 us, and 2 x 400 kB / 320 GB/s = 2.5 us.

    Two-shot: 10 + 64 + 2 = 76 us and 2.46 us; one-shot: 2 + 32 + 1 = 35 us and 126 us.
    """
    assert_collective(all_reduce(4e5, 64.0, device(domain=64.0), style()), 36.5, 8e5)


def test_two_shot_moves_less_than_a_tree() -> None:
    """64 MB on 8: a tree has 10 + 6 x 2 = 22 us and 2 x 64 MB / 320 GB/s = 400 us, two-shot 20 + 350 us."""
    assert all_reduce(6.4e7, 8.0, device(), style()).time_s == pytest.approx(370.0 * MICRO)


def test_part_of_a_full_mesh() -> None:
    """Each pair of 8 has a seventh of 400 GB/s. Four devices use three links: 3/7 x 400 = 171.4 GB/s.

    One-shot of 300 kB: 2 + 4 x 0.5 + 1 = 5 us; 3 x 300 kB / (0.5 x 171.4 GB/s) = 10.5 us. Two-shot of 60 MB:
    10 + 4 + 2 = 16 us; 1.5 x 60 MB / (0.8 x 171.4 GB/s) = 656.25 us.
    """
    mesh = device(FULL_MESH)
    assert usable_link_bytes_per_s(mesh, 4.0) == pytest.approx(1200.0 / 7.0 * GIGA)
    assert usable_link_bytes_per_s(mesh, 8.0) == 400.0 * GIGA
    assert_collective(all_reduce(3e5, 4.0, mesh, style()), 15.5, 3.0 * 3e5)
    assert_collective(all_reduce(6e7, 4.0, mesh, style()), 672.25, 1.5 * 6e7)


def test_a_torus() -> None:
    """Two devices span one axis of three, four two, eight all: 1/3, 2/3 and 3/3 of 400 GB/s, and as many hops.

    One-shot of 20 kB on four: 2 + 4 x 0.5 + 2 hops = 6 us; 3 x 20 kB / (0.5 x 266.7 GB/s) = 0.45 us. Two-shot of 40 MB:
    10 + 4 + 2 x 2 hops = 18 us; 1.5 x 40 MB / (0.8 x 266.7 GB/s) = 281.25 us.
    """
    torus = device(TORUS, domain=4096.0)
    shares = [usable_link_bytes_per_s(torus, count) / (400.0 * GIGA) for count in (2.0, 4.0, 8.0, 64.0)]
    assert shares == pytest.approx([1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0])
    assert [one_shot_hops(torus, count) for count in (2.0, 4.0, 8.0, 64.0)] == [1.0, 2.0, 3.0, 3.0]
    assert_collective(all_reduce(2e4, 4.0, torus, style()), 6.45, 3.0 * 2e4)
    assert_collective(all_reduce(4e7, 4.0, torus, style()), 299.25, 1.5 * 4e7)


def test_a_collective_waits_for_its_hbm() -> None:
    """With 320 GB/s of HBM, achieved in full, half of it feeds the links: 112 MB at 160 GB/s, 700 us and not 350."""
    slow = device()._replace(hbm_bytes_per_s=320.0 * GIGA)
    assert_collective(all_reduce(6.4e7, 8.0, slow, style(hbm_share=1.0)), 20.0 + 700.0, 1.75 * 6.4e7)


def test_start_ups_are_cycles_and_hops_are_not() -> None:
    """At half the clock the 6 us of the one-shot above take 12; its hop and its 7 us on the links stay."""
    slow = device()._replace(clock_hz=0.5 * GIGA)
    assert_collective(all_reduce(2e5, 8.0, slow, style()), 20.0, 7.0 * 2e5)


def test_all_gather_of_little_goes_directly() -> None:
    """80 KB on 8: 2 + 8 x 0.5 / 2 + 1 = 5 us; 7/8 x 80 KB / 200 GB/s = 0.35 us."""
    assert_collective(all_gather(8e4, 8.0, device(), style()), 5.35, 7e4)


def test_all_gather_of_little_round_a_ring() -> None:
    """80 KB on 8: 2 + 7 steps x 0.5 + 1 = 6.5 us; 7/8 x 80 KB / 200 GB/s = 0.35 us."""
    assert_collective(all_gather(8e4, 8.0, device(), style(short_ring=1.0)), 6.85, 7e4)


@pytest.mark.parametrize("collective", [all_gather, reduce_scatter])
def test_one_step_of_much_is_half_a_two_shot(collective: Callable[..., Collective]) -> None:
    """80 MB on 8: 10 + 8 x 1 / 2 + 1 = 15 us; 7/8 x 80 MB / 320 GB/s = 218.75 us. Two of them: one start of 10 more."""
    found = collective(8e7, 8.0, device(), style())
    assert_collective(found, 233.75, 7e7)
    assert 2.0 * found.time_s - all_reduce(8e7, 8.0, device(), style()).time_s == pytest.approx(10.0 * MICRO)


@pytest.mark.parametrize("ring", [0.0, 1.0])
def test_little_in_two_steps_pays_two_starts(ring: float) -> None:
    """20 KB on 8: an all-gather and a reduce-scatter take a start of 2 us more than the all-reduce of both.

    But one-shot has no second hop (1 us), and sends 7 instead of 2 x 7/8 messages: 140 and 35 KB at 200 GB/s.
    """
    two = all_gather(2e4, 8.0, device(), style(short_ring=ring)).time_s * 2.0
    one = all_reduce(2e4, 8.0, device(), style(short_ring=ring)).time_s
    more = 2.0 if ring else 2.0 + 1.0 - (0.7 - 0.175)
    assert two - one == pytest.approx(more * MICRO)


def test_sending_tokens_starts_with_their_counts() -> None:
    """80 MB on 8: 50 + 1 = 51 us; 7/8 x 80 MB / 320 GB/s = 218.75 us."""
    assert_collective(all_to_all(8e7, 8.0, device(), style(all_to_all_startup_s=50.0 * MICRO)), 269.75, 7e7)


def test_point_to_point() -> None:
    """A switch gives all of its links, a mesh one of seven, a torus one of six; a step of two devices, and a hop.

    100 kB after 2 + 0.5 + 1 us at half of 400 GB/s; 10 MB after 10 + 1 + 1 us at 0.8 of it.
    """
    for topology, links in ((SWITCH, 1.0), (FULL_MESH, 7.0), (TORUS, 6.0)):
        assert point_to_point_s(1e5, device(topology), style()) == pytest.approx((3.5 + 0.5 * links) * MICRO)
        assert point_to_point_s(1e7, device(topology), style()) == pytest.approx((12.0 + 31.25 * links) * MICRO)


def test_a_single_device_has_no_collective() -> None:
    nothing = Collective(0.0, 0.0, 0.0, 0.0, 0.0)
    assert all_reduce(1e6, 1.0, device(), style()) == all_gather(1e6, 1.0, device(), style()) == nothing
    assert all_to_all(1e6, 1.0, device(), style()) == nothing


def test_doublings() -> None:
    """ceil(log2 N): for 1, 2, 3, 4, 5, 8, 9, 4096."""
    assert [doublings(float(count)) for count in (1, 2, 3, 4, 5, 8, 9, 4096)] == [0, 1, 2, 2, 3, 3, 4, 12]


@given(devices(), styles(), spread(1e3, 1e9), whole(2, 16))
def test_takes_no_less_than_its_links_and_its_hbm(on: Accelerator, of: LatencyStyle, message: float, count: float) -> (
        None):
    found = all_reduce(message, count, on._replace(domain_devices=16.0), of)
    assert found.time_s >= found.link_bytes / on.link_bytes_per_s
    assert found.time_s * (1.0 + 1e-12) >= found.hbm_bytes / (on.hbm_bytes_per_s * of.hbm_share)


@given(devices(), styles(), spread(1e3, 1e9), spread(1.0, 100.0), whole(2, 16))
def test_a_longer_message_takes_longer(on: Accelerator, of: LatencyStyle, message: float, factor: float,
                                       count: float) -> None:
    assert all_reduce(message, count, on, of).time_s <= all_reduce(message * factor, count, on, of).time_s
