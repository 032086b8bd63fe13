"""How axes, metrics and options are called on figures, with the units they are shown in: the one place for labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from dse.units import KILO, MILLI

GROUPS = ("hardware", "latency", "model", "traffic", "precision", "parallelism", "technique", "cost")
"""Groups of the configuration: a column named after one, or after a key in one, is an axis; all others are metrics."""

CHOSEN = ("hardware", "parallelism", "technique", "traffic.batch", "cost/process", "cost/memory", "cost/core",
          "cost/l2", "cost/link", "cost/package")
"""Groups and keys that are a designer's to choose, so that a figure may show the best over them."""

POWERS_OF_TWO = ("hardware.l2_mib", "parallelism.tensor_parallel", "parallelism.pipeline_parallel",
                 "parallelism.data_parallel", "parallelism.expert_parallel", "traffic.batch", "traffic.total_tokens",
                 "traffic.prompt_tokens", "traffic.output_tokens", "technique.limit_mib")
"""Axes that people count in powers of two, shown in the unit of the column."""


class Quantity(NamedTuple):
    """The name of a column, the unit it is shown in, the factor from the column's unit to it, and which way is better.

    `better` is 1 where more is better, -1 where less is, 0 where neither can be said. `short` fits a panel's title.
    `switch`: what false and true are called.
    """

    name: str
    unit: str = ""
    factor: float = 1.0
    better: float = 0.0
    short: str = ""
    switch: tuple[str, str] | None = None


QUANTITIES: Mapping[str, Quantity] = {
    "hardware": Quantity("Chip"),
    "hardware.cores": Quantity("Cores"),
    "hardware.clock_ghz": Quantity("Clock", "GHz"),
    "hardware.l2_mib": Quantity("L2 size", "MiB", short="L2"),
    "hardware.l2_gb_per_s": Quantity("L2 bandwidth", "TB/s", 1.0 / KILO, short="L2"),
    "hardware.hbm_gb": Quantity("HBM capacity", "GB", short="HBM"),
    "hardware.hbm_gb_per_s": Quantity("HBM bandwidth", "TB/s", 1.0 / KILO, short="HBM"),
    "hardware.link_gb_per_s": Quantity("Link bandwidth, one direction", "GB/s", short="links"),
    "hardware.link_latency_us": Quantity("Link latency", "µs"),
    "hardware.domain_devices": Quantity("Devices wired together", short="domain"),
    "hardware.tdp_w": Quantity("Thermal design power", "W"),
    "model": Quantity("Model"),
    "precision": Quantity("Precision"),
    "traffic": Quantity("Traffic"),
    "traffic.batch": Quantity("Batch (sequences)", short="batch"),
    "traffic.total_tokens": Quantity("Sequence length", "tokens", short="length"),
    "traffic.prompt_tokens": Quantity("Prompt", "tokens", short="prompt"),
    "traffic.output_tokens": Quantity("Output", "tokens", short="output"),
    "parallelism.tensor_parallel": Quantity("Tensor-parallel devices", short="TP"),
    "parallelism.pipeline_parallel": Quantity("Pipeline stages", short="PP"),
    "parallelism.data_parallel": Quantity("Copies of attention", short="DP"),
    "parallelism.expert_parallel": Quantity("Expert-parallel parts", short="EP"),
    "parallelism.sequence_parallel": Quantity("Collectives around norms", switch=("all-reduce", "sequence-parallel")),
    "parallelism.all_to_all": Quantity("Collectives around experts", switch=("all-gather", "all-to-all")),
    "technique": Quantity("Technique"),
    "technique.limit_mib": Quantity("Prefetch limit of a window", "MiB", short="limit"),
    "technique.weights": Quantity("Weights read ahead", switch=("without weights", "with weights")),
    "technique.kv_cache": Quantity("KV-cache read ahead", switch=("without KV-cache", "with KV-cache")),
    "technique.managed_l2": Quantity("Limits above the free L2", switch=("limit obeyed", "limit cut to free L2")),
    "technique.share": Quantity("Most of a collective that is hidden", short="share"),
    "technique.known_routing": Quantity("Routing of experts", switch=("experts guessed", "experts known")),
    "ttft_s": Quantity("Time to first token", "s", better=-1.0),
    "tpot_s": Quantity("Time per output token", "ms", 1.0 / MILLI, better=-1.0),
    "request_s": Quantity("Request time", "s", better=-1.0),
    "throughput_tokens_per_s": Quantity("Throughput of the group", "tokens/s", better=1.0, short="throughput"),
    "die_mm2": Quantity("Silicon of one device", "mm²", better=-1.0),
    "die_yield": Quantity("Die yield", "%", 100.0, better=1.0),
    "die_usd": Quantity("Cost of the silicon", "USD", better=-1.0),
    "device_usd": Quantity("Cost of one device", "USD", better=-1.0),
    "group_usd": Quantity("Cost of the group", "thousand USD", 1.0 / KILO, better=-1.0),
    "device_power_w": Quantity("Power of one device", "W", better=-1.0),
    "usd_per_hour": Quantity("Running cost of the group", "USD/h", better=-1.0),
    "usd_per_million_tokens": Quantity("Cost of output tokens", "USD per million", better=-1.0),
    "tokens_per_j": Quantity("Output per energy", "tokens/J", better=1.0),
    "tokens_per_s_per_mm2": Quantity("Throughput per silicon area", "tokens/s per 1000 mm²", KILO, better=1.0),
    "tokens_per_s_per_usd": Quantity("Throughput per cost", "tokens/s per 1000 USD", KILO, better=1.0),
}

