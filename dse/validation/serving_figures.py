"""Real serving runs on one node of H100: time per output token and to first token under continuous batching.

Llama-3.1-8B in bf16 with TensorRT-LLM, Llama-3.1-70B in fp8 with vLLM. As many requests in flight as the batch says.
How clients and engine were set up is published with the programs that made the runs; what is not, and was read from
the runs, is said with their sections, and the rows it was read from are not called held out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from dse.latency.load import Load
from dse.latency.server import Server, loop_s, server
from dse.latency.serving import Served, served
from dse.latency.setting import Setting
from dse.objective import Case
from dse.shipped import option
from dse.units import MILLI
from dse.validation.figure import CONSISTENCY, FITTED, HELD_OUT, Figure
from dse.validation.latency_figures import TABLES

SMALL = "Serving of Llama-3.1-8B, bf16, H100: time per output token"
SMALL_FIRST = "Serving of Llama-3.1-8B, bf16, H100: time to first token"
SMALL_BUSY = "Serving of Llama-3.1-8B, bf16, H100, many clients: time to first token"
UNHIDDEN = "The server's loop: what the devices do not hide of a decode step"
LARGE = "Serving of Llama-3.1-70B, fp8, H100: time per output token"
FIRST = "Serving of Llama-3.1-70B, fp8, H100: time to first token"
NOTES = {
    SMALL: "What the server's software takes (`conf/server/trtllm.yaml`) was fitted to the runs on 8 devices, both "
           "times; nothing was to those on 1, 2 and 4. Which times there are was settled with all runs in view. Errors "
           "of all 177 runs are on [the page on the model](model.md).",
    SMALL_FIRST: "Each client sends ten equally long requests and a step takes the batch, a prompt and 1500 tokens "
                 "(github ai-dynamo/aiconfigurator, genai_perf_runner.py and trtllm.rule). Read from the runs with a "
                 "batch of 8: the engine works on one request less than there are clients, so that one always waits, "
                 "an eighth of a whole request on average. In two of them none waits. Prompts of 4096 tokens take the "
                 "devices a fifth longer than ours.",
    SMALL_BUSY: "128 clients were given 9,100 to 9,200 tokens per s by 2, 4 and 8 devices alike: tokens queue in the "
                "front end. How much of a request's time is spent before the first token follows from how far requests "
                "that started together have drifted apart, and ten of each client are few: only the sum, which is "
                "clients / throughput, is sure.",
    UNHIDDEN: "Another version and another host than those of the runs that ours was fitted to.",
    LARGE: "Of the three kernels that quantisation takes in the GEMM tables, `latency.quantise_kernels` has two: these "
           "runs were looked at for that choice between fused, two and three. The KV-cache is in 16 bits: on two "
           "devices as many requests wait as do not fit with it, and in 8 bits all would.",
    FIRST: "Lengths lie between 0.8 of what is said and it, each client sends ten requests, a step takes 8192 tokens "
           "(github SemiAnalysisAI/InferenceX, 70b_fp8_h100_slurm.sh). Read from these runs: 15 ms from client to "
           "engine (`conf/server/vllm.yaml`), which the runs of Llama-3.1-8B are given too.",
}
REQUESTS_EACH = 10
SPARE_STEP_TOKENS = 1500
STEP_TOKENS, SHORTEST_SHARE = 8192, 0.8

# (devices, batch, prompt, output): ms per output token
SMALL_MS = {
    (1, 8, 1024, 512): 7.42, (1, 32, 1024, 512): 9.88, (1, 64, 4096, 128): 64.32, (1, 128, 1024, 512): 19.26,
    (2, 8, 1024, 512): 4.83, (2, 32, 1024, 512): 6.65, (2, 64, 4096, 128): 37.76, (2, 128, 1024, 512): 11.75,
    (4, 8, 1024, 512): 3.29, (4, 32, 1024, 512): 5.13, (4, 64, 4096, 128): 23.41, (4, 128, 1024, 512): 10.00,
    (8, 8, 1024, 512): 2.73, (8, 32, 1024, 512): 4.38, (8, 64, 4096, 128): 17.76, (8, 128, 1024, 512): 10.16,
}
# The same: ms to the first token.
SMALL_FIRST_MS = {
    (1, 8, 1024, 512): 550.0, (1, 8, 2048, 256): 205.1, (1, 8, 4096, 128): 441.1, (1, 16, 1024, 512): 308.4,
    (1, 16, 2048, 256): 282.6, (1, 16, 4096, 128): 388.1, (1, 32, 1024, 512): 225.6, (1, 32, 2048, 256): 255.9,
    (1, 32, 4096, 128): 475.8, (1, 64, 1024, 512): 229.9, (1, 64, 2048, 256): 300.8, (1, 64, 4096, 128): 618.4,
    (2, 8, 1024, 512): 367.8, (2, 8, 2048, 256): 254.9, (2, 8, 4096, 128): 267.5, (2, 16, 1024, 512): 218.7,
    (2, 16, 2048, 256): 180.7, (2, 16, 4096, 128): 240.3, (2, 32, 1024, 512): 162.4, (2, 32, 2048, 256): 166.8,
    (2, 32, 4096, 128): 266.6, (2, 64, 1024, 512): 180.2, (2, 64, 2048, 256): 180.9, (2, 64, 4096, 128): 331.3,
    (4, 8, 1024, 512): 270.0, (4, 8, 2048, 256): 172.4, (4, 8, 4096, 128): 178.4, (4, 16, 1024, 512): 177.2,
    (4, 16, 2048, 256): 132.2, (4, 16, 4096, 128): 152.2, (4, 32, 1024, 512): 141.3, (4, 32, 2048, 256): 121.2,
    (4, 32, 4096, 128): 172.2, (8, 8, 1024, 512): 233.8, (8, 8, 2048, 256): 78.3, (8, 8, 4096, 128): 134.7,
    (8, 16, 1024, 512): 154.2, (8, 16, 2048, 256): 120.0, (8, 16, 4096, 128): 123.5, (8, 32, 1024, 512): 142.2,
    (8, 32, 2048, 256): 117.0, (8, 32, 4096, 128): 156.2,
}
BUSY_MS = {
    (1, 128, 1024, 512): 364.3, (1, 128, 2048, 256): 605.6, (2, 128, 1024, 512): 1105.9, (2, 128, 2048, 256): 674.3,
    (2, 128, 4096, 128): 695.4, (4, 64, 1024, 512): 334.8, (4, 64, 2048, 256): 270.6, (4, 64, 4096, 128): 268.6,
    (4, 128, 1024, 512): 1981.5, (4, 128, 2048, 256): 1437.1, (4, 128, 4096, 128): 842.7, (8, 64, 1024, 512): 405.0,
    (8, 64, 2048, 256): 454.9, (8, 64, 4096, 128): 219.8, (8, 128, 1024, 512): 2019.6, (8, 128, 2048, 256): 1224.5,
    (8, 128, 4096, 128): 651.1,
}
NO_WAIT = {(1, 8, 2048, 256), (8, 8, 2048, 256)}
# The same: ms per output token, ms to the first token. 64 requests do not fit on 2 devices with 8192 tokens of prompt.
LARGE_MS = {
    (2, 4, 1024, 1024): (17.41, 121.3), (2, 4, 8192, 1024): (20.62, 737.5), (2, 16, 1024, 1024): (19.74, 252.5),
    (2, 16, 8192, 1024): (34.63, 1284.1), (2, 64, 1024, 1024): (28.77, 415.1), (4, 4, 1024, 1024): (11.78, 80.5),
    (4, 4, 8192, 1024): (13.27, 453.3), (4, 16, 1024, 1024): (13.19, 121.4), (4, 16, 8192, 1024): (21.06, 731.5),
    (4, 64, 1024, 1024): (19.51, 256.4), (4, 64, 8192, 1024): (53.49, 1744.9), (8, 4, 1024, 1024): (9.11, 70.4),
    (8, 4, 8192, 1024): (10.22, 300.8), (8, 16, 1024, 1024): (11.39, 93.0), (8, 16, 8192, 1024): (15.85, 482.9),
    (8, 64, 1024, 1024): (15.45, 184.8), (8, 64, 8192, 1024): (34.48, 1150.3),
}
MEANS = {SMALL: 0.12, SMALL_FIRST: 0.20, SMALL_BUSY: 0.40, LARGE: 0.12, FIRST: 0.20}
Run = tuple[int, int, int, int]


def serving_figures() -> Iterator[Figure]:
    """All of them."""
    for run, tpot_ms in SMALL_MS.items():
        yield Figure(SMALL, _name(run), tpot_ms, "ms", _kind(run), 0.45, TABLES, _small(run),
                     _tpot_ms(run, _equal(run)))
    for run, ttft_ms in SMALL_FIRST_MS.items():
        kind = FITTED if run[1] == 8 else _kind(run)
        tolerance = 1.00 if run in NO_WAIT else 0.35
        yield Figure(SMALL_FIRST, _name(run), ttft_ms, "ms", kind, tolerance, TABLES, _small(run),
                     _ttft_ms(run, _equal(run)))
    for run, ttft_ms in BUSY_MS.items():
        yield Figure(SMALL_BUSY, _name(run), ttft_ms, "ms", _kind(run), 0.85, TABLES, _small(run),
                     _ttft_ms(run, _equal(run)))
    yield Figure(UNHIDDEN, "64 requests, B200", 0.58, "ms", CONSISTENCY, None, "github NVIDIA/TensorRT-LLM issue 13957",
                 ("hardware=b200", "model=llama3_8b", "precision=fp8", "latency=gpu"), _unhidden_ms(64.0))
    for run, (tpot_ms, _) in LARGE_MS.items():
        yield Figure(LARGE, _name(run), tpot_ms, "ms", HELD_OUT, 0.25, TABLES, _large(run),
                     _tpot_ms(run, _spread(run)))
    for run, (_, ttft_ms) in LARGE_MS.items():
        yield Figure(FIRST, _name(run), ttft_ms, "ms", FITTED, 0.50, TABLES, _large(run), _ttft_ms(run, _spread(run)))


def _kind(run: Run) -> str:
    """The server's constants were fitted to the runs on 8 devices."""
    return FITTED if run[0] == 8 else HELD_OUT


