"""Time per output token while requests come and go: decode steps shared with the prompts of others."""

from __future__ import annotations

from dse.latency.phases import Setting, mean_decode_s, prefill_s


def continuous_tpot_s(at: Setting, batch: float) -> float:
    """Mean time per output token with continuous batching, `batch` requests in flight at all times.

        tpot + (batch - 1) prefill(1) / output_tokens

    While one request makes its output, each of the others ends once and is replaced by a new one, whose prompt takes
    the devices for the time of its prefill. Prompts are not mixed with decode steps here; mixing (chunked prefill)
    spreads the same work more evenly, and saves the weights' second reading.
    """
    return mean_decode_s(at, batch) + (batch - 1.0) * prefill_s(at, 1.0) / at.traffic.output_tokens


def waiting_ttft_s(at: Setting, batch: float) -> float:
    """Mean time to first token with continuous batching: the own prompt, and what the device is doing on arrival.

        prefill(1) (1 + load / 2) + tpot / 2,  load = (batch - 1) prefill(1) / (prefill(1) + output_tokens tpot)

    `load` is the chance that another prompt is being processed, half of which is left on average; else the request
    waits for half a decode step. Requests that all start together wait longer: `prefill_s`.
    """
    alone_s = prefill_s(at, 1.0)
    tpot_s = continuous_tpot_s(at, batch)
    load = min(1.0, (batch - 1.0) * alone_s / (alone_s + at.traffic.output_tokens * tpot_s))
    return alone_s * (1.0 + 0.5 * load) + 0.5 * tpot_s
