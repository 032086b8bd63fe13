"""What a kind of machine makes of its data sheet: floors, achievable shares, start-up times of collectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.fields import Field, Table
from dse.units import GIGA, MEBI, MICRO


class LatencyStyle(NamedTuple):
    """Constants of a style of machine (GPU with graph launches, NPU), the same for every chip of that style.

    Floors and start-ups of matrix, attention and collective kernels hold at the clock `floor_clock_hz` and take the
    same number of cycles on another chip; `vector_floor_s` is a launch and the same everywhere. With `short_ring` what
    is called one-shot is a library's protocol for short messages, which goes round a ring (dse.latency.collectives).
    """

    floor_clock_hz: float
    matmul_floor_s: float
    matmul_wave_s: float
    matmul_split_s: float
    attention_floor_s: float
    vector_floor_s: float
    quantise_kernels: float
    hbm_share: float
    matmul_share: float
    attention_share: float
    unhidden_bytes: float
    attention_least_rows: float
    matmul_tile: float
    matmul_tile_rows: float
    matmul_least_rows: float
    matmul_wide_columns: float
    matmul_narrow_columns: float
    matmul_split_inner: float
    l2_usable_share: float
    hbm_usable_share: float
    one_shot_startup_s: float
    one_shot_device_s: float
    one_shot_link_share: float
    two_shot_startup_s: float
    two_shot_device_s: float
    two_shot_link_share: float
    in_switch_startup_s: float
    all_to_all_startup_s: float
    short_ring: float


def _time(key: str, meaning: str) -> Field:
    return Field(key, key.removesuffix("_us") + "_s", meaning, MICRO, closed=True, constant=True, unit="us")


def _elements(key: str, meaning: str) -> Field:
    return Field(key, key, meaning, minimum=1.0, closed=True, constant=True, unit="elements")


def _share(key: str, meaning: str) -> Field:
    return Field(key, key, meaning, maximum=1.0, constant=True, unit="share")


STYLE = Table(
    "latency",
    LatencyStyle,
    (
        Field("floor_clock_ghz", "floor_clock_hz", "clock at which the floors and start-ups hold", GIGA, constant=True,
              unit="GHz"),
        _time("matmul_floor_us", "shortest matrix multiplication, without its waves: launch"),
        _time("matmul_wave_us", "added for each wave of tiles over the cores"),
        _time("matmul_split_us", "added where the inner dimension is split over cores: the sum of the parts"),
        _time("attention_floor_us", "shortest attention"),
        _time("vector_floor_us", "shortest element-wise operator or norm"),
        Field("quantise_kernels", "quantise_kernels", "element-wise kernels that narrow the activations' format",
              closed=True, constant=True, unit="kernels"),
        _share("hbm_share", "achievable share of the HBM bandwidth in a streaming read"),
        _share("matmul_share", "achievable share of the matrix peak in a large matrix multiplication"),
        _share("attention_share", "achievable share of the matrix peak in fused attention of a prompt"),
        Field("unhidden_mib", "unhidden_bytes", "what an operator reads to hide half of the shorter of compute and HBM",
              MEBI, constant=True, unit="MiB"),
        _elements("attention_least_rows", "fewest query rows that are multiplied with a KV head: fewer are padded"),
        _elements("matmul_tile", "edge of the block of the result whose inputs are read from L2 once"),
        _elements("matmul_tile_rows", "rows of a tile"),
        _elements("matmul_least_rows", "fewest rows of a tile: fewer are padded"),
        _elements("matmul_wide_columns", "columns of the wide tile, of half the rows"),
        _elements("matmul_narrow_columns", "columns of the narrow tile"),
        _elements("matmul_split_inner", "shortest part of the inner dimension that a core is given"),
        _share("l2_usable_share", "share of the L2 that software can fill"),
        _share("hbm_usable_share", "share of the HBM left for weights and KV-cache"),
        _time("one_shot_startup_us", "start of a one-shot collective or short ring, without hops"),
        _time("one_shot_device_us", "added to it for each device, round a ring for each step"),
        _share("one_shot_link_share", "achievable share of the link bandwidth in it"),
        _time("two_shot_startup_us", "start of a two-shot, ring or tree collective, without the hops"),
        _time("two_shot_device_us", "added to it for each device"),
        _share("two_shot_link_share", "achievable share of the link bandwidth in it"),
        _time("in_switch_startup_us", "start of a collective that the switch adds up, without the hops"),
        _time("all_to_all_startup_us", "start of sending tokens to their experts: counts, packing, signals, no hop"),
        Field("short_ring", "short_ring", "whether short messages pass a ring with flags in place of one-shot",
              boolean=True, default=0.0),
    ),
    choices=("name",),
).checked()


def latency_style(raw: Mapping[str, Any]) -> LatencyStyle:
    """The style that the group `latency` of a configuration describes."""
    read: LatencyStyle = STYLE.read(raw)
    return read
