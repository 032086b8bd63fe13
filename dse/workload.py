"""What is served: a language model, its numbers' precision, the traffic, and how it is spread over devices."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from dse.errors import InputError
from dse.fields import Field, Table
from dse.huggingface import model_mapping
from dse.units import BITS_PER_BYTE, MILLI

BITS = {"fp32": 32.0, "bf16": 16.0, "fp16": 16.0, "fp8": 8.0, "int8": 8.0, "int4": 4.0}
SIXTEEN_BIT = ("bf16", "fp16")
LARGEST_BATCH = "max"


class LanguageModel(NamedTuple):
    """A dense decoder-only transformer with grouped-query attention."""

    layers: float
    width: float
    query_heads: float
    kv_heads: float
    head_width: float
    ffn_width: float
    gated: float
    vocabulary: float
    tied_embeddings: float
    positions: float


class Traffic(NamedTuple):
    """Requests in flight on one group of devices; `batch` may be infinite: the largest that fits in memory."""

    batch: float
    prompt_tokens: float
    output_tokens: float
    ttft_limit_s: float
    tpot_limit_s: float


class Parallelism(NamedTuple):
    """How many devices share one copy of the model, and along which axis."""

    tensor_parallel: float
    pipeline_parallel: float


class Precision(NamedTuple):
    """Bytes of one number, by where it is kept, and the rate of the matrix unit relative to its 16-bit rate."""

    weight_bytes: float
    activation_bytes: float
    kv_cache_bytes: float
    residual_bytes: float
    matrix_rate: float


def _count(key: str, attribute: str, meaning: str, joint: bool = False) -> Field:
    return Field(key, attribute, meaning, minimum=1.0, closed=True, integer=True, joint=joint)


MODEL = Table(
    "model",
    LanguageModel,
    (
        _count("layers", "layers", "transformer layers"),
        _count("width", "width", "elements of the residual stream"),
        _count("query_heads", "query_heads", "query heads", joint=True),
        _count("kv_heads", "kv_heads", "key and value heads", joint=True),
        _count("head_width", "head_width", "elements of one head"),
        _count("ffn_width", "ffn_width", "elements between the matrices of the feed-forward network"),
        Field("gated", "gated", "the feed-forward network has a gate beside its up projection", boolean=True),
        _count("vocabulary", "vocabulary", "tokens of the vocabulary"),
        Field("tied_embeddings", "tied_embeddings", "embedding and logits share one matrix", boolean=True),
        Field("positions", "positions", "learned position embeddings", closed=True, integer=True),
    ),
    choices=("name", "huggingface", "parameters", "note"),
).checked()

TRAFFIC = Table(
    "traffic",
    Traffic,
    (
        _count("batch", "batch", "sequences in flight on a group"),
        _count("prompt_tokens", "prompt_tokens", "tokens of a prompt"),
        _count("output_tokens", "output_tokens", "tokens generated for a request"),
        Field("ttft_limit_ms", "ttft_limit_s", "longest time to first token", MILLI, unit="ms"),
        Field("tpot_limit_ms", "tpot_limit_s", "longest time per output token", MILLI, unit="ms"),
    ),
    choices=("total_tokens", "prompt_share"),
).checked()

PARALLELISM = Table(
    "parallelism",
    Parallelism,
    (
        _count("tensor_parallel", "tensor_parallel", "devices that share each layer"),
        _count("pipeline_parallel", "pipeline_parallel", "groups of devices that share the layers"),
    ),
).checked()


def model_group(raw: Mapping[str, Any], overridden: Collection[str] = ()) -> dict[str, Any]:
    """The group `model` with the file that `huggingface` names read into it; the group as it is where that is null.

    The file gives the name and the whole shape, in place of those of the chosen option. Only the keys in `overridden`,
    which the user set one by one, stand above the file.
    """
    if raw.get("huggingface") is None:
        return dict(raw)
    read = {**model_mapping(raw["huggingface"]), "huggingface": None, "parameters": None, "note": None}
    return {**raw, **{key: value for key, value in read.items() if key == "huggingface" or key not in overridden}}


def language_model(raw: Mapping[str, Any]) -> LanguageModel:
    """The model that the group `model` describes, read from a file where `huggingface` names one.

    Raises InputError where a key is unknown, missing or impossible, or where the heads do not fit together.
    """
    model: LanguageModel = MODEL.read(model_group(raw))
    if model.query_heads % model.kv_heads:
        raise InputError(f"model.kv_heads={model.kv_heads:g} is not allowed: it must divide "
                         f"model.query_heads={model.query_heads:g}")
    return model


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
    total = int(_count("total_tokens", "", "").si("traffic.total_tokens", total))
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