OPTIONS: Mapping[str, str] = {
    "none": "no technique",
    "preserve": "PRESERVE",
    "preserve_weights": "PRESERVE, weights only",
    "preserve_kv": "PRESERVE, KV-cache only",
    "overlap": "overlap",
    "ascend_910b": "Ascend 910B",
    "a100": "A100",
    "h100": "H100",
    "h200": "H200",
    "b200": "B200",
    "tpu_v4": "TPU v4",
    "llama2_7b": "Llama2-7B",
    "llama2_70b": "Llama2-70B",
    "llama3_8b": "Llama3-8B",
    "llama3_70b": "Llama3-70B",
    "qwen2_7b": "Qwen2-7B",
    "qwen2_72b": "Qwen2-72B",
    "qwen2_57b_a14b": "Qwen2-57B-A14B",
    "qwen3_30b_a3b": "Qwen3-30B-A3B",
    "qwen3_235b_a22b": "Qwen3-235B-A22B",
    "mixtral_8x7b": "Mixtral-8x7B",
    "mixtral_8x22b": "Mixtral-8x22B",
    "deepseek_v2": "DeepSeek-V2",
    "deepseek_v2_lite": "DeepSeek-V2-Lite",
    "deepseek_v3": "DeepSeek-V3",
    "kimi_k2": "Kimi K2",
    "phi3_small": "Phi-3-small",
    "phi3_medium": "Phi-3-medium",
    "gpt3_175b": "GPT-3 175B",
    "opt_6_7b": "OPT-6.7B",
    "opt_13b": "OPT-13B",
    "opt_30b": "OPT-30B",
    "opt_66b": "OPT-66B",
    "bf16": "BF16",
    "fp16": "FP16",
    "fp8": "FP8",
    "int8": "INT8",
    "int4": "INT4",
}

ATTENTION_PROJECTIONS, ATTENTION, FEED_FORWARD, COLLECTIVES, ELEMENTWISE, LOGITS, OTHER = (
    "attention projections", "attention", "feed-forward", "collectives", "norms, activation, embedding", "logits",
    "other")

