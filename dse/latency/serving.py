"""Time per output token while requests come and go: decode steps shared with the prompts of others."""

from __future__ import annotations

from dse.latency.phases import mean_decode_s, prefill_s
from dse.latency.setting import Setting


def continuous_tpot_s(at: Setting, batch: float) -> float:
    """Mean time per output token with continuous batching, `batch` requests in flight at all times.

        tpot + (batch - 1) prefill(1) / output_tokens

    While one request makes its output, each of the others ends once and is replaced by a new one, whose prompt takes
    the devices for the time of its prefill. Prompts are not mixed with decode steps here; mixing (chunked prefill)
    spreads the same work more evenly, and saves the weights' second reading.
    """
    return mean_decode_s(at, batch) + (batch - 1.0) * prefill_s(at, 1.0) / at.traffic.output_tokens


def continuous_ttft_s(at: Setting, batch: float, requests_each: float) -> float:
    """Mean time to first token when `batch` clients send `requests_each` requests, each its next when one is done.

        share = 1 / requests_each
        share (batch + 1) / 2 prefill(1) + (1 - share) (prefill(1) (1 + load / 2) + tpot / 2)
        load = (batch - 1) prefill(1) / (prefill(1) + output_tokens tpot)

    The first requests come all at once and are worked off one by one. Later ones meet another prompt with probability
    `load`, half of which is left on average, and else wait for half a decode step. What the server does beside the
    devices, network and tokens to text and back, is not in it.
    """
    alone_s = prefill_s(at, 1.0)
    tpot_s = continuous_tpot_s(at, batch)
    load = min(1.0, (batch - 1.0) * alone_s / (alone_s + at.traffic.output_tokens * tpot_s))
    first = 1.0 / requests_each
    return first * 0.5 * (batch + 1.0) * alone_s + (1.0 - first) * (alone_s * (1.0 + 0.5 * load) + 0.5 * tpot_s)
