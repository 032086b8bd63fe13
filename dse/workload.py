"""How a model is served: its numbers' precision, the traffic, and how it is spread over devices."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from dse.errors import InputError
from dse.fields import Field, Table, count
from dse.units import BITS_PER_BYTE, MILLI

BITS = {"fp32": 32.0, "bf16": 16.0, "fp16": 16.0, "fp8": 8.0, "int8": 8.0, "int4": 4.0}
SIXTEEN_BIT = ("bf16", "fp16")
LARGEST_BATCH = "max"


class Traffic(NamedTuple):
    """Requests in flight on one group of devices; `batch` may be infinite: the largest that fits in memory."""

    batch: float
    prompt_tokens: float
    output_tokens: float
    ttft_limit_s: float
    tpot_limit_s: float


class Parallelism(NamedTuple):
    """How many devices share one copy of the model, and along which axis.

    A group has tensor_parallel x data_parallel x pipeline_parallel devices. Attention is copied data_parallel times,
    each copy with sequences of its own on tensor_parallel devices; feed-forward networks are shared by all devices of
    a stage.
    """

    tensor_parallel: float
    pipeline_parallel: float
    data_parallel: float = 1.0
    expert_parallel: float = 1.0
    sequence_parallel: float = 0.0
    all_to_all: float = 0.0


class Precision(NamedTuple):
    """Bytes of one number, by where it is kept, and the rate of the matrix unit relative to its 16-bit rate."""

    weight_bytes: float
    activation_bytes: float
    kv_cache_bytes: float
    residual_bytes: float
    matrix_rate: float


TRAFFIC = Table(
    "traffic",
    Traffic,
    (
        count("batch", "batch", "sequences in flight on a group"),
        count("prompt_tokens", "prompt_tokens", "tokens of a prompt"),
        count("output_tokens", "output_tokens", "tokens generated for a request"),
        Field("ttft_limit_ms", "ttft_limit_s", "longest time to first token", MILLI, unit="ms"),
        Field("tpot_limit_ms", "tpot_limit_s", "longest time per output token", MILLI, unit="ms"),
    ),
    choices=("total_tokens", "prompt_share"),
).checked()

PARALLELISM = Table(
    "parallelism",
    Parallelism,
    (
        count("tensor_parallel", "tensor_parallel", "devices that share each layer"),
        count("pipeline_parallel", "pipeline_parallel", "groups of devices that share the layers"),
        count("data_parallel", "data_parallel", "copies of attention, each with sequences of its own"),
        count("expert_parallel", "expert_parallel", "parts of a stage's devices that the experts are dealt to"),
        Field("sequence_parallel", "sequence_parallel", "reduce-scatter and all-gather in place of all-reduce, norms on"
              " a share of the tokens", boolean=True),
        Field("all_to_all", "all_to_all", "tokens are sent to their experts' devices, not gathered on all",
              boolean=True),
    ),
).checked()


def traffic_group(raw: Mapping[str, Any], overridden: Collection[str] = ()) -> dict[str, Any]:
    """The group `traffic` where the split that the user set counts and not the token counts of the chosen option.

    `overridden` are the keys that the user set one by one. Raises InputError where they are of both forms.
    """
    tokens = [key for key in ("prompt_tokens", "output_tokens") if key in overridden]
    split = [key for key in ("total_tokens", "prompt_share") if key in overridden]
    if tokens and split:
        raise InputError(f"traffic.{tokens[0]} and traffic.{split[0]} exclude each other: give traffic.prompt_tokens "
                         "and traffic.output_tokens, or traffic.total_tokens and traffic.prompt_share")
    return {**raw, "prompt_tokens": None, "output_tokens": None} if split else dict(raw)


def traffic(raw: Mapping[str, Any]) -> Traffic:
    """The traffic that the group `traffic` describes.

    Where total_tokens and prompt_share are given, the prompt is the nearest whole number of tokens to that share of the
    total, and the output is the rest. A prompt_tokens or output_tokens that is given wins over that split, and the
    other keeps its part of it. `batch: max` is the largest batch that fits; a limit of null is none. Raises InputError
    for anything else.
    """
    words = dict(raw)
    given = {}
    if words.get("batch") == LARGEST_BATCH:
        given["batch"] = math.inf
        words.pop("batch")
    for key, attribute in (("ttft_limit_ms", "ttft_limit_s"), ("tpot_limit_ms", "tpot_limit_s")):
        if words.get(key) is None:
            given[attribute] = math.inf
            words.pop(key, None)
    words.update(_split(words))
    read: Traffic = TRAFFIC.read(words, given)
    return read


def _split(raw: Mapping[str, Any]) -> dict[str, int]:
    total, share = raw.get("total_tokens"), raw.get("prompt_share")
    given = {key: raw[key] for key in ("prompt_tokens", "output_tokens") if raw.get(key) is not None}
    if len(given) == 2 or (total is None and share is None):
        return given
    if total is None or share is None:
        missing = "total_tokens" if total is None else "prompt_share"
        raise InputError(f"traffic.{missing} is missing: traffic.total_tokens and traffic.prompt_share go together")
    total = int(count("total_tokens", "", "").si("traffic.total_tokens", total))
    share = Field("prompt_share", "", "", maximum=1.0).si("traffic.prompt_share", share)
    prompt = round(total * share)
    if not 1 <= prompt < total:
        raise InputError(f"traffic.total_tokens={total} with traffic.prompt_share={share:g} is not allowed: it leaves "
                         "no token for the prompt or for the output")
    return {"prompt_tokens": prompt, "output_tokens": total - prompt, **given}


def parallelism(raw: Mapping[str, Any]) -> Parallelism:
    """The split over devices that the group `parallelism` describes."""
    read: Parallelism = PARALLELISM.read(raw)
    return read


def precision(raw: Mapping[str, Any], matrix_rate: Mapping[str, float], hardware: str) -> Precision:
    """Bytes per number, and the matrix rate that goes with the wider of weights and activations.

    A matrix unit multiplies in one format: int4 weights with bf16 activations are widened first and run at the bf16
    rate. `matrix_rate` gives, for each format that `hardware` multiplies in, its rate over the 16-bit rate. Raises
    InputError for an unknown format and for one that the hardware cannot multiply in.
    """
    parts = ("weights", "activations", "kv_cache", "residual")
    for key in raw:
        if key not in (*parts, "name"):
            raise InputError(f"precision.{key} is unknown: precision has {', '.join(parts)}")
    for part in parts:
        if not isinstance(raw.get(part), str) or raw[part] not in BITS:
            raise InputError(f"precision.{part}={raw.get(part)} is not allowed: choose one of {', '.join(BITS)}")
    wider = max((raw["weights"], raw["activations"]), key=lambda name: BITS[name])
    rates = _rates(matrix_rate)
    narrow = BITS[wider] < min(BITS[name] for name in SIXTEEN_BIT)
    if narrow and BITS[raw["weights"]] == BITS[raw["activations"]] and raw["weights"] != raw["activations"]:
        raise InputError(f"precision.activations={raw['activations']} with precision.weights={raw['weights']} is not "
                         "allowed: no matrix unit multiplies one with the other; choose one format for both")
    if wider not in rates:
        raise InputError(f"precision.activations={raw['activations']} with precision.weights={raw['weights']} is not "
                         f"allowed on hardware {hardware}: it multiplies in {', '.join(sorted(rates))}")
    weights, activations, kv_cache, residual = (BITS[raw[part]] / BITS_PER_BYTE for part in parts)
    return Precision(weights, activations, kv_cache, residual, rates[wider])


def _rates(matrix_rate: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(matrix_rate, Mapping) or not set(matrix_rate) <= set(BITS):
        raise InputError(f"hardware.matrix_rate={matrix_rate} is not allowed: give a rate over the 16-bit rate for "
                         f"some of {', '.join(BITS)}")
    rate = Field("", "", "a rate over the 16-bit rate")
    stated = {name: rate.si(f"hardware.matrix_rate.{name}", value) for name, value in matrix_rate.items()
              if value is not None}
    return {"bf16": 1.0, "fp16": 1.0, **stated}
