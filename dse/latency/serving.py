"""Continuous batching in time: clients that ask again when answered, slots, and steps of a limited number of tokens.

The scheduler of vLLM and TensorRT-LLM, without chance: a step gives every running request its next token and takes up
prompts that wait, in their order, as far as a slot, the KV-cache and the step's tokens allow. Requests that start in
one step and are equally long end in one step, so that their clients' next prompts meet again: the mean time to first
token follows from such waves, and a formula of mean loads does not know them. Beside the devices the server's software
takes its time: its loop for each step, its front end for each token, behind all tokens before it.
"""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, field
from typing import NamedTuple

from dse.latency.load import Load
from dse.latency.serving_steps import StepTimes, cache_tokens
from dse.latency.setting import Setting

# Fractions of i times these fill the unit square evenly (additive recurrence on the plastic number, Roberts 2018).
PROMPT_STEP, OUTPUT_STEP = 0.7548776662466927, 0.5698402909980532


class Served(NamedTuple):
    """Means over all requests, as their clients see them, and output tokens over the time that all together took.

    `tpot_s` is 0 where every answer is a single token.
    """

    ttft_s: float
    tpot_s: float
    request_s: float
    throughput_tokens_per_s: float


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
    written_s: float = 0.0  # the front end has written all tokens so far by then
    sent: int = 0
    asking: list[float] = field(default_factory=list)  # when clients send next, in order
    coming: list[_Request] = field(default_factory=list)
    waiting: list[_Request] = field(default_factory=list)
    running: list[_Request] = field(default_factory=list)
    done: list[_Request] = field(default_factory=list)


def served(at: Setting, load: Load) -> Served:
    """Mean time to first token, per output token after it and of a request, of every request of `load`; throughput.

    On the devices a step takes the time of a pass over its prompts' tokens and of a decode step of the running requests
    (together they would read the weights once, which is left out), and beside them the loop's (`paced_s`). A request
    needs room for all its KV-cache before it starts. A client has a token when the front end has written it, and asks
    again when it has the last.
    """
    engine = _Engine(at, load)
    steps = StepTimes(at, load.server)
    room = cache_tokens(at)
    engine.asking = [0.0] * load.clients
    while engine.asking or engine.coming or engine.waiting or engine.running:
        _send(engine)
        _arrive(engine)
        pieces, started = _taken_up(engine, room)
        if pieces:
            _count(engine, 1, steps.mixed_s(pieces, len(engine.running), _context(engine)), started)
        elif engine.running:
            count = _plain_steps(engine, steps)
            _count(engine, count, _plain_s(engine, steps, count), started)
        else:
            engine.clock_s = max(engine.clock_s, _next_arrival_s(engine))
    return _means(engine.done)


def _send(engine: _Engine) -> None:
    """The next requests of the clients that ask by now."""
    load, traffic = engine.load, engine.at.traffic
    while engine.asking and engine.asking[0] <= engine.clock_s:
        engine.sent += 1
        prompt, output = (
            max(1, round(tokens * (load.shortest_share + (1.0 - load.shortest_share) * (engine.sent * step % 1.0))))
            for tokens, step in ((traffic.prompt_tokens, PROMPT_STEP), (traffic.output_tokens, OUTPUT_STEP)))
        engine.coming.append(_Request(engine.asking.pop(0), prompt, output, prompt))


def _arrive(engine: _Engine) -> None:
    """Requests that the engine sees by now begin to wait."""
    while engine.coming and engine.coming[0].sent_s + engine.load.server.request_s <= engine.clock_s:
        engine.waiting.append(engine.coming.pop(0))


def _next_arrival_s(engine: _Engine) -> float:
    """When the engine sees the next request, of those that are on their way or will be sent."""
    sent_s = [one.sent_s for one in engine.coming[:1]] + engine.asking[:1]
    return min(sent_s, default=math.inf) + engine.load.server.request_s


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


def _context(engine: _Engine) -> float:
    """Mean cached tokens of the running requests at their next step."""
    return sum(one.prompt + one.made - 1 for one in engine.running) / max(1, len(engine.running))


def _plain_s(engine: _Engine, steps: StepTimes, count: int) -> float:
    return steps.plain_s(len(engine.running), _context(engine), count)


def _plain_steps(engine: _Engine, steps: StepTimes) -> int:
    """Decode steps until a request ends, or one that has a slot arrives."""
    most = min(one.output - one.made for one in engine.running)
    wait_s = _next_arrival_s(engine) - engine.clock_s
    if len(engine.running) >= engine.load.slots or math.isinf(wait_s):
        return most
    fewest = min(most, max(1, math.floor(wait_s / _plain_s(engine, steps, 1))))
    while fewest < most and _plain_s(engine, steps, fewest) < wait_s:
        fewest += 1
    return fewest


def _count(engine: _Engine, steps: int, time_s: float, started: list[_Request]) -> None:
    """What `steps` steps of `time_s` together have made, and when it was written, after which clients ask again."""
    _write_before_last(engine, steps, time_s)
    engine.clock_s += time_s
    engine.written_s = max(engine.written_s, engine.clock_s)
    for one in engine.running:
        one.made += steps
    for one in started:
        one.made = 1
    engine.running += started
    for one in engine.running:
        engine.written_s += engine.load.server.token_s
        one.last_s = engine.written_s
        one.first_s = one.last_s if one.made == 1 else one.first_s
    for one in engine.running:
        if one.made >= one.output:
            engine.done.append(one)
            if engine.sent + len(engine.asking) < engine.load.clients * engine.load.requests_each:
                insort(engine.asking, one.last_s)
    engine.running = [one for one in engine.running if one.made < one.output]


def _write_before_last(engine: _Engine, steps: int, time_s: float) -> None:
    """When the front end has written the tokens of all steps but the last.

    Each step's tokens follow those of the step before, when they are made: the longest of three ways, no time idle,
    idle until the first step's end, and until the last one's.
    """
    all_s = len(engine.running) * engine.load.server.token_s
    step_s = time_s / steps
    if steps > 1:
        engine.written_s = max(engine.written_s + (steps - 1) * all_s, engine.clock_s + step_s + (steps - 1) * all_s,
                               engine.clock_s + time_s - step_s + all_s)


def _means(done: list[_Request]) -> Served:
    """Means over the requests; one of a single token has no time per output token and counts in no mean of it."""
    first_s = [one.first_s - one.sent_s for one in done]
    after_s = [(one.last_s - one.first_s) / (one.output - 1) for one in done if one.output > 1]
    whole_s = [one.last_s - one.sent_s for one in done]
    count = len(done)
    return Served(sum(first_s) / count, sum(after_s) / max(1, len(after_s)), sum(whole_s) / count,
                  sum(one.output for one in done) / max(one.last_s for one in done))
