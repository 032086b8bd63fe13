"""Continuous batching in time: clients that ask again when answered, slots, and steps of a limited number of tokens.

The scheduler of vLLM and TensorRT-LLM, without chance: a step gives every running request its next token and takes up
prompts that wait, in their order, as far as a slot, the KV-cache and the step's tokens allow. Requests that start in
one step and are equally long end in one step, so that their clients' next prompts meet again: the mean time to first
token follows from such waves, and a formula of mean loads does not know them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from dse.latency.capacity import memory
from dse.latency.machine import machine
from dse.latency.memory import kv_cache_bytes, shard
from dse.latency.operators import Tokens
from dse.latency.phases import decode_s, single_pass
from dse.latency.setting import Setting

# Fractions of i times these fill the unit square evenly (additive recurrence on the plastic number, Roberts 2018).
PROMPT_STEP, OUTPUT_STEP = 0.7548776662466927, 0.5698402909980532


class Load(NamedTuple):
    """What clients ask and how the engine is set up.

    Each of `clients` sends `requests_each` requests, the next when the last is answered, all beginning at once. Prompts
    and outputs lie evenly between `shortest_share` of the traffic's and the traffic's. The engine works on `slots`
    requests at a time and takes `step_tokens` tokens in a step; a prompt may be cut to fit where `chunked`. `host_s`
    passes between a client's sending and the engine's seeing a request.
    """

    clients: int
    requests_each: int
    shortest_share: float
    slots: int
    step_tokens: int
    chunked: bool
    host_s: float


class Served(NamedTuple):
    """Means over all requests."""

    ttft_s: float
    tpot_s: float


@dataclass
class _Request:
    sent_s: float
    prompt: int
    output: int
    left: int
    made: int = 0
    first_s: float = 0.0
    last_s: float = 0.0


@dataclass
class _Engine:
    at: Setting
    load: Load
    clock_s: float = 0.0
    sent: int = 0
    coming: list[_Request] = field(default_factory=list)
    waiting: list[_Request] = field(default_factory=list)
    running: list[_Request] = field(default_factory=list)
    done: list[_Request] = field(default_factory=list)


def served(at: Setting, load: Load) -> Served:
    """Mean time to first token and per output token after it, in seconds, of every request of `load`.

    A step takes the time of a pass over its prompts' tokens and of a decode step of the running requests: together they
    would read the weights once, which is left out as what the host adds to such a step is. A request needs room for all
    its KV-cache before it starts. What the server spends on each token of an answer is not in it.
    """
    engine = _Engine(at, load)
    steps = _StepTimes(at)
    room = _cache_tokens(at)
    for _ in range(load.clients):
        _send(engine)
    while engine.coming or engine.waiting or engine.running:
        _arrive(engine)
        pieces, started = _taken_up(engine, room)
        if pieces:
            engine.clock_s += steps.prompts_s(pieces) + steps.decode_s(engine.running, 1)
            _count(engine, 1, started)
        elif engine.running:
            count = _plain_steps(engine, steps)
            engine.clock_s += steps.decode_s(engine.running, count)
            _count(engine, count, started)
        else:
            engine.clock_s = engine.coming[0].sent_s + load.host_s
    return _means(engine.done)


class _StepTimes:
    """Times of the engine's steps, each kind worked out once."""

    def __init__(self, at: Setting) -> None:
        self._at = at
        self._decode: dict[int, tuple[float, float]] = {}
        self._prompts: dict[tuple[int, int, int], float] = {}
        self._short, self._long = at.traffic.prompt_tokens, at.traffic.prompt_tokens + at.traffic.output_tokens

    def decode_s(self, running: list[_Request], count: int) -> float:
        """`count` decode steps of these requests; a step is taken to be linear in their mean context."""
        batch = len(running)
        if not batch:
            return 0.0
        if batch not in self._decode:
            short_s, long_s = (decode_s(self._at, float(batch), context) for context in (self._short, self._long))
            self._decode[batch] = short_s, (long_s - short_s) / (self._long - self._short)
        base_s, token_s = self._decode[batch]
        context = sum(one.prompt + one.made - 1 for one in running) / batch
        return count * (base_s + token_s * (context + 0.5 * (count - 1) - self._short))

    def prompts_s(self, pieces: list[tuple[int, int]]) -> float:
        """One pass over pieces of prompts: new tokens of each, and its tokens before them, at their means."""
        new = sum(piece[0] for piece in pieces)
        before = round(sum(piece[0] * piece[1] for piece in pieces) / new)
        key = new, len(pieces), before
        if key not in self._prompts:
            at = self._at
            tokens = Tokens(float(len(pieces)), new / len(pieces), float(before))
            self._prompts[key] = single_pass(tokens, machine(at.device, at.style, at.precision),
                                             shard(at.model, at.parallelism), at).pass_s
        return self._prompts[key]


