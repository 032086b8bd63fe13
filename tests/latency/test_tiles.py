"""Tiles, waves and splits of matrix multiplications by hand, and what holds for any shape."""

from __future__ import annotations

import math

import pytest
from builders import setting, with_device, with_style
from designs import settings_of, whole
from hypothesis import given
from hypothesis import strategies as st

from dse.latency.machine import Machine, machine, slowness
from dse.latency.memory import shard
from dse.latency.operators import Tokens, attention, matmul, quantise_s, vector
from dse.latency.roofline import Operator, hbm_bytes, operator_time, unhidden_share
from dse.latency.setting import Setting
from dse.latency.tiles import flat_rows, padded_rows, tiled
from dse.workload import Precision

MICRO = 1e-6
BF16 = Precision(2.0, 2.0, 2.0, 2.0, 1.0)


def on_hundred_cores(**changes: float) -> Machine:
    """100 cores of 1000 FLOPs a cycle at 1.6 GHz, all of it achievable: 1.6 TFLOP/s a core; a wave takes 1 us."""
    at = with_device(setting("a100", number_format="bf16"), cores=100.0, clock_hz=1.6e9, matrix_flops_per_cycle=1000.0)
    at = with_style(at, **{"matmul_share": 1.0, "matmul_wave_s": MICRO, "matmul_floor_s": 3.0 * MICRO,
                           "matmul_split_s": 2.0 * MICRO, "matmul_split_inner": 256.0, "matmul_tile_rows": 128.0,
                           "matmul_least_rows": 64.0, "matmul_wide_columns": 256.0, "matmul_narrow_columns": 64.0,
                           "floor_clock_hz": 1.6e9, **changes})
    return machine(at.device, at.style, BF16)


def test_a_last_wave_that_is_hardly_filled() -> None:
    """Two rows of ceil(3400 / 64) = 54 tiles are 108: on 100 cores two waves.

    A tile of 128 x 64 with K = 1000 is 16.384 MFLOP, 10.24 us on a core; two waves take 2 x (10.24 + 1) = 22.48 us.
    There is nothing to split: floor(100 / 108) = 0 cores for each tile.
    """
    found = tiled(2.0, 128.0, 64.0, 1000.0, 3400.0, on_hundred_cores())
    assert found.whole_s == pytest.approx(22.48 * MICRO)
    assert found.split_s == found.whole_s


def test_few_tiles_are_split_over_the_cores() -> None:
    """Ten tiles: ten cores for each, but no part shorter than 256 of K = 1000, so 3.90625 parts.

    10.24 / 3.90625 + 1 = 3.62144 us against 11.24.
    """
    found = tiled(1.0, 128.0, 64.0, 1000.0, 640.0, on_hundred_cores())
    assert (found.whole_s, found.split_s) == (pytest.approx(11.24 * MICRO), pytest.approx(3.62144 * MICRO))


def test_padded_rows_go_by_halves() -> None:
    style = on_hundred_cores().style
    assert [padded_rows(rows, style) for rows in (1.0, 64.0, 65.0, 128.0, 9999.0)] == [64.0, 64.0, 128.0, 128.0, 128.0]
    small = style._replace(matmul_least_rows=1.0)
    assert [padded_rows(rows, small) for rows in (1.0, 16.0, 17.0, 33.0, 65.0)] == [16.0, 16.0, 32.0, 64.0, 128.0]


def test_the_wide_tile_is_flat() -> None:
    """Half of 128 rows; fewer where the operator has fewer, but not below the least."""
    style = on_hundred_cores().style
    assert [flat_rows(rows, style) for rows in (1.0, 64.0, 65.0, 9999.0)] == [64.0, 64.0, 64.0, 64.0]
    small = style._replace(matmul_least_rows=1.0)
    assert [flat_rows(rows, small) for rows in (1.0, 17.0, 33.0, 9999.0)] == [16.0, 32.0, 64.0, 64.0]
    assert flat_rows(9999.0, style._replace(matmul_least_rows=128.0)) == 128.0


def test_a_row_more_than_two_tiles_takes_a_flat_one() -> None:
    """257 x 1000 by 1000 x 640: 5 x 3 tiles of 64 x 256 or 3 x 10 of 128 x 64, all in one wave of 100 cores.

    A flat one is 32.768 MFLOP, 20.48 us on a core, a tall one 10.24 us: tall. With 6400 columns, 5 x 25 = 125 flat ones
    are two waves of 21.48 us, 3 x 100 = 300 tall ones three of 11.24: 33.72 us. With 5120, 5 x 20 = 100 flat ones are
    one wave, 21.48 us, and 3 x 80 = 240 tall ones three.
    """
    on = on_hundred_cores()
    for columns, by_hand in ((640.0, 11.24), (6400.0, 33.72), (5120.0, 21.48)):
        assert matmul(257.0, 1000.0, columns, on, BF16).compute_s == pytest.approx(by_hand * MICRO)


def test_the_more_an_operator_reads_the_more_is_hidden() -> None:
    """Half at 60 MB, a quarter at 180, a tenth at 540."""
    work = Operator(1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 60e6)
    assert [unhidden_share(work._replace(weight_bytes=size)) for size in (60e6, 180e6, 540e6)] == [0.5, 0.25, 0.1]
    assert unhidden_share(work._replace(unhidden_bytes=0.0)) == 0.0