OPERATORS: Mapping[str, tuple[str, str]] = {
    "embedding": ("embedding", ELEMENTWISE),
    "embedding_reduce": ("reduce", COLLECTIVES),
    "attention_norm": ("norm", ELEMENTWISE),
    "attention_gather": ("gather", COLLECTIVES),
    "qkv": ("QKV", ATTENTION_PROJECTIONS),
    "query_up": ("Q up", ATTENTION_PROJECTIONS),
    "key_up": ("K up", ATTENTION_PROJECTIONS),
    "attention": ("attention", ATTENTION),
    "value_up": ("V up", ATTENTION_PROJECTIONS),
    "output": ("output", ATTENTION_PROJECTIONS),
    "attention_reduce": ("reduce", COLLECTIVES),
    "mlp_norm": ("norm", ELEMENTWISE),
    "mlp_gather": ("gather", COLLECTIVES),
    "gate_up": ("gate, up", FEED_FORWARD),
    "activation": ("activation", ELEMENTWISE),
    "down": ("down", FEED_FORWARD),
    "mlp_reduce": ("reduce", COLLECTIVES),
    "expert_norm": ("norm", ELEMENTWISE),
    "router": ("router", FEED_FORWARD),
    "dispatch": ("dispatch", COLLECTIVES),
    "shared_gate_up": ("shared gate, up", FEED_FORWARD),
    "shared_activation": ("activation", ELEMENTWISE),
    "shared_down": ("shared down", FEED_FORWARD),
    "expert_gather": ("to experts", ELEMENTWISE),
    "expert_gate_up": ("experts' gate, up", FEED_FORWARD),
    "expert_activation": ("activation", ELEMENTWISE),
    "expert_down": ("experts' down", FEED_FORWARD),
    "expert_sum": ("experts' sum", ELEMENTWISE),
    "combine": ("combine", COLLECTIVES),
    "final_norm": ("norm", ELEMENTWISE),
    "final_gather": ("gather", COLLECTIVES),
    "logits": ("logits", LOGITS),
    "logits_all_gather": ("all-gather", COLLECTIVES),
    "stage_transfers": ("transfers", COLLECTIVES),
}
"""Short name and kind of each operator."""

BOUNDS: Mapping[str, tuple[str, str]] = {
    "compute": ("C", "compute"), "hbm": ("M", "HBM"), "l2": ("L", "L2"), "link": ("N", "links"),
    "floor": ("F", "floor (launch, start-up)"), "pipeline": ("P", "pipeline")}
"""Letter and name of what bounds an operator."""

BLOCKS: Mapping[str, str] = {
    "cores": "cores", "l2": "L2", "hbm_phy": "HBM PHY", "hbm_controller": "HBM controller", "link_phy": "link PHY",
    "link_controller": "link controller", "host_interface": "host interface", "network_on_chip": "network on chip",
    "other": "other", "die": "die", "hbm": "HBM", "package": "package", "test": "test and assembly", "board": "board",
    "host_share": "share of host", "network": "network",
    "die_to_die": "die to die", "nre": "design and masks"}
"""Blocks of the die and items of the bill."""


def group(key: str) -> str:
    """The group of the configuration that a column belongs to; the column's own name where it is a metric."""
    return re.split(r"[./@]", key, maxsplit=1)[0]


def is_chosen(key: str) -> bool:
    """Whether the axis is a designer's to choose. Over a model or an assumption a best would mean nothing."""
    return key in CHOSEN or group(key) in CHOSEN


def quantity(key: str) -> Quantity:
    """What is known of the column `key`; its own name, without a unit, where nothing is."""
    return QUANTITIES.get(key, Quantity(key))


def option_name(option: str) -> str:
    """An option of a group as people write it."""
    return OPTIONS.get(option, option)


def operator_name(operator: str) -> str:
    """An operator's short name."""
    return OPERATORS.get(operator, (operator.replace("_", " "), OTHER))[0]


def operator_kind(operator: str) -> str:
    """The kind that an operator is coloured by."""
    return OPERATORS.get(operator, (operator, OTHER))[1]


def block_name(block: str) -> str:
    """A block of the die, or an item of the bill, as people write it."""
    return BLOCKS.get(block, block.replace("_", " "))


def axis_label(key: str) -> str:
    """Name and unit, for an axis: "HBM bandwidth (TB/s)"."""
    of = quantity(key)
    return f"{of.name} ({of.unit})" if of.unit else of.name


def value_text(key: str, value: float | str) -> str:
    """A value of an axis with its unit: "104 MiB", "1.6 TB/s", "Llama3-70B", "limit obeyed"."""
    of = quantity(key)
    if isinstance(value, str):
        return option_name(value)
    if of.switch:
        return of.switch[bool(value)]
    return f"{of.factor * value:,.6g} {of.unit}".rstrip()


def setting_text(key: str, value: float | str, named: bool = True) -> str:
    """Name and value: "HBM 1.6 TB/s", "TP 8"; an option or switch stands by itself. Not `named`: the value alone."""
    of, text = quantity(key), value_text(key, value)
    return text if not named or of.switch or isinstance(value, str) else f"{of.short or of.name} {text}"


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def uncapital(text: str) -> str:
    """The text as it stands within a sentence: "L2 size" and "HBM bandwidth" keep their capitals."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def number(value: float) -> str:
    """A metric's value in three digits, or all of those before the point, thousands set apart."""
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:#.3g}".rstrip(".")
