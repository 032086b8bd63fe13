"""The shape of a language model: its record, the group `model` of the configuration, and what fits together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from dse.errors import InputError
from dse.fields import Field, Table, count
from dse.model.huggingface import model_mapping


class LanguageModel(NamedTuple):
    """A decoder-only transformer: grouped-query or latent attention, dense or with a mixture of experts.

    With `experts` above 0, all layers but `dense_layers` have a router and that many feed-forward networks of
    `expert_width`, of which each token takes `experts_per_token`, beside one of `shared_expert_width` that all take.
    With `kv_latent_width` above 0 attention is multi-head latent attention (arXiv 2405.04434): a token leaves one
    latent vector of that width and one rotary key of `rope_width` in the cache; queries go through
    `query_latent_width` (0: directly); a head's key has head_width + rope_width elements, its value `value_width`.
    """

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
    experts: float = 0.0
    experts_per_token: float = 0.0
    expert_width: float = 0.0
    shared_expert_width: float = 0.0
    dense_layers: float = 0.0
    kv_latent_width: float = 0.0
    query_latent_width: float = 0.0
    rope_width: float = 0.0
    value_width: float = 0.0


def _part(key: str, meaning: str) -> Field:
    """A number of the model that is absent from models without that part."""
    return Field(key, key, meaning, closed=True, integer=True, joint=True, default=0.0)


MODEL = Table(
    "model",
    LanguageModel,
    (
        count("layers", "layers", "transformer layers"),
        count("width", "width", "elements of the residual stream"),
        count("query_heads", "query_heads", "query heads", joint=True),
        count("kv_heads", "kv_heads", "key and value heads", joint=True),
        count("head_width", "head_width", "elements of one head"),
        count("ffn_width", "ffn_width", "elements between the matrices of the feed-forward network"),
        Field("gated", "gated", "the feed-forward network has a gate beside its up projection", boolean=True),
        count("vocabulary", "vocabulary", "tokens of the vocabulary"),
        Field("tied_embeddings", "tied_embeddings", "embedding and logits share one matrix", boolean=True),
        Field("positions", "positions", "learned position embeddings", closed=True, integer=True),
        _part("experts", "routed experts of a layer; 0: none, every layer is dense"),
        _part("experts_per_token", "routed experts that each token takes"),
        _part("expert_width", "elements between the matrices of one expert"),
        _part("shared_expert_width", "elements between the matrices of what all tokens take beside the experts"),
        _part("dense_layers", "layers without experts in a model that has experts"),
        _part("kv_latent_width", "elements of the latent vector of keys and values; 0: no latent attention"),
        _part("query_latent_width", "elements of the latent vector of queries; 0: none"),
        _part("rope_width", "elements of a latent-attention head that carry the position, beside head_width"),
        _part("value_width", "elements of a latent-attention head's value; 0: head_width"),
    ),
    choices=("name", "huggingface", "parameters", "active_parameters", "note"),
).checked()


def model_group(raw: Mapping[str, Any], overridden: Collection[str] = ()) -> dict[str, Any]:
    """The group `model` with the file that `huggingface` names read into it; the group as it is where that is null.

    The file gives the name and the whole shape, in place of those of the chosen option. Only the keys in `overridden`,
    which the user set one by one, stand above the file.
    """
    if raw.get("huggingface") is None:
        return dict(raw)
    unknown = dict.fromkeys(("huggingface", "parameters", "active_parameters", "note"))
    read = {**model_mapping(raw["huggingface"]), **unknown}
    return {**raw, **{key: value for key, value in read.items() if key == "huggingface" or key not in overridden}}


def language_model(raw: Mapping[str, Any]) -> LanguageModel:
    """The model that the group `model` describes, read from a file where `huggingface` names one.

    Raises InputError where a key is unknown, missing or impossible, or where the heads do not fit together.
    """
    model: LanguageModel = MODEL.read(model_group(raw))
    if model.query_heads % model.kv_heads:
        raise InputError(f"model.kv_heads={model.kv_heads:g} is not allowed: it must divide "
                         f"model.query_heads={model.query_heads:g}")
    _refuse_experts(model)
    _refuse_latent_attention(model)
    return model


def _refuse_experts(model: LanguageModel) -> None:
    """InputError where the numbers of a mixture of experts do not fit together."""
    if model.experts == 0.0:
        for key in ("experts_per_token", "expert_width", "shared_expert_width", "dense_layers"):
            if getattr(model, key):
                raise InputError(f"model.{key}={getattr(model, key):g} is not allowed without model.experts: it "
                                 "belongs to a mixture of experts")
    elif not 1.0 <= model.experts_per_token <= model.experts:
        raise InputError(f"model.experts_per_token={model.experts_per_token:g} is not allowed: it takes a whole number "
                         f"from 1 to model.experts={model.experts:g}")
    elif model.expert_width < 1.0:
        raise InputError(f"model.expert_width={model.expert_width:g} is not allowed with model.experts="
                         f"{model.experts:g}: it takes a whole number >= 1")
    elif model.dense_layers >= model.layers:
        raise InputError(f"model.dense_layers={model.dense_layers:g} is not allowed with model.experts="
                         f"{model.experts:g}: it must be below model.layers={model.layers:g}")


def _refuse_latent_attention(model: LanguageModel) -> None:
    """InputError where the numbers of latent attention do not fit together."""
    if model.kv_latent_width == 0.0:
        for key in ("query_latent_width", "rope_width", "value_width"):
            if getattr(model, key):
                raise InputError(f"model.{key}={getattr(model, key):g} is not allowed without model.kv_latent_width: "
                                 "it belongs to latent attention")
    elif model.kv_heads != model.query_heads:
        raise InputError(f"model.kv_heads={model.kv_heads:g} is not allowed with model.kv_latent_width="
                         f"{model.kv_latent_width:g}: latent attention has a key and a value for each of its "
                         f"{model.query_heads:g} query heads")
