"""Time of an all-reduce: the fastest of one-shot, two-shot or ring, tree, and in-switch reduction."""

from __future__ import annotations

from typing import NamedTuple

from dse.hardware import SWITCH, TORUS, Accelerator
from dse.latency.machine import slowness
from dse.latency.style import LatencyStyle

TORUS_AXES = 3.0


class Collective(NamedTuple):
    """A collective's time, its start-up and its transfer, and the bytes that one device sends and moves in HBM."""

    time_s: float
    startup_s: float
    link_s: float
    link_bytes: float
    hbm_bytes: float


def no_collective() -> Collective:
    """What a single device does."""
    return Collective(0.0, 0.0, 0.0, 0.0, 0.0)


def usable_link_bytes_per_s(device: Accelerator, devices: float) -> float:
    """Link bandwidth that `devices` of the domain can use among themselves.

    A switch gives all of it. In a full mesh of D devices each pair has its own link: (N - 1) / (D - 1) of it. In a 3-D
    torus a group of N spans log2 N of the three axes.
    """
    mesh = (devices - 1.0) / max(1.0, device.domain_devices - 1.0)
    torus = doublings(devices) / TORUS_AXES
    share = torus if device.topology == TORUS else mesh
    share = 1.0 if device.topology == SWITCH else share
    return device.link_bytes_per_s * min(1.0, share)


def doublings(devices: float) -> float:
    """ceil(log2 devices) for up to 4096 devices, by comparisons: they are exact and, unlike a logarithm, vectorise."""
    few = above(devices, 1.0) + above(devices, 2.0) + above(devices, 4.0) + above(devices, 8.0)
    more = above(devices, 16.0) + above(devices, 32.0) + above(devices, 64.0) + above(devices, 128.0)
    most = above(devices, 256.0) + above(devices, 512.0) + above(devices, 1024.0) + above(devices, 2048.0)
    return few + more + most


def above(value: float, limit: float) -> float:
    """1 where `value` is above `limit`, else 0."""
    return 1.0 if value > limit else 0.0


def one_shot_hops(device: Accelerator, devices: float) -> float:
    """Hops to the farthest peer: one, or on a torus one for each axis that the group spans."""
    torus = min(TORUS_AXES, doublings(devices))
    return torus if device.topology == TORUS else 1.0


def fed_link_bytes_per_s(usable: float, share: float, device: Accelerator, style: LatencyStyle) -> float:
    """Link bandwidth that a collective reaches: its share of the usable one, and no more than the HBM can feed.

    Each byte sent is read from HBM, and as much as is sent arrives and is written: two HBM bytes for one on the link.
    """
    return min(usable * share, 0.5 * device.hbm_bytes_per_s * style.hbm_share)


def short_steps(devices: float, style: LatencyStyle) -> float:
    """How often an all-reduce of a short message takes a device's share of time: N, or 2 (N - 1) round a ring."""
    return 2.0 * (devices - 1.0) if style.short_ring > 0.0 else devices


def all_reduce(message_bytes: float, devices: float, device: Accelerator, style: LatencyStyle) -> Collective:
    """The fastest all-reduce of `message_bytes` on each of `devices`; nothing for a single device.

        one-shot    s1 + d1 N + h L + (N - 1) B / w1                    every device sends its message to every other;
        short ring  s1 + 2 (N - 1) d1 + 2 h L + 2 (N - 1) / N B / w1    or this, where the style has it in its place
        two-shot    s2 + d2 N + 2 h L + 2 (N - 1) / N B / w2            reduce-scatter, then all-gather (or a ring)
        tree        s2 + 2 ceil(log2 N) (d2 + L) + 2 B / w2             reduce, then broadcast, each in log2 N steps
        in-switch   s3 + 2 L + (1 + 1 / N) B / w2                       only where the switch can add

    s, d: start-up and share of each device or step, a number of cycles each; h: hops; L: link latency; w: achievable
    share of the usable bandwidth, or what the HBM can feed. One-shot and two-shot follow measured custom kernels of
    A100 and H100 (5.6-11.8 % mean error when fitted to each). A library has no one-shot: NCCL goes round the same ring
    in one protocol that starts late and uses the links well, and in one that writes a flag beside the data (LL), so
    that nobody waits for a fence: early, at a quarter to a half of the bandwidth (NVIDIA/nccl@b647562,
    src/graph/tuning.cc). Of a ring's hops all but one in each half are in d1 and d2.
    """
    count = max(2.0, devices)
    usable = usable_link_bytes_per_s(device, count)
    hop_s = one_shot_hops(device, count) * device.link_latency_s
    fast = fed_link_bytes_per_s(usable, style.one_shot_link_share, device, style)
    slow = fed_link_bytes_per_s(usable, style.two_shot_link_share, device, style)
    slow_by = slowness(device, style)
    two_base = slow_by * (style.two_shot_startup_s + style.two_shot_device_s * count)
    two_start = two_base + 2.0 * hop_s
    two_bytes = 2.0 * (count - 1.0) / count * message_bytes
    two_link = two_bytes / slow
    one_base = slow_by * (style.one_shot_startup_s + style.one_shot_device_s * short_steps(count, style))
    one_start = one_base + (2.0 * hop_s if style.short_ring > 0.0 else hop_s)
    one_bytes = two_bytes if style.short_ring > 0.0 else (count - 1.0) * message_bytes
    one_link = one_bytes / fast
    steps = 2.0 * doublings(count)
    tree_start = slow_by * (style.two_shot_startup_s + style.two_shot_device_s * steps) + steps * device.link_latency_s
    tree_bytes = 2.0 * message_bytes
    tree_link = tree_bytes / slow
    switch_start = slow_by * style.in_switch_startup_s + 2.0 * device.link_latency_s
    switch_bytes = (1.0 + 1.0 / count) * message_bytes
    switch_link = switch_bytes / slow
    first = Collective(one_start + one_link, one_start, one_link, one_bytes, 2.0 * one_bytes)
    second = Collective(two_start + two_link, two_start, two_link, two_bytes, 2.0 * two_bytes)
    third = Collective(tree_start + tree_link, tree_start, tree_link, tree_bytes, 2.0 * tree_bytes)
    fourth = Collective(switch_start + switch_link, switch_start, switch_link, switch_bytes, 2.0 * switch_bytes)
    best = faster(faster(first, second), third)
    best = faster(best, fourth) if device.in_switch_reduction > 0.0 else best
    return best if devices > 1.0 else no_collective()


