"""What is served: a language model, its numbers' precision, the traffic, and how it is spread over devices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from dse.errors import InputError
from dse.fields import Field, Table
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


def _count(key: str, attribute: str, meaning: str) -> Field:
    return Field(key, attribute, meaning, minimum=1.0, closed=True, integer=True)


MODEL = Table(
    "model",
    LanguageModel,
    (
        _count("layers", "layers", "transformer layers"),
        _count("width", "width", "elements of the residual stream"),
        _count("query_heads", "query_heads", "query heads"),
        _count("kv_heads", "kv_heads", "key and value heads"),
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


def language_model(raw: Mapping[str, Any]) -> LanguageModel:
    """The model that the group `model` describes; InputError where its heads do not fit together."""
    model: LanguageModel = MODEL.read(raw)
    if model.query_heads % model.kv_heads:
        raise InputError(f"model.kv_heads={model.kv_heads:g} is not allowed: it must divide "
                         f"model.query_heads={model.query_heads:g}")
    return model


def traffic(raw: Mapping[str, Any]) -> Traffic:
    """The traffic that the group `traffic` describes.

    Either prompt_tokens and output_tokens are given, or total_tokens and prompt_share: the prompt is then the nearest
    whole number of tokens to that share of the total. `batch: max` is the largest batch that fits; a limit of null is
    none. Raises InputError for anything else.
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
    if total is None and share is None:
        return {}
    if raw.get("prompt_tokens") is not None or raw.get("output_tokens") is not None:
        raise InputError("traffic.total_tokens and traffic.prompt_share exclude traffic.prompt_tokens and "
                         "traffic.output_tokens: set one pair to null")
    total = int(_count("total_tokens", "", "").si("traffic.total_tokens", total))
    share = Field("prompt_share", "", "", maximum=1.0).si("traffic.prompt_share", share)
    prompt = round(total * share)
    if not 1 <= prompt < total:
        raise InputError(f"traffic.total_tokens={total} with traffic.prompt_share={share:g} is not allowed: it leaves "
                         "no token for the prompt or for the output")
    return {"prompt_tokens": prompt, "output_tokens": total - prompt}


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
        if raw.get(part) not in BITS:
            raise InputError(f"precision.{part}={raw.get(part)} is not allowed: choose one of {', '.join(BITS)}")
    wider = max((raw["weights"], raw["activations"]), key=lambda name: BITS[name])
    rates = {"bf16": 1.0, "fp16": 1.0, **matrix_rate}
    if wider not in rates:
        raise InputError(f"precision.activations={raw['activations']} with precision.weights={raw['weights']} is not "
                         f"allowed on hardware {hardware}: it multiplies in {', '.join(sorted(rates))}")
    return Precision(*(BITS[raw[part]] / BITS_PER_BYTE for part in parts), rates[wider])
