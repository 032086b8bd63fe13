"""How many elements a language model's matrices have, norms and biases left out."""

from __future__ import annotations

from dse.model.language_model import LanguageModel


def attention_elements(model: LanguageModel) -> float:
    """Elements of one layer's query, key, value and output projections: width x (2 H + 2 H_kv) x head width."""
    heads = 2.0 * model.query_heads + 2.0 * model.kv_heads
    return model.width * heads * model.head_width


def feed_forward_elements(model: LanguageModel) -> float:
    """Elements of one layer's up and down projections, and of the gate where there is one."""
    return (2.0 + model.gated) * model.width * model.ffn_width


def embedding_elements(model: LanguageModel) -> float:
    """Elements of the token embedding, of the logits' matrix unless it is the same one, and of learned positions."""
    matrices = 2.0 - model.tied_embeddings
    return (matrices * model.vocabulary + model.positions) * model.width


def parameter_count(model: LanguageModel) -> float:
    """Elements of all matrices of the model.

    Norms and biases are left out: below 0.05 % of every model that is shipped.
    """
    layer = attention_elements(model) + feed_forward_elements(model)
    return model.layers * layer + embedding_elements(model)