def faster(first: Collective, second: Collective) -> Collective:
    """The faster of two ways to do the same collective; the first where they tie."""
    return second if second.time_s < first.time_s else first


def point_to_point_s(message_bytes: float, device: Accelerator, style: LatencyStyle) -> float:
    """Time to hand `message_bytes` to one neighbour: a step of two devices, directly or in bulk (`one_step`).

        min( s1 + d1 + L + B / w1,  s2 + d2 + L + B / w2 )

    A switch gives all links to one peer; in a mesh or a torus the message takes the link to that peer alone.
    """
    links = 2.0 * TORUS_AXES if device.topology == TORUS else max(1.0, device.domain_devices - 1.0)
    links = 1.0 if device.topology == SWITCH else links
    link_s = message_bytes * links / device.link_bytes_per_s
    slow_by = slowness(device, style)
    direct_start = slow_by * (style.one_shot_startup_s + style.one_shot_device_s)
    bulk_start = slow_by * (style.two_shot_startup_s + style.two_shot_device_s)
    return device.link_latency_s + min(direct_start + link_s / style.one_shot_link_share,
                                       bulk_start + link_s / style.two_shot_link_share)


def one_step(moved_bytes: float, devices: float, device: Accelerator, style: LatencyStyle) -> Collective:
    """A collective of one step, in which each of `devices` sends `moved_bytes`; nothing for a single device.

        direct      s1 + d1 N / 2 + h L + moved / w1
        short ring  s1 + (N - 1) d1 + h L + moved / w1    where the style has it in place of one-shot
        bulk        s2 + d2 N / 2 + h L + moved / w2

    An all-reduce is two such steps behind one start, so that a step has half of the shares of its devices and the whole
    start. NCCL's all-gather and reduce-scatter on A100 and H100, to which nothing is fitted, bear it out: with half of
    the start in bulk three of their four tables are 3-5 points further off, and one is as far (docs/calibration.md).
    """
    count = max(2.0, devices)
    usable = usable_link_bytes_per_s(device, count)
    hop_s = one_shot_hops(device, count) * device.link_latency_s
    slow_by = slowness(device, style)
    direct_base = slow_by * (style.one_shot_startup_s + 0.5 * style.one_shot_device_s * short_steps(count, style))
    direct_start = direct_base + hop_s
    direct_link = moved_bytes / fed_link_bytes_per_s(usable, style.one_shot_link_share, device, style)
    bulk_start = slow_by * (style.two_shot_startup_s + 0.5 * style.two_shot_device_s * count) + hop_s
    bulk_link = moved_bytes / fed_link_bytes_per_s(usable, style.two_shot_link_share, device, style)
    direct = Collective(direct_start + direct_link, direct_start, direct_link, moved_bytes, 2.0 * moved_bytes)
    bulk = Collective(bulk_start + bulk_link, bulk_start, bulk_link, moved_bytes, 2.0 * moved_bytes)
    return faster(direct, bulk) if devices > 1.0 else no_collective()


def all_gather(gathered_bytes: float, devices: float, device: Accelerator, style: LatencyStyle) -> Collective:
    """An all-gather after which each of `devices` holds all `gathered_bytes`: each sends its share to every other."""
    return one_step((devices - 1.0) / devices * gathered_bytes, devices, device, style)


def reduce_scatter(message_bytes: float, devices: float, device: Accelerator, style: LatencyStyle) -> Collective:
    """A reduce-scatter of `message_bytes` on each of `devices`: each sends every other the share that it will keep."""
    return one_step((devices - 1.0) / devices * message_bytes, devices, device, style)


def all_to_all(message_bytes: float, devices: float, device: Accelerator, style: LatencyStyle) -> Collective:
    """An all-to-all of `message_bytes` on each of `devices`: each sends every other a share of its own.

        s4 + h L + (N - 1) / N B / w2

    How much goes to whom differs from token to token: the counts are sent before the tokens, which are packed and
    unpacked by them. That start is far longer than an all-gather's, whose places are known. On a torus of more than a
    few devices the paths cross and this is too fast by up to the mean number of hops.
    """
    count = max(2.0, devices)
    moved_bytes = (count - 1.0) / count * message_bytes
    usable = usable_link_bytes_per_s(device, count)
    start_s = slowness(device, style) * style.all_to_all_startup_s + (
        one_shot_hops(device, count) * device.link_latency_s)
    link_s = moved_bytes / fed_link_bytes_per_s(usable, style.two_shot_link_share, device, style)
    sent = Collective(start_s + link_s, start_s, link_s, moved_bytes, 2.0 * moved_bytes)
    return sent if devices > 1.0 else no_collective()
