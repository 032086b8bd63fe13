"""Random designs for the properties: wide ranges of every number that latency depends on, in SI units."""

from __future__ import annotations

import math

from builders import PREFETCHING, TECHNIQUES, option
from hypothesis import strategies as st

from dse.hardware import FULL_MESH, SWITCH, TORUS, Accelerator
from dse.latency.setting import Setting
from dse.latency.style import LatencyStyle
from dse.model.language_model import LanguageModel
from dse.technique.registry import technique_terms
from dse.technique.terms import TechniqueTerms
from dse.workload import Parallelism, Precision, Traffic


def spread(low: float, high: float) -> st.SearchStrategy[float]:
    """A number between `low` and `high`, as likely in each decade."""
    return st.floats(math.log(low), math.log(high)).map(math.exp)


def whole(low: int, high: int) -> st.SearchStrategy[float]:
    """A whole number, as a float."""
    return st.integers(low, high).map(float)


@st.composite
def devices(draw: st.DrawFn) -> Accelerator:
    """A device far smaller or larger than any on sale."""
    topology = draw(st.sampled_from((FULL_MESH, SWITCH, TORUS)))
    adds = draw(st.sampled_from((0.0, 1.0))) if topology == SWITCH else 0.0
    return Accelerator(
        cores=draw(whole(4, 256)), spare_cores=0.0, clock_hz=draw(spread(5e8, 3e9)),
        matrix_flops_per_cycle=draw(spread(256.0, 32768.0)), vector_flops_per_cycle=draw(spread(32.0, 1024.0)),
        l2_bytes=draw(spread(2.0**20, 2.0**30)), spare_l2_share=0.0, l2_bytes_per_s=draw(spread(1e12, 5e13)),
        hbm_bytes=draw(spread(1.6e10, 3e11)), hbm_bytes_per_s=draw(spread(3e11, 1.5e13)), spare_hbm_sites=0.0,
        link_bytes_per_s=draw(spread(2e10, 1.5e12)), link_latency_s=draw(spread(1e-7, 2e-5)), domain_devices=8.0,
        topology=topology, in_switch_reduction=adds, tdp_w=400.0)


@st.composite
def styles(draw: st.DrawFn) -> LatencyStyle:
    """A style with long or no floors, good or poor shares."""
    share = st.floats(0.3, 1.0)
    floor = st.one_of(st.just(0.0), spread(1e-7, 2e-5))
    return LatencyStyle(
        floor_clock_hz=1.6e9, matmul_floor_s=draw(floor), matmul_wave_s=draw(floor), matmul_split_s=draw(floor),
        attention_floor_s=draw(floor), vector_floor_s=draw(floor),
        quantise_kernels=draw(st.sampled_from((0.0, 2.0))), hbm_share=draw(share), matmul_share=draw(share),
        attention_share=draw(share), unhidden_bytes=draw(spread(1.0, 1e9)),
        attention_least_rows=draw(st.sampled_from((1.0, 32.0))),
        matmul_tile=draw(st.sampled_from((64.0, 256.0))), matmul_tile_rows=draw(st.sampled_from((64.0, 128.0, 256.0))),
        matmul_least_rows=draw(st.sampled_from((1.0, 16.0, 64.0))),
        matmul_wide_columns=draw(st.sampled_from((128.0, 192.0, 256.0))),
        matmul_narrow_columns=draw(st.sampled_from((32.0, 64.0))),
        matmul_split_inner=draw(st.sampled_from((64.0, 256.0, 1024.0))),
        l2_usable_share=draw(share), hbm_usable_share=0.9,
        one_shot_startup_s=draw(floor), one_shot_device_s=draw(floor),
        one_shot_link_share=draw(share), two_shot_startup_s=draw(floor), two_shot_device_s=draw(floor),
        two_shot_link_share=draw(share), in_switch_startup_s=draw(floor),
        all_to_all_startup_s=draw(floor), short_ring=draw(st.sampled_from((0.0, 1.0))))


