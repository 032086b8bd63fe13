"""A mixture of experts in numbers: how many of them a step touches, with how many tokens, on how many devices.

Tokens choose their experts independently and evenly. Real routing is less even: the busiest device then has more than
the mean, and the model is too fast by that.
"""

from __future__ import annotations

import math

from dse.model.language_model import LanguageModel


def touched_share(model: LanguageModel, tokens: float) -> float:
    """Expected share of the experts that at least one of `tokens` tokens takes: 1 - (1 - k / E)^tokens."""
    return 1.0 - math.pow(1.0 - model.experts_per_token / model.experts, tokens)


def tokens_per_expert(model: LanguageModel, tokens: float) -> float:
    """Expected tokens of an expert that is touched: (k / E) tokens over the touched share."""
    return tokens * model.experts_per_token / model.experts / touched_share(model, tokens)


def copies_per_token(model: LanguageModel, parts: float) -> float:
    """Expected number of the parts, to which experts are dealt, that one token is sent to: P (1 - missed).

        missed = C(E - m, k) / C(E, k) = (1 - b / E) ... (1 - b / (E - a + 1)),  m = E / P experts to a part,
        a the smaller and b the larger of k and m; each factor is taken as the geometric mean of the first and the last

    A token's experts are all different, so that it spreads over more parts than k free choices would. The mean is exact
    for up to two experts a token or a part, for one part and for tokens that take all experts, and within 0.2 % of the
    binomials for the shipped models. Parts beyond the number of experts hold none.
    """
    experts = max(1.0, model.experts)
    used = min(parts, experts)
    few = min(model.experts_per_token, experts / used)
    many = max(model.experts_per_token, experts / used)
    factors = (1.0 - many / experts) * max(0.0, 1.0 - many / (experts - max(0.0, few - 1.0)))
    return used * (1.0 - math.pow(factors, 0.5 * few))
