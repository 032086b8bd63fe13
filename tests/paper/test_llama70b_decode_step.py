"""A decode step of Llama-70B on eight A100 and eight H100, in bf16, batch 16, against kernel timings.

The step is 80 layers and the logits, put together from CUDA-graph timings of single kernels (github
ai-dynamo/aiconfigurator@095f58a). Constants are the base ones, none is fitted to the step.
"""

from __future__ import annotations

import pytest
from builders import setting, with_device

from dse.latency.phases import Pass, decode
from dse.latency.setting import Setting

BATCH = 16.0
STEP_MS = {("a100", 2048.0): 18.83, ("a100", 4096.0): 19.67, ("h100", 2048.0): 11.24, ("h100", 4096.0): 11.57}
ROOFLINE_MS = {"a100": 9.6, "h100": 5.9}
KERNELS_US = {
    "a100": {"qkv": 18.8, "attention": 30.3, "output": 16.1, "gate_up": 82.2, "down": 42.6, "norms": 7.3,
             "activation": 3.2, "all_reduces": 32.6},
    "h100": {"qkv": 12.4, "attention": 18.3, "output": 8.8, "gate_up": 44.7, "down": 24.7, "norms": 6.8,
             "activation": 3.1, "all_reduces": 20.3},
}
STEP_TOLERANCE = {2048.0: 0.05, 4096.0: 0.06}  # reached: 2.7 % and 2.9 % on A100, 3.0 % and 4.5 % on H100
KERNEL_TOLERANCE = 0.20  # reached: within 12 %, but for the all-reduces of H100 (17 %)


def base(hardware: str) -> Setting:
    return setting(hardware, "llama3_70b", "bf16", batch=BATCH)


def roofline(hardware: str) -> Setting:
    """The same machine with every byte and FLOP at its data-sheet rate, and nothing that takes time by itself."""
    at = with_device(base(hardware), link_latency_s=0.0)
    ideal = {name: 0.0 if name.endswith("_s") else 1.0 for name in at.style._fields if name.endswith(("_s", "_share"))}
    return at._replace(style=at.style._replace(**{**ideal, "unhidden_bytes": 0.0, "attention_least_rows": 1.0}))


def kernels_us(one: Pass) -> dict[str, float]:
    """Microseconds of a layer by kernel, alike ones together."""
    first, second = one.attention, one.mlp
    seconds = {
        "qkv": first.qkv.time_s, "attention": first.attention.time_s, "output": first.output.time_s,
        "gate_up": second.gate_up.time_s, "down": second.down.time_s,
        "norms": first.attention_norm.time_s + second.mlp_norm.time_s, "activation": second.activation.time_s,
        "all_reduces": first.attention_reduce.time_s + second.mlp_reduce.time_s,
    }
    return {name: 1e6 * value for name, value in seconds.items()}


@pytest.mark.parametrize(("hardware", "context"), STEP_MS)
def test_step(hardware: str, context: float) -> None:
    found = 1e3 * decode(base(hardware), BATCH, context).pass_s
    assert found == pytest.approx(STEP_MS[hardware, context], rel=STEP_TOLERANCE[context])


@pytest.mark.parametrize("hardware", KERNELS_US)
def test_kernels(hardware: str) -> None:
    """The step is right because its parts are, not because their errors cancel."""
    found = kernels_us(decode(base(hardware), BATCH, 2048.0))
    assert found == pytest.approx(KERNELS_US[hardware], rel=KERNEL_TOLERANCE)


@pytest.mark.parametrize("hardware", ROOFLINE_MS)
def test_a_roofline_is_twice_too_fast(hardware: str) -> None:
    """It gives the published roofline figure within 5 %, and about half of the step: floors are the other half."""
    found = 1e3 * decode(roofline(hardware), BATCH, 2048.0).pass_s
    assert found == pytest.approx(ROOFLINE_MS[hardware], rel=0.05)
    assert found < 0.52 * STEP_MS[hardware, 2048.0]


def test_h100_gains_what_was_measured_over_a100() -> None:
    """A step is 1.68 times as long on A100, though HBM and links are 1.64 and 1.5 times as fast on H100."""
    found = decode(base("a100"), BATCH, 2048.0).pass_s / decode(base("h100"), BATCH, 2048.0).pass_s
    assert found == pytest.approx(18.83 / 11.24, rel=0.15)