def _cache_tokens(at: Setting) -> float:
    """Tokens whose KV-cache fits beside the weights."""
    held = memory(at)
    part = shard(at.model, at.parallelism)
    return (held.usable_bytes - held.weights_bytes) / (part.layers * kv_cache_bytes(part, at.precision, 1.0))


def _send(engine: _Engine) -> None:
    """The next request of a client that was answered just now; nothing once all have been sent."""
    load, traffic = engine.load, engine.at.traffic
    if engine.sent == load.clients * load.requests_each:
        return
    engine.sent += 1
    prompt, output = (round(tokens * (load.shortest_share + (1.0 - load.shortest_share) * (engine.sent * step % 1.0)))
                      for tokens, step in ((traffic.prompt_tokens, PROMPT_STEP), (traffic.output_tokens, OUTPUT_STEP)))
    engine.coming.append(_Request(engine.clock_s, prompt, output, prompt))


def _arrive(engine: _Engine) -> None:
    """Requests that the engine sees by now begin to wait."""
    while engine.coming and engine.coming[0].sent_s + engine.load.host_s <= engine.clock_s:
        engine.waiting.append(engine.coming.pop(0))


def _taken_up(engine: _Engine, cache_tokens: float) -> tuple[list[tuple[int, int]], list[_Request]]:
    """Pieces of prompts for the next step, and the requests whose prompts end with them.

    A request that finds the engine idle is taken up whatever it holds: it fits at no other time either.
    """
    pieces: list[tuple[int, int]] = []
    started: list[_Request] = []
    free = engine.load.step_tokens - len(engine.running)
    cache = cache_tokens - sum(one.prompt + one.output for one in engine.running)
    while engine.waiting:
        one = engine.waiting[0]
        busy = len(engine.running) + len(started)
        new = min(one.left, free) if engine.load.chunked else one.left
        fits = busy < engine.load.slots and one.prompt + one.output <= cache and 0 < new <= free
        if busy and not fits:
            break
        pieces.append((new, one.prompt - one.left))
        one.left -= new
        if one.left:
            break
        free -= new
        cache -= one.prompt + one.output
        started.append(engine.waiting.pop(0))
    return pieces, started


def _plain_steps(engine: _Engine, steps: _StepTimes) -> int:
    """Decode steps until a request ends, or one that has a slot arrives."""
    most = min(one.output - one.made for one in engine.running)
    if not engine.coming or len(engine.running) >= engine.load.slots:
        return most
    wait_s = engine.coming[0].sent_s + engine.load.host_s - engine.clock_s
    fewest = min(most, max(1, math.floor(wait_s / steps.decode_s(engine.running, 1))))
    while fewest < most and steps.decode_s(engine.running, fewest) < wait_s:
        fewest += 1
    return fewest


def _count(engine: _Engine, steps: int, started: list[_Request]) -> None:
    """What steps that end now have made: tokens, first tokens, and answers, after which clients ask again."""
    for one in engine.running:
        one.made += steps
    for one in started:
        one.made, one.first_s = 1, engine.clock_s
    engine.running += started
    ended = [one for one in engine.running if one.made >= one.output]
    engine.running = [one for one in engine.running if one.made < one.output]
    for one in ended:
        one.last_s = engine.clock_s
        _send(engine)
    engine.done += ended


def _means(done: list[_Request]) -> Served:
    """Means over the requests; a request of a single token has no time per output token."""
    first_s = [one.first_s - one.sent_s for one in done]
    after_s = [(one.last_s - one.first_s) / max(1, one.output - 1) for one in done]
    return Served(sum(first_s) / len(done), sum(after_s) / len(done))