@st.composite
def models(draw: st.DrawFn, most_layers: int) -> LanguageModel:
    """A model whose heads seldom divide by the devices."""
    kv_heads, group = draw(whole(1, 16)), draw(whole(1, 8))
    return LanguageModel(
        layers=draw(whole(1, most_layers)), width=draw(whole(2, 128)) * 128.0, query_heads=kv_heads * group,
        kv_heads=kv_heads, head_width=draw(st.sampled_from((64.0, 96.0, 128.0, 256.0))),
        ffn_width=draw(whole(4, 400)) * 128.0, gated=draw(st.sampled_from((0.0, 1.0))),
        vocabulary=draw(whole(1000, 260000)), tied_embeddings=0.0, positions=0.0)


@st.composite
def any_models(draw: st.DrawFn, most_layers: int) -> LanguageModel:
    """A model with or without experts, with or without latent attention."""
    model = draw(models(most_layers))
    if draw(st.booleans()):
        experts = draw(whole(1, 64))
        model = model._replace(
            experts=experts, experts_per_token=draw(whole(1, int(experts))), expert_width=draw(whole(1, 80)) * 64.0,
            shared_expert_width=draw(st.sampled_from((0.0, 704.0, 4096.0))),
            dense_layers=draw(whole(0, int(model.layers) - 1)))
    if draw(st.booleans()):
        model = model._replace(
            kv_heads=model.query_heads, kv_latent_width=draw(whole(1, 16)) * 64.0,
            query_latent_width=draw(st.sampled_from((0.0, 384.0, 1536.0))),
            rope_width=draw(st.sampled_from((0.0, 32.0, 64.0))),
            value_width=draw(st.sampled_from((0.0, 64.0, 128.0))))
    return model


@st.composite
def parallelisms(draw: st.DrawFn, most_parts: int, most_stages: int) -> Parallelism:
    """Devices in every way they can be used; now and then fewer than the parts that experts are dealt to."""
    tensor, copies = draw(whole(1, most_parts)), draw(st.sampled_from((1.0, 1.0, 2.0, 3.0, 8.0)))
    yes = st.sampled_from((0.0, 1.0))
    return Parallelism(tensor, draw(whole(1, most_stages)), copies, draw(whole(1, int(tensor * copies) + 1)), draw(yes),
                       draw(yes))


@st.composite
def precisions(draw: st.DrawFn) -> Precision:
    """Any mix of widths."""
    width, rate = st.sampled_from((0.5, 1.0, 2.0)), st.sampled_from((1.0, 2.0))
    return Precision(draw(width), draw(rate), draw(width), 2.0, draw(rate))


def techniques(names: tuple[str, ...] = TECHNIQUES) -> st.SearchStrategy[TechniqueTerms]:
    """Shipped techniques, all of them unless named, with no limit of their own; experts are known or guessed."""
    choices = [(name, routing) for name in names for routing in ((False, True) if name in PREFETCHING else (False,))]
    return st.sampled_from(choices).map(lambda one: technique_terms(option(
        "technique", one[0], **({"known_routing": True} if one[1] else {}))))


@st.composite
def settings_of(draw: st.DrawFn, most_layers: int = 6, most_tokens: int = 32768, most_parts: int = 8,
                most_stages: int = 1, names: tuple[str, ...] = TECHNIQUES) -> Setting:
    """A whole setting; `most_parts` devices of tensor parallelism at most, `most_stages` of pipeline.

    Its technique is one of `names`.
    """
    traffic = Traffic(draw(whole(1, 64)), draw(whole(1, most_tokens)), draw(whole(2, most_tokens)), math.inf, math.inf)
    return Setting(draw(devices()), draw(styles()), draw(any_models(most_layers)), traffic, draw(precisions()),
                   draw(parallelisms(most_parts, most_stages)), draw(techniques(names)))
