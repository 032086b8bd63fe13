"""Compute time of a matrix multiplication cut into tiles: padding, waves over the cores, split of the inner dimension.

A core works out one tile of the result at a time. Tiles are dealt to the cores in waves; the last wave is seldom full,
and all wait for it. Where tiles are fewer than cores, the inner dimension of each can be split over several cores.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.latency.machine import Machine
from dse.latency.style import LatencyStyle


class Tiled(NamedTuple):
    """Compute time with the inner dimension whole, and split over the cores that would be idle."""

    whole_s: float
    split_s: float


def padded_rows(rows: float, style: LatencyStyle) -> float:
    """Rows of a tile: the largest there is, or for fewer rows a smaller one, by halves down to the least."""
    quarter = 0.25 * style.matmul_tile_rows
    half = 0.5 * style.matmul_tile_rows
    eighth = 0.125 * style.matmul_tile_rows
    most = half if rows <= half else style.matmul_tile_rows
    most = quarter if rows <= quarter else most
    most = eighth if rows <= eighth else most
    return max(style.matmul_least_rows, most)


def flat_rows(rows: float, style: LatencyStyle) -> float:
    """Rows of the wide tile: half of the largest there is, or those of a smaller one, down to the least."""
    half = max(style.matmul_least_rows, 0.5 * style.matmul_tile_rows)
    return min(padded_rows(rows, style), half)


def tiled(row_tiles: float, tile_rows: float, tile_columns: float, inner: float, columns: float, on: Machine) -> Tiled:
    """Compute time of rows x inner by inner x columns with tiles of one shape, `row_tiles` of them to a column.

        tiles = row_tiles ceil(columns / tile_columns)      waves = ceil(tiles / cores)
        whole = waves (2 tile_rows tile_columns inner / core_rate + wave)
        split = waves (2 tile_rows tile_columns inner / parts / core_rate + wave)
        parts = floor(cores / tiles), each no shorter than matmul_split_inner, and at least 1

    `wave` is what a core needs to begin a tile and to write it, and cannot hide behind other tiles.
    """
    cores = on.device.cores
    tiles = row_tiles * math.ceil(columns / tile_columns)
    waves = math.ceil(tiles / cores)
    tile_s = 2.0 * tile_rows * tile_columns * inner * cores / on.matmul_flops_per_s
    parts = max(1.0, min(float(math.floor(cores / tiles)), inner / on.style.matmul_split_inner))
    wave_s = on.slowness * on.style.matmul_wave_s
    return Tiled(waves * (tile_s + wave_s), waves * (tile_s / parts + wave_s))
