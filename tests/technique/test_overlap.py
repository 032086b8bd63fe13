"""Overlap: the closed form against tiles sent one by one, by hand, and over whole steps."""

from __future__ import annotations

from fractions import Fraction

import pytest
from builders import option, setting
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.latency.collectives import Collective, no_collective
from dse.latency.overlap import exposed_s
from dse.latency.phases import Pass, decode, decode_s, prefill, prefill_s
from dse.latency.roofline import OperatorTime
from dse.latency.setting import Setting
from dse.technique.registry import technique_terms
from dse.technique.terms import OFF

SECONDS = st.floats(1e-7, 1e-2)
SHARES = st.floats(0.0, 1.0)
HBM = 1e12
EPSILON = 1e-12


def product(working_s: float, floor_s: float = 0.0, hbm_bytes: float = 0.0) -> OperatorTime:
    """A multiplication that takes its floor and then `working_s`."""
    return OperatorTime(floor_s + working_s, floor_s, working_s, hbm_bytes / HBM, 0.0, 0.0, 0.0, 0.0, hbm_bytes, 0.0,
                        0.0, 0.0, 0.0)


def collective(time_s: float, hbm_bytes: float = 0.0) -> Collective:
    return Collective(time_s, 0.0, time_s, 0.0, hbm_bytes)


def in_tiles_s(first_s: float, second_s: float, tiles: int) -> Fraction:
    """When the second of two resources has done the last tile: each tile goes through both, in order."""
    first, second = Fraction(first_s) / tiles, Fraction(second_s) / tiles
    done = Fraction(0)
    for tile in range(1, tiles + 1):
        done = max(done, tile * first) + second
    return done


@given(SECONDS, SECONDS, st.integers(1, 60))
def test_it_is_what_tiles_take(working_s: float, time_s: float, tiles: int) -> None:
    """Results sent as they are made, and inputs worked on as they arrive."""
    together_s = working_s + exposed_s(collective(time_s), product(working_s), 1.0 - 1.0 / tiles, HBM)
    assert together_s == pytest.approx(float(in_tiles_s(working_s, time_s, tiles)), rel=1e-9)
    assert together_s == pytest.approx(float(in_tiles_s(time_s, working_s, tiles)), rel=1e-9)


def test_by_hand() -> None:
    # 100 us beside 400 us of work after a floor of 5: 4 us are left of 25 tiles; beside 40 us 100 - 0.96 x 40 = 61.6
    assert exposed_s(collective(100e-6), product(400e-6, 5e-6), 0.96, HBM) == pytest.approx(4e-6)
    assert exposed_s(collective(100e-6), product(40e-6, 5e-6), 0.96, HBM) == pytest.approx(61.6e-6)
    # HBM: 390 MB and 60 MB take 450 us of 1 TB/s, 50 more than the multiplication works
    assert exposed_s(collective(100e-6, 60e6), product(400e-6, 5e-6, 390e6), 0.96, HBM) == pytest.approx(50e-6)


@given(SECONDS, SECONDS, SECONDS, SHARES, SHARES, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_bounds(working_s: float, floor_s: float, time_s: float, share: float, more: float, drawn: float,
                moved: float) -> None:
    """Neither resource is used for longer than there is time, nothing is slower for it, a larger share hides more."""
    one, beside = collective(time_s, drawn * HBM * time_s), product(working_s, floor_s, moved * HBM * working_s)
    left_s = exposed_s(one, beside, share, HBM)
    together_s, rounding_s = working_s + left_s, EPSILON * (working_s + floor_s + time_s)
    assert 0.0 <= left_s <= time_s
    assert together_s >= max(working_s, time_s, (one.hbm_bytes + beside.hbm_bytes) / HBM) - rounding_s
    assert time_s - left_s <= share * min(time_s, working_s) + rounding_s
    assert exposed_s(one, beside, max(share, more), HBM) <= left_s
    assert exposed_s(one, beside, 0.0, HBM) == time_s
    longer = product(2.0 * working_s, floor_s, beside.hbm_bytes)
    assert 2.0 * working_s + exposed_s(one, longer, share, HBM) >= together_s - rounding_s
    assert exposed_s(no_collective(), beside, share, HBM) == 0.0


def overlapping(model: str = "llama3_70b", **split: float) -> tuple[Setting, Setting]:
    """The main workload with a model and a way to split it over devices, with overlap and without."""
    at = setting(model=model, technique="overlap")
    at = at._replace(parallelism=at.parallelism._replace(**split))
    return at, at._replace(technique=OFF)


def hidden(one: Pass) -> dict[str, tuple[float, float]]:
    """What is left and what is hidden of each operator of the layers of which something is hidden."""
    blocks = (one.attention, one.mlp, one.experts)
    return {name: (entry.time_s, entry.hidden_s) for block in blocks for name, entry in block._asdict().items()
            if entry.hidden_s > 0.0}


def test_every_all_reduce_is_hidden_but_for_its_last_tile_or_the_multiplication_is_too_short() -> None:
    at, off = overlapping()
    long, alone = prefill(at, 4.0), prefill(off, 4.0)
    assert set(hidden(long)) == {"attention_reduce", "mlp_reduce"}
    for name, (left_s, hidden_s) in hidden(long).items():
        whole_s = getattr(alone.attention if name == "attention_reduce" else alone.mlp, name).time_s
        beside = alone.attention.output if name == "attention_reduce" else alone.mlp.down
        assert left_s + hidden_s == pytest.approx(whole_s)
        assert hidden_s == pytest.approx(0.96 * min(whole_s, beside.time_s - beside.floor_s))
    assert long.pass_s == pytest.approx(alone.pass_s - long.layers * sum(by[1] for by in hidden(long).values()))


@pytest.mark.parametrize(("model", "split", "names"), [
    ("llama3_70b", {"sequence_parallel": 1.0}, {"attention_gather", "attention_reduce", "mlp_gather", "mlp_reduce"}),
    ("mixtral_8x7b", {}, {"attention_reduce", "combine"}),
    ("mixtral_8x7b", {"expert_parallel": 8.0, "all_to_all": 1.0}, {"attention_reduce", "dispatch", "combine"})])
def test_which_collectives_are_beside_a_multiplication(model: str, split: dict[str, float], names: set[str]) -> None:
    at, off = overlapping(model, **split)
    assert names <= set(hidden(prefill(at, 4.0)))
    assert hidden(prefill(off, 4.0)) == {}


@given(st.integers(1, 64), st.integers(1, 20_000), st.sampled_from((1.0, 2.0, 4.0, 8.0)))
def test_steps_are_never_slower_and_one_device_has_nothing_to_hide(batch: int, context: int, devices: float) -> None:
    at, off = overlapping(tensor_parallel=devices)
    with_it, without = decode_s(at, float(batch), float(context)), decode_s(off, float(batch), float(context))
    assert with_it <= without
    assert prefill_s(at, float(batch)) <= prefill_s(off, float(batch))
    if devices == 1:
        assert with_it == without
    assert decode(off, float(batch), float(context)).attention.attention_reduce.hidden_s == 0.0


@pytest.mark.parametrize("share", [-0.1, 1.01, "most"])
def test_a_share_is_a_number_up_to_1(share: object) -> None:
    with pytest.raises(InputError, match=rf"technique.share={share} is not allowed: .* a number >= 0 and <= 1"):
        technique_terms(option("technique", "overlap", share=share))


def test_a_share_of_nothing_is_off() -> None:
    assert technique_terms(option("technique", "overlap", share=0)) == OFF
