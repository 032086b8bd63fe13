"""How long the steps of an engine under continuous batching take, and how many tokens its KV-cache holds."""

from __future__ import annotations

from dse.latency.capacity import memory
from dse.latency.memory import kv_cache_bytes, shard
from dse.latency.phases import batch_pass, decode_s, micro_batches
from dse.latency.server import Server, loop_s, paced_s
from dse.latency.setting import Setting


class StepTimes:
    """Times of steps, each kind worked out once; `running` requests have `context` tokens cached on average."""

    def __init__(self, at: Setting, by: Server) -> None:
        self._at = at
        self._by = by
        self._decode: dict[int, tuple[float, float]] = {}
        self._prompts: dict[tuple[int, int, int], float] = {}
        self._short, self._long = at.traffic.prompt_tokens, at.traffic.prompt_tokens + at.traffic.output_tokens

    def plain_s(self, running: int, context: float, count: int) -> float:
        """`count` decode steps at the pace of devices and loop, the contexts growing from `context` on."""
        device_s = self._decode_s(running, context + 0.5 * (count - 1))
        return count * paced_s(self._by, device_s, loop_s(self._by, running, 0.0))

    def mixed_s(self, pieces: list[tuple[int, int]], running: int, context: float) -> float:
        """A step over pieces of prompts (new tokens of each, its tokens before them) beside the running requests."""
        device_s = self._prompts_s(pieces) + self._decode_s(running, context)
        return paced_s(self._by, device_s, loop_s(self._by, running, len(pieces)))

    def _decode_s(self, running: int, context: float) -> float:
        """A decode step on the devices, taken to be linear in the mean context."""
        if not running:
            return 0.0
        if running not in self._decode:
            short_s, long_s = (decode_s(self._at, float(running), cached) for cached in (self._short, self._long))
            self._decode[running] = short_s, (long_s - short_s) / (self._long - self._short)
        base_s, token_s = self._decode[running]
        return base_s + token_s * (context - self._short)

    def _prompts_s(self, pieces: list[tuple[int, int]]) -> float:
        """One pass over the pieces on the devices, at their means, dealt to copies and micro-batches."""
        new = sum(piece[0] for piece in pieces)
        before = round(sum(piece[0] * piece[1] for piece in pieces) / new)
        key = new, len(pieces), before
        if key not in self._prompts:
            one = batch_pass(self._at, float(len(pieces)), new / len(pieces), float(before))
            behind = micro_batches(self._at.parallelism, float(len(pieces))) - 1.0
            self._prompts[key] = one.pass_s + behind * one.stage_s
        return self._prompts[key]


def cache_tokens(at: Setting) -> float:
    """Tokens whose KV-cache fits beside the weights, those of all copies of attention together."""
    held = memory(at)
    part = shard(at.model, at.parallelism)
    of_a_copy = (held.usable_bytes - held.weights_bytes) / (part.layers * kv_cache_bytes(part, at.precision, 1.0))
    return at.parallelism.data_parallel * of_a_copy
