"""Real serving runs on one node of H100: time per output token and to first token under continuous batching.

Llama-3.1-8B in bf16 with TensorRT-LLM, Llama-3.1-70B in fp8 with vLLM. As many requests in flight as the batch says.
None of these runs was used to fit a constant, with two exceptions that are said with their sections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dse.latency.serving import continuous_tpot_s, continuous_ttft_s
from dse.objective import Case
from dse.units import MILLI
from dse.validation.figure import FITTED, HELD_OUT, Figure
from dse.validation.latency_figures import TABLES

SMALL = "Serving of Llama-3.1-8B, bf16, H100: time per output token"
LARGE = "Serving of Llama-3.1-70B, fp8, H100: time per output token"
FIRST = "Serving of Llama-3.1-70B, fp8, H100: time to first token"
NOTES = {
    LARGE: "Of the three kernels that quantisation takes in the GEMM tables, `latency.quantise_kernels` has two: these "
           "runs were looked at for that choice between fused, two and three.",
    FIRST: "That each client sends ten requests is read from these runs, and it decides how long the first ones wait. "
           "What the server does beside the devices is not in ours.",
}
REQUESTS_EACH = 10.0

# (devices, batch, prompt, output): ms per output token
SMALL_MS = {
    (1, 8, 1024, 512): 7.42, (1, 32, 1024, 512): 9.88, (1, 64, 4096, 128): 64.32, (1, 128, 1024, 512): 19.26,
    (2, 8, 1024, 512): 4.83, (2, 32, 1024, 512): 6.65, (2, 64, 4096, 128): 37.76, (2, 128, 1024, 512): 11.75,
    (4, 8, 1024, 512): 3.29, (4, 32, 1024, 512): 5.13, (4, 64, 4096, 128): 23.41, (4, 128, 1024, 512): 10.00,
    (8, 8, 1024, 512): 2.73, (8, 32, 1024, 512): 4.38, (8, 64, 4096, 128): 17.76, (8, 128, 1024, 512): 10.16,
}
# The same, and ms to the first token; 64 requests do not fit on 2 devices with 8192 tokens of prompt.
LARGE_MS = {
    (2, 4, 1024, 1024): (17.41, 121.3), (2, 4, 8192, 1024): (20.62, 737.5), (2, 16, 1024, 1024): (19.74, 252.5),
    (2, 16, 8192, 1024): (34.63, 1284.1), (2, 64, 1024, 1024): (28.77, 415.1), (4, 4, 1024, 1024): (11.78, 80.5),
    (4, 4, 8192, 1024): (13.27, 453.3), (4, 16, 1024, 1024): (13.19, 121.4), (4, 16, 8192, 1024): (21.06, 731.5),
    (4, 64, 1024, 1024): (19.51, 256.4), (4, 64, 8192, 1024): (53.49, 1744.9), (8, 4, 1024, 1024): (9.11, 70.4),
    (8, 4, 8192, 1024): (10.22, 300.8), (8, 16, 1024, 1024): (11.39, 93.0), (8, 16, 8192, 1024): (15.85, 482.9),
    (8, 64, 1024, 1024): (15.45, 184.8), (8, 64, 8192, 1024): (34.48, 1150.3),
}
MEANS = {SMALL: 0.12, LARGE: 0.12, FIRST: 0.20}
Run = tuple[int, int, int, int]


def serving_figures() -> Iterator[Figure]:
    """All of them."""
    for run, tpot_ms in SMALL_MS.items():
        yield Figure(SMALL, _name(run), tpot_ms, "ms", HELD_OUT, 0.40, TABLES, _made("llama3_8b", "bf16", run),
                     _tpot_ms(float(run[1])))
    for run, (tpot_ms, _) in LARGE_MS.items():
        yield Figure(LARGE, _name(run), tpot_ms, "ms", HELD_OUT, 0.25, TABLES, _made("llama3_70b", "fp8", run),
                     _tpot_ms(float(run[1])))
    for run, (_, ttft_ms) in LARGE_MS.items():
        yield Figure(FIRST, _name(run), ttft_ms, "ms", FITTED, 0.50, TABLES, _made("llama3_70b", "fp8", run),
                     _ttft_ms(float(run[1])))


def _name(run: Run) -> str:
    devices, batch, prompt, output = run
    return f"{devices} devices, batch {batch}, {prompt} + {output} tokens"


def _made(model: str, number_format: str, run: Run) -> tuple[str, ...]:
    devices, batch, prompt, output = run
    return ("hardware=h100", f"model={model}", f"precision={number_format}", "technique=none", "latency=gpu",
            f"parallelism.tensor_parallel={devices}", f"traffic.batch={batch}", f"traffic.prompt_tokens={prompt}",
            f"traffic.output_tokens={output}")


def _tpot_ms(batch: float) -> Callable[[Case], float]:
    return lambda of: continuous_tpot_s(of.setting, batch) / MILLI


def _ttft_ms(batch: float) -> Callable[[Case], float]:
    return lambda of: continuous_ttft_s(of.setting, batch, REQUESTS_EACH) / MILLI