def _name(run: Run) -> str:
    devices, batch, prompt, output = run
    return f"{devices} devices, batch {batch}, {prompt} + {output} tokens"


def _small(run: Run) -> tuple[str, ...]:
    return ("model=llama3_8b", "precision=bf16", *_made(run))


def _large(run: Run) -> tuple[str, ...]:
    return ("model=llama3_70b", "precision=fp8", "precision.kv_cache=bf16", *_made(run))


def _made(run: Run) -> tuple[str, ...]:
    return "hardware=h100", "technique=none", "latency=gpu", f"parallelism.tensor_parallel={run[0]}"


def _equal(run: Run) -> Load:
    """The load of the runs with TensorRT-LLM."""
    _, batch, prompt, _ = run
    return Load(batch, REQUESTS_EACH, 1.0, batch - 1, batch + prompt + SPARE_STEP_TOKENS, False, _server("trtllm"))


def _spread(run: Run) -> Load:
    """The load of the runs with vLLM."""
    return Load(run[1], REQUESTS_EACH, SHORTEST_SHARE, run[1], STEP_TOKENS, True, _server("vllm"))


@cache
def _server(name: str) -> Server:
    return server(option("server", name))


def _unhidden_ms(requests: float) -> Callable[[Case], float]:
    """The same on every device whose step is longer than the loop's."""
    by = _server("trtllm")
    return lambda of: by.unhidden_share * loop_s(by, requests, 0.0) / MILLI


def _tpot_ms(run: Run, load: Load) -> Callable[[Case], float]:
    return lambda of: _served(of.setting, run, load).tpot_s / MILLI


def _ttft_ms(run: Run, load: Load) -> Callable[[Case], float]:
    return lambda of: _served(of.setting, run, load).ttft_s / MILLI


@cache
def _served(at: Setting, run: Run, load: Load) -> Served:
    """A run's means, worked out once for both figures."""
    _, batch, prompt, output = (float(part) for part in run)
    traffic = at.traffic._replace(batch=batch, prompt_tokens=prompt, output_tokens=output)
    return served(at._replace(traffic=traffic), load)
