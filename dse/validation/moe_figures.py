"""Mixtures of experts and latent attention as measured: one layer's experts, attention, sending tokens, whole runs.

Nothing was fitted to any of these but the start of sending tokens. Each figure's tolerance was set after ours was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dse.latency.collectives import all_to_all
from dse.latency.expert_block import expert_block
from dse.latency.experts import copies_per_token
from dse.latency.load import Load
from dse.latency.machine import machine
from dse.latency.memory import shard
from dse.latency.operators import Tokens, attention
from dse.latency.roofline import operator_time
from dse.latency.server import server
from dse.latency.serving import served
from dse.latency.step import step
from dse.objective import Case
from dse.shipped import option
from dse.units import GIGA, MICRO, MILLI
from dse.validation.figure import FITTED, HELD_OUT, Figure

TABLES = "aiconfigurator-core 0.12.0 on PyPI, {}"
DEEPEP = "github deepseek-ai/DeepEP@0297fc8, docs/legacy.md"
RUNS = "github SemiAnalysisAI/InferenceX issue 870"
EXPERTS = "Experts of one layer, H100, tokens dealt to them evenly"
LATENT = "Latent attention of DeepSeek-V3, one layer, bf16, H100"
SENDING = "Tokens of DeepSeek-V3 sent to their experts and back, 8 devices"
SERVING = "Serving of DeepSeek-R1, fp8, 8 x H200: time per output token"
MEANS = {EXPERTS: 0.20, LATENT: 0.20, SERVING: 0.15}
NOTES = {
    EXPERTS: "Gate, up, activation and down with the ordering of the tokens before and their sum after. Tolerances "
             "were set after ours was seen, and that tokens are ordered by expert and summed was added after these "
             "tables were: held out is true of constants, not of the form. "
             "Dealt evenly 16 tokens touch all 128 experts of Qwen3, by chance, as in "
             "ours, 64 % of them. vLLM's Triton kernels reach two thirds of the rate of TensorRT-LLM's in large "
             "products; DeepSeek-V3's scales for blocks of 128 numbers are not in ours, nor is what TensorRT-LLM does "
             "for a single token. The tables' rows for DeepSeek-V3 under vLLM are left out: they say that all experts "
             "are read in less time than the HBM's peak allows.",
    LATENT: "Tolerances were set after ours was seen, and what is placed in a prompt and how the products of decode "
            "are grouped were changed after these tables were: held out is true of constants, not of the form. "
            "Decode with all 128 heads computes as long as it reads: the kernel reaches 0.6 of the matrix peak, ours, "
            "with the share of a prompt's attention, 0.5. On A100 the same library reads a single sequence at 0.02 "
            "of the bandwidth: such a kernel is not in ours.",
    SENDING: "The start was taken from the low-latency kernels (`latency.all_to_all_startup_us`); tolerances were set "
             "after ours was seen. Bandwidths count what a device keeps for itself too. The tables do not say whether "
             "they were measured in a CUDA graph.",
    SERVING: "SGLang 0.5.7, tensor parallelism over 8 devices, 1024 tokens of prompt and output, and as little as 0.8 "
             "of that: the mean of a request's time is that of 0.9. Clients' and engine's set-up as in the runs of "
             "Llama-3.1-70B above; the KV-cache is in 16 bits.",
}
TOKENS = (1.0, 16.0, 128.0, 1024.0, 8192.0)
# us by model, precision, devices and framework, for these tokens
EXPERTS_US = {
    ("mixtral_8x7b", "bf16", 1, "vLLM"): (258.7, 958.0, 1015.1, 1912.2, 11202.9),
    ("mixtral_8x7b", "bf16", 1, "TensorRT-LLM"): (261.5, 962.0, 1011.1, 1301.7, 7146.9),
    ("mixtral_8x7b", "bf16", 8, "vLLM"): (61.8, 158.8, 154.3, 280.5, 1264.7),
    ("mixtral_8x7b", "bf16", 8, "TensorRT-LLM"): (55.3, 138.9, 150.9, 211.6, 1111.1),
    ("qwen3_235b_a22b", "bf16", 8, "vLLM"): (35.3, 234.9, 246.4, 320.0, 1200.8),
    ("qwen3_235b_a22b", "bf16", 8, "TensorRT-LLM"): (42.0, 232.7, 246.3, 365.5, 1483.6),
    ("deepseek_v3", "fp8", 8, "TensorRT-LLM"): (114.6, 327.4, 631.1, 1219.3, 5430.2),
}
# us by devices that share the 128 heads, sequences and tokens cached; and by devices and tokens of one prompt
DECODE_US = {
    (8, 1, 1023): 14.7, (8, 1, 4095): 18.3, (8, 1, 16383): 24.5, (8, 16, 1023): 20.6, (8, 16, 4095): 44.2,
    (8, 16, 16383): 116.6, (8, 128, 1023): 66.5, (8, 128, 4095): 213.0, (8, 128, 16383): 804.2, (1, 1, 1023): 17.6,
    (1, 1, 4095): 20.9, (1, 1, 16383): 29.3, (1, 16, 1023): 31.5, (1, 16, 4095): 57.3, (1, 16, 16383): 141.4,
    (1, 128, 1023): 100.2, (1, 128, 4095): 266.4, (1, 128, 16383): 950.8,
}
PROMPT_US = {(8, 1024): 34.2, (8, 4096): 207.2, (8, 16384): 2358.8, (1, 1024): 140.0, (1, 4096): 1262.9,
             (1, 16384): 18646.6}
# us by framework, kernels, way and tokens of a device; 7168 numbers each, there in fp8 where said, else in bf16
SENT_US = {
    ("TensorRT-LLM", "low latency", "there in fp8", 16): 73.0, ("TensorRT-LLM", "low latency", "back", 16): 33.0,
    ("TensorRT-LLM", "low latency", "there in fp8", 128): 72.0, ("TensorRT-LLM", "low latency", "back", 128): 61.0,
    ("vLLM", "low latency", "back", 16): 49.0, ("vLLM", "low latency", "back", 128): 97.0,
    ("TensorRT-LLM", "high throughput", "there", 8192): 1474.0,
    ("TensorRT-LLM", "high throughput", "back", 8192): 1642.0,
    ("vLLM", "high throughput", "back", 8192): 2824.0,
}
SENT_GB_PER_S = {"there in fp8": 153.0, "back": 158.0}
TPOT_MS = {8: 12.8, 16: 17.2, 32: 25.6, 64: 34.6}
ON_H100 = ("hardware=h100", "technique=none", "latency=gpu")


def moe_figures() -> Iterator[Figure]:
    """All of them."""
    yield from _experts()
    yield from _latent()
    yield from _sending()
    yield from _serving()


def _experts() -> Iterator[Figure]:
    for (model, precision, devices, framework), times in EXPERTS_US.items():
        made = (*ON_H100, f"model={model}", f"precision={precision}", f"parallelism.tensor_parallel={devices}")
        for tokens, published in zip(TOKENS, times, strict=True):
            name = f"{model}, {precision}, 1 of {devices} devices, {framework}, {tokens:.0f} tokens"
            yield Figure(EXPERTS, name, published, "us", HELD_OUT, 0.65, TABLES.format("moe"), made,
                         _experts_us(tokens))


def _experts_us(tokens: float) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        at = of.setting
        shared = step(tokens, tokens, at.parallelism, machine(at.device, at.style, at.precision), at.model,
                      shard(at.model, at.parallelism), at.precision, at.technique)
        block = expert_block(shared)
        entries = (block.expert_gather, block.expert_gate_up, block.expert_activation, block.expert_down,
                   block.expert_sum)
        return sum(entry.time_s for entry in entries) / MICRO

    return ours


def _latent() -> Iterator[Figure]:
    made = (*ON_H100, "model=deepseek_v3", "precision=bf16")
    source = TABLES.format("mla/trtllm")
    for (devices, sequences, cached), published in DECODE_US.items():
        name = f"decode, {128 // devices} heads, {sequences} sequences, {cached} cached"
        yield Figure(LATENT, name, published, "us", HELD_OUT, 0.60, source,
                     (*made, f"parallelism.tensor_parallel={devices}"), _attention_us(Tokens(sequences, 1.0, cached)))
    for (devices, prompt), published in PROMPT_US.items():
        name = f"prompt, {128 // devices} heads, {prompt} tokens"
        yield Figure(LATENT, name, published, "us", HELD_OUT, 0.30, source,
                     (*made, f"parallelism.tensor_parallel={devices}"), _attention_us(Tokens(1.0, prompt, 0.0)))


def _attention_us(tokens: Tokens) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        at = of.setting
        on = machine(at.device, at.style, at.precision)
        work = attention(tokens, at.model, shard(at.model, at.parallelism), on, at.precision)
        return operator_time(work, 0.0, on.hbm_bytes_per_s, at.device.l2_bytes_per_s).time_s / MICRO

    return ours


def _sending() -> Iterator[Figure]:
    made = (*ON_H100, "model=deepseek_v3", "precision=fp8")
    for (framework, kernels, way, tokens), published in SENT_US.items():
        kind = FITTED if kernels == "low latency" else HELD_OUT
        yield Figure(SENDING, f"H100, {framework}, {kernels}, {way}, {tokens} tokens a device", published, "us", kind,
                     0.80, TABLES.format("comm"), made, _sent_us(tokens, 1.0 if "fp8" in way else 2.0))
    for way, published in SENT_GB_PER_S.items():
        yield Figure(SENDING, f"H800, DeepEP, {way}, 4096 tokens a device", published, "GB/s", HELD_OUT, 0.25, DEEPEP,
                     (*made, "hardware.link_gb_per_s=200"), _sent_gb_per_s(4096.0, 1.0 if "fp8" in way else 2.0))


def _message_bytes(of: Case, tokens: float, width_bytes: float) -> float:
    model = of.setting.model
    return tokens * copies_per_token(model, 8.0) * model.width * width_bytes


def _sent_us(tokens: float, width_bytes: float) -> Callable[[Case], float]:
    return lambda of: all_to_all(_message_bytes(of, tokens, width_bytes), 8.0, of.setting.device,
                                 of.setting.style).time_s / MICRO


def _sent_gb_per_s(tokens: float, width_bytes: float) -> Callable[[Case], float]:
    def ours(of: Case) -> float:
        message = _message_bytes(of, tokens, width_bytes)
        return message / all_to_all(message, 8.0, of.setting.device, of.setting.style).time_s / GIGA

    return ours


def _serving() -> Iterator[Figure]:
    software = server(option("server", "vllm"))
    for clients, published in TPOT_MS.items():
        made = ("hardware=h200", "model=deepseek_v3", "precision=fp8", "precision.kv_cache=bf16", "technique=none",
                "latency=gpu", f"traffic.batch={clients}", "traffic.prompt_tokens=1024", "traffic.output_tokens=1024")
        yield Figure(SERVING, f"{clients} clients", published, "ms", HELD_OUT, 0.25, RUNS, made,
                     _tpot_ms(Load(clients, 10, 0.8, clients, 8192, True, software)))


def _tpot_ms(load: Load) -> Callable[[Case], float]:
    return lambda of: served(of.setting, load).tpot_s / MILLI
