"""How many elements a language model's matrices have, norms and biases left out."""

from __future__ import annotations

from dse.model.language_model import LanguageModel


def attention_elements(model: LanguageModel) -> float:
    """Elements of one layer's attention projections: width x (2 H + 2 H_kv) x head width, or latent attention's."""
    heads = 2.0 * model.query_heads + 2.0 * model.kv_heads
    grouped = model.width * heads * model.head_width
    return latent_attention_elements(model) if model.kv_latent_width > 0.0 else grouped


def latent_attention_elements(model: LanguageModel) -> float:
    """Elements of one layer's projections in multi-head latent attention, whose latent widths are d_q and d_c.

        query  width d_q + d_q H (head + rope), or width H (head + rope) without d_q
        keys and values  width (d_c + rope) + d_c H (head + value);  output  H value width

    DeepSeek-V2 (arXiv 2405.04434), section 2.1.
    """
    value_width = model.value_width if model.value_width > 0.0 else model.head_width
    query_inner = model.query_latent_width if model.query_latent_width > 0.0 else model.width
    query = model.width * model.query_latent_width + query_inner * model.query_heads * (
        model.head_width + model.rope_width)
    latent = model.width * (model.kv_latent_width + model.rope_width)
    keys_and_values = model.kv_latent_width * model.query_heads * (model.head_width + value_width)
    return query + latent + keys_and_values + model.query_heads * value_width * model.width


def network_elements(model: LanguageModel, inner_width: float) -> float:
    """Elements of a feed-forward network's up and down projections, and of its gate where there is one."""
    return (2.0 + model.gated) * model.width * inner_width


def feed_forward_elements(model: LanguageModel) -> float:
    """Elements of the feed-forward network of one layer without experts."""
    return network_elements(model, model.ffn_width)


def mixture_elements(model: LanguageModel, experts: float) -> float:
    """Elements of one layer's router, of that many of its experts, and of what all tokens take beside them."""
    router = model.width * model.experts
    shared = network_elements(model, model.shared_expert_width)
    return router + experts * network_elements(model, model.expert_width) + shared


def embedding_elements(model: LanguageModel) -> float:
    """Elements of the token embedding, of the logits' matrix unless it is the same one, and of learned positions."""
    matrices = 2.0 - model.tied_embeddings
    return (matrices * model.vocabulary + model.positions) * model.width


def parameter_count(model: LanguageModel) -> float:
    """Elements of all matrices of the model.

    Norms, biases and the gate of a shared expert, a vector, are left out: below 0.05 % of every model that is shipped.
    Layers that only predict further tokens (DeepSeek-V3's) are no part of the model.
    """
    return _elements(model, model.experts)


def active_parameter_count(model: LanguageModel) -> float:
    """Elements of the matrices that one token takes part in: those of all experts that it does not take are left out.

    The token embedding counts whole. Figures that Mistral and Qwen publish are met so, those of DeepSeek and Moonshot
    when it is left out.
    """
    return _elements(model, model.experts_per_token)


def _elements(model: LanguageModel, experts: float) -> float:
    """Elements of all matrices where a layer counts that many of its experts."""
    with_experts = model.layers - model.dense_layers if model.experts > 0.0 else 0.0
    networks = with_experts * mixture_elements(model, experts) + (
        model.layers - with_experts) * feed_forward_elements(model)
    return model.layers * attention_elements(model) + networks + embedding_elements(model)
