"""What a kind of machine makes of its data sheet: floors, achievable shares, start-up times of collectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.fields import Field, Table
from dse.units import MICRO


class LatencyStyle(NamedTuple):
    """Constants of a style of machine (GPU with graph launches, NPU), the same for every chip of that style."""

    matmul_floor_s: float
    attention_floor_s: float
    vector_floor_s: float
    hbm_share: float
    matmul_share: float
    attention_share: float
    matmul_tile: float
    l2_usable_share: float
    hbm_usable_share: float
    one_shot_startup_s: float
    one_shot_device_s: float
    one_shot_link_share: float
    two_shot_startup_s: float
    two_shot_device_s: float
    two_shot_link_share: float
    in_switch_startup_s: float


def _time(key: str, meaning: str) -> Field:
    return Field(key, key.removesuffix("_us") + "_s", meaning, MICRO, closed=True, constant=True, unit="us")


def _share(key: str, meaning: str) -> Field:
    return Field(key, key, meaning, maximum=1.0, constant=True, unit="share")


STYLE = Table(
    "latency",
    LatencyStyle,
    (
        _time("matmul_floor_us", "shortest matrix multiplication: launch, fill and drain"),
        _time("attention_floor_us", "shortest attention, split over the context included"),
        _time("vector_floor_us", "shortest element-wise operator or norm"),
        _share("hbm_share", "achievable share of the HBM bandwidth in a streaming read"),
        _share("matmul_share", "achievable share of the matrix peak in a large matrix multiplication"),
        _share("attention_share", "achievable share of the matrix peak in fused attention of a prompt"),
        Field("matmul_tile", "matmul_tile", "edge of the tile that a core keeps", minimum=1.0, closed=True,
              constant=True, unit="elements"),
        _share("l2_usable_share", "share of the L2 that software can fill"),
        _share("hbm_usable_share", "share of the HBM left for weights and KV-cache"),
        _time("one_shot_startup_us", "start of a one-shot collective, without the hop"),
        _time("one_shot_device_us", "added to it for each device"),
        _share("one_shot_link_share", "achievable share of the link bandwidth in a one-shot collective"),
        _time("two_shot_startup_us", "start of a two-shot, ring or tree collective, without the hops"),
        _time("two_shot_device_us", "added to it for each device"),
        _share("two_shot_link_share", "achievable share of the link bandwidth in it"),
        _time("in_switch_startup_us", "start of a collective that the switch adds up, without the hops"),
    ),
    choices=("name",),
).checked()


def latency_style(raw: Mapping[str, Any]) -> LatencyStyle:
    """The style that the group `latency` of a configuration describes."""
    read: LatencyStyle = STYLE.read(raw)
    return read
