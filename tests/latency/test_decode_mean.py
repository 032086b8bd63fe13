"""The mean decode step of the growing context against the sum over every step.

A step is smooth in its context but for corners: where the KV-cache outgrows its window, where another resource becomes
the busiest, where the slowest stage of a pipeline takes over. What the rule can miss is a corner inside one of its
sixteen parts.
"""

from __future__ import annotations

import math

import pytest
from builders import setting, with_technique, with_traffic
from designs import settings_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.latency.phases import decode_s, mean_decode_s
from dse.latency.setting import Setting

ANYWHERE = 0.001
IN_PRACTICE = 0.001


def every_step_s(at: Setting) -> float:
    """Step j = 1 ... output - 1 finds prompt + j - 1 tokens cached."""
    steps = int(at.traffic.output_tokens) - 1
    return math.fsum(decode_s(at, at.traffic.batch, at.traffic.prompt_tokens + j) for j in range(steps)) / steps


@settings(max_examples=30)
@given(settings_of(most_stages=3), st.integers(1, 64), st.integers(2, 400))
def test_any_design_stays_near_the_sum_over_every_step(at: Setting, prompt: int, output: int) -> None:
    short = with_traffic(at, prompt_tokens=float(prompt), output_tokens=float(output))
    assert mean_decode_s(short, short.traffic.batch) == pytest.approx(every_step_s(short), rel=ANYWHERE)


@pytest.mark.parametrize(("model", "devices", "technique"), [
    ("llama3_70b", 8.0, "none"), ("llama3_70b", 8.0, "preserve"), ("llama3_8b", 2.0, "preserve"),
    ("llama3_8b", 2.0, "preserve_kv"), ("phi3_medium", 4.0, "preserve_weights")])
def test_the_main_workload_equals_the_sum_over_every_step(model: str, devices: float, technique: str) -> None:
    """Batch 4, 10923 tokens of prompt, 5461 of output."""
    at = with_technique(setting(model=model, tensor_parallel=devices), technique)
    assert mean_decode_s(at, 4.0) == pytest.approx(every_step_s(at), rel=IN_PRACTICE)


def test_a_corner_is_seen() -> None:
    """256 sequences from 128 tokens on outgrow their window while they decode; four parts miss that by 0.6 %."""
    at = with_traffic(setting(model="llama3_8b", tensor_parallel=2.0, technique="preserve_kv"), batch=256.0,
                      prompt_tokens=128.0, output_tokens=4096.0)
    assert mean_decode_s(at, 256.0) == pytest.approx(every_step_s(at), rel=ANYWHERE)


def test_two_tokens_take_one_step() -> None:
    """The second token finds the prompt cached, and nothing else."""
    at = with_traffic(setting(technique="preserve"), prompt_tokens=1000.0, output_tokens=2.0)
    assert mean_decode_s(at, 4.0) == pytest.approx(decode_s(at, 4.0, 1000.0), rel=1e-6)
