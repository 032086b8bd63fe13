"""Measured latencies: a decode step by kernel, a GPT-3 layer, all-reduces, GEMM and attention of single shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dse.latency.attention_block import attention_block_s
from dse.latency.collectives import all_reduce
from dse.latency.machine import machine
from dse.latency.memory import shard
from dse.latency.mlp_block import mlp_block_s
from dse.latency.operators import Tokens, matmul
from dse.latency.phases import Pass, decode, single_pass
from dse.latency.roofline import operator_time
from dse.objective import Case
from dse.units import MICRO, MILLI
from dse.validation.figure import FITTED, HELD_OUT, Figure

TABLES = "github ai-dynamo/aiconfigurator@095f58a"
LLMCOMPASS = "github PrincetonUniversity/LLMCompass@2e015fd"
KIB = 1024.0
STEP_BATCH = 16.0
STEP = "Decode step of Llama-70B, bf16, 8 devices, batch 16"
LAYER = "Layer of GPT-3 175B, fp16, 4 x A100, eager"
REDUCE = "All-reduce on 8 devices"
SHAPES = "GEMM, bf16"

# us per layer at 2048 cached tokens, from CUDA-graph kernel timings: QKV, attention, output, gate and up, down, two
# norms, activation, two all-reduces; then the step in ms at 2048 and 4096.
KERNELS = ("qkv", "attention", "output", "gate_up", "down", "norms", "activation", "all_reduces")
STEPS = {
    "a100": ((18.8, 30.3, 16.1, 82.2, 42.6, 7.3, 3.2, 32.6), (18.83, 19.67)),
    "h100": ((12.4, 18.3, 8.8, 44.7, 24.7, 6.8, 3.1, 20.3), (11.24, 11.57)),
}
# us at 8, 64 and 256 KiB, 1 and 8 MiB: TensorRT-LLM (with the style of all custom kernels, and with its own) and NCCL.
MESSAGES_KIB = (8.0, 64.0, 256.0, 1024.0, 8192.0)
REDUCES = {("a100", "gpu"): (8.0, 9.0, 16.3, 83.2, 128.8), ("h100", "gpu"): (3.5, 4.6, 10.2, 26.0, 79.4),
           ("h100", "gpu_trtllm"): (3.5, 4.6, 10.2, 26.0, 79.4),
           ("a100", "gpu_nccl"): (21.3, 28.1, 27.5, 38.9, 128.0), ("h100", "gpu_nccl"): (16.0, 18.7, 19.1, 25.4, 78.9)}
REDUCE_TOLERANCE = {"gpu": 0.45, "gpu_trtllm": 0.20, "gpu_nccl": 0.20}
REDUCE_KERNEL = {"gpu": "custom kernel", "gpu_trtllm": "TensorRT-LLM's kernel", "gpu_nccl": "NCCL"}
STRATEGY_SWITCH = ("a100", "gpu", 1024.0)  # 16 us at 256 KiB and 83 at 1 MiB: the kernel is left, NCCL would take 39
NOTES = {REDUCE: "The custom kernel quoted here is that of TensorRT-LLM, on H100 a third faster at small messages than "
                 "those of vLLM and SGLang: the style gpu stands for all three, gpu_trtllm for it alone."}
# us of m x k by k x n, vLLM tables: (m, n, k)
GEMMS = {"a100": {(1.0, 4096.0, 4096.0): 24.1, (64.0, 8192.0, 8192.0): 100.8, (512.0, 4096.0, 4096.0): 91.0,
                  (8192.0, 8192.0, 8192.0): 3743.4},
         "h100": {(1.0, 4096.0, 4096.0): 15.0, (64.0, 8192.0, 8192.0): 47.4, (512.0, 4096.0, 4096.0): 24.1,
                  (8192.0, 8192.0, 8192.0): 1541.7}}


def latency_figures() -> Iterator[Figure]:
    """All of them."""
    yield from _steps()
    yield from _layer()
    yield from _reduces()
    yield from _gemms()


def _steps() -> Iterator[Figure]:
    for chip, (kernels, steps) in STEPS.items():
        made = (f"hardware={chip}", "model=llama2_70b", "precision=bf16", "technique=none", "latency=gpu")
        for context, published in zip((2048.0, 4096.0), steps, strict=True):
            yield Figure(STEP, f"{chip}, {context:.0f} cached: step", published, "ms", FITTED, 0.10, TABLES, made,
                         _step_ms(context))
        for name, published in zip(KERNELS, kernels, strict=True):
            yield Figure(STEP, f"{chip}, 2048 cached: {name} of a layer", published, "us", FITTED, 0.20, TABLES, made,
                         _kernel_us(name))


def _step_ms(context: float) -> Callable[[Case], float]:
    return lambda of: decode(of.setting, STEP_BATCH, context).pass_s / MILLI


def _kernel_us(name: str) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        one: Pass = decode(of.setting, STEP_BATCH, 2048.0)
        first, second = one.attention, one.mlp
        both = {"norms": (first.attention_norm, second.mlp_norm),
                "all_reduces": (first.attention_reduce, second.mlp_reduce)}
        single = first if name in first._fields else second
        entries = both[name] if name in both else (getattr(single, name),)
        return float(sum(entry.time_s for entry in entries)) / MICRO

    return ours


def _layer() -> Iterator[Figure]:
    made = ("hardware=a100", "model=gpt3_175b", "precision=fp16", "technique=none", "latency=gpu_eager",
            "parallelism.tensor_parallel=4")
    for name, tokens, published in (("decode, batch 8, 3072 cached", Tokens(8.0, 1.0, 3072.0), 1.111),
                                    ("prefill, batch 8, 2048 tokens", Tokens(8.0, 2048.0, 0.0), 66.75)):
        yield Figure(LAYER, name, published, "ms", HELD_OUT, 0.12, LLMCOMPASS, made, _layer_ms(tokens))


def _layer_ms(tokens: Tokens) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        at = of.setting
        on = machine(at.device, at.style, at.precision)
        one = single_pass(tokens, on, shard(at.model, at.parallelism), at)
        return (attention_block_s(one.attention) + mlp_block_s(one.mlp)) / MILLI

    return ours


def _reduces() -> Iterator[Figure]:
    for (chip, style), times in REDUCES.items():
        made = (f"hardware={chip}", f"latency={style}")
        kernel = REDUCE_KERNEL[style]
        for size, published in zip(MESSAGES_KIB, times, strict=True):
            tolerance = None if (chip, style, size) == STRATEGY_SWITCH else REDUCE_TOLERANCE[style]
            yield Figure(REDUCE, f"{chip}, {kernel}, {size:.0f} KiB", published, "us", FITTED, tolerance, TABLES, made,
                         _reduce_us(size * KIB))


def _reduce_us(message_bytes: float) -> Callable[[Case], float]:
    return lambda of: all_reduce(message_bytes, 8.0, of.setting.device, of.setting.style).time_s / MICRO


def _gemms() -> Iterator[Figure]:
    for chip, shapes in GEMMS.items():
        made = (f"hardware={chip}", "precision=bf16", "latency=gpu")
        for (rows, columns, inner), published in shapes.items():
            yield Figure(SHAPES, f"{chip}, {rows:.0f} x {inner:.0f} by {inner:.0f} x {columns:.0f}", published, "us",
                         FITTED, 0.25, TABLES, made, _gemm_us(rows, inner, columns))


def _gemm_us(rows: float, inner: float, columns: float) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        at = of.setting
        on = machine(at.device, at.style, at.precision)
        work = matmul(rows, inner, columns, on, at.precision)
        return operator_time(work, 0.0, on.hbm_bytes_per_s, at.device.l2_bytes_per_s).time_s / MICRO

    return ours