def test_every_operator_reads_what_its_share_says() -> None:
    """A product of 64 x 4096 by 4096 x 4096: 33.6 MB of weights; 10^6 numbers that stay in L2; 4095 cached tokens."""
    on = on_hundred_cores(unhidden_bytes=60e6)
    at = setting("a100", number_format="bf16", tensor_parallel=8.0)
    product = matmul(64.0, 4096.0, 4096.0, on, BF16)
    assert hbm_bytes(product) == 2.0 * 4096.0**2
    decoded = attention(Tokens(16.0, 1.0, 4095.0), at.model, shard(at.model, at.parallelism), on, BF16)
    for work in (product, vector(1e6, 5.0, 2.0, on, BF16), decoded):
        assert unhidden_share(work) == 60e6 / (60e6 + hbm_bytes(work))


def test_the_faster_kernel_is_taken() -> None:
    """Floors of 3 and 5 us, compute of 8 and 2, HBM of 4: 3 + 8 = 11 against 5 + 4 = 9; with all read ahead 7."""
    work = Operator(1.0, 1.0, 3.0, 8.0, 5.0, 2.0, 4.0, 0.0, 0.0, 0.0, 0.0)
    cold, warm = operator_time(work, 0.0, 1.0, 1.0), operator_time(work, 4.0, 1.0, 1.0)
    assert (cold.time_s, cold.floor_s, cold.compute_s, cold.hidden_s) == (9.0, 5.0, 2.0, 0.0)
    assert (warm.time_s, warm.hbm_s, warm.hidden_s) == (7.0, 0.0, 2.0)
    short = operator_time(work._replace(compute_s=3.0), 0.0, 1.0, 1.0)
    assert (short.time_s, short.floor_s) == (7.0, 3.0)


def test_a_share_of_the_shorter_is_not_hidden() -> None:
    """Floor 3, compute 8, 12 bytes at 3 bytes a second, 4 of 16 unhidden: 3 + 8 + 4 / 4 = 12 s.

    28 bytes, 4 of 32 unhidden: 3 + 28 / 3 + 8 / 8 s. L2 beside them counts where it takes longer, 10 s: 3 + 10 s. With
    all read ahead nothing is left to hide: 3 + 8 = 11 s, and the read saved 1 s.
    """
    work = Operator(1.0, 1.0, 3.0, 8.0, 3.0, 8.0, 12.0, 0.0, 0.0, 8.0, 4.0)
    assert operator_time(work, 0.0, 3.0, 1.0).time_s == 12.0
    assert operator_time(work._replace(weight_bytes=28.0), 0.0, 3.0, 1.0).time_s == pytest.approx(4.0 + 28.0 / 3.0)
    assert operator_time(work._replace(l2_bytes=10.0), 0.0, 3.0, 1.0).time_s == 13.0
    warm = operator_time(work, 12.0, 3.0, 1.0)
    assert (warm.time_s, warm.hidden_s) == (11.0, 1.0)


def test_floors_are_cycles() -> None:
    """At half the clock they last twice as long; the launch of an element-wise kernel does not."""
    at = setting("a100", number_format="bf16")
    slow = with_device(at, clock_hz=0.5 * at.device.clock_hz)
    fast_on, slow_on = (machine(one.device, one.style, BF16) for one in (at, slow))
    assert slowness(slow.device, slow.style) == 2.0 * slowness(at.device, at.style) == 2.0 * 1.6 / 1.41
    first, second = (matmul(16.0, 4096.0, 4096.0, on, BF16) for on in (fast_on, slow_on))
    assert second.floor_s == pytest.approx(2.0 * first.floor_s)


def test_quantisation_takes_kernels() -> None:
    """Two kernels of 3.4 us over 16 x 8192 numbers of 2 bytes at 0.794 x 3.35 TB/s; none where formats are alike."""
    at = setting("h100", number_format="fp8")
    found = quantise_s(16.0 * 8192.0, machine(at.device, at.style, at.precision), at.precision)
    by_hand = 2.0 * (at.style.vector_floor_s + 262144.0 / (at.style.hbm_share * 3.35e12))
    assert found == pytest.approx(by_hand)
    assert at.style.quantise_kernels == 2.0
    assert quantise_s(131072.0, machine(at.device, at.style, BF16), BF16) == 0.0


def compute_s(at: Setting, rows: float, inner: float, columns: float) -> tuple[float, float]:
    found = matmul(rows, inner, columns, machine(at.device, at.style, at.precision), at.precision)
    return found.compute_s, found.split_compute_s


@given(settings_of(), whole(1, 5000), whole(1, 20000), whole(1, 20000), st.integers(0, 2))
def test_tiles_never_beat_the_peak_and_grow_with_every_side(at: Setting, rows: float, inner: float, columns: float,
                                                            side: int) -> None:
    """Whole and split compute are no faster than all cores at their rate, and a longer side is never faster."""
    on = machine(at.device, at.style, at.precision)
    ideal = 2.0 * rows * inner * columns / on.matmul_flops_per_s
    found = compute_s(at, rows, inner, columns)
    assert min(found) >= ideal * (1.0 - 1e-12)
    assert found[1] <= found[0]
    longer = [rows, inner, columns]
    longer[side] = math.ceil(longer[side] * 1.3)
    more = compute_s(at, *longer)
    assert all(one <= two * (1.0 + 1e-12) for one, two in zip(found, more, strict=True))
