"""One pass of a setting as a program of the event simulation: amounts from the operators, order written out here."""

from __future__ import annotations

import math

from latency.event_simulation import Chip, Operator, Program, Transfer

from dse.latency import operators
from dse.latency.collectives import Collective, all_gather, all_reduce
from dse.latency.machine import machine
from dse.latency.memory import shard
from dse.latency.operators import Tokens
from dse.latency.roofline import Operator as Amounts
from dse.latency.setting import Setting


def chip(at: Setting, tokens: Tokens) -> Chip:
    """The device as the simulation wants it; what must stay in L2 is the collective's message, arriving and leaving."""
    message = tokens.sequences * tokens.new * at.model.width * at.precision.residual_bytes
    return Chip(at.device.hbm_bytes_per_s * at.style.hbm_share, at.device.l2_bytes_per_s,
                at.device.l2_bytes * at.style.l2_usable_share, 2.0 * message, at.technique.prefetch_limit_bytes)


def program(at: Setting, tokens: Tokens) -> Program:
    """Embedding, its all-reduce, every layer with two all-reduces, logits, their all-gather: no pipeline.

    On a single device there are no collectives at all.
    """
    rows, width = tokens.sequences * tokens.new, at.model.width
    alone = at.parallelism.tensor_parallel == 1.0
    reduce = all_reduce(rows * width * at.precision.residual_bytes, at.parallelism.tensor_parallel, at.device, at.style)
    reduced: list[Operator | Transfer] = [] if alone else [_transfer("all_reduce", reduce)]
    first, second = _attention(at, tokens), _mlp(at, rows)
    layer: list[Operator | Transfer] = [*first, *reduced, *second, *reduced]
    before, after = _ends(at, tokens)
    return [*before, *reduced, *layer * int(at.model.layers), *after, *([] if alone else [_gather(at, tokens)])]


def _attention(at: Setting, tokens: Tokens) -> list[Operator]:
    on, rows = machine(at.device, at.style, at.precision), tokens.sequences * tokens.new
    part, width, head = shard(at.model, at.parallelism), at.model.width, at.model.head_width
    heads = math.ceil(at.model.query_heads / at.parallelism.tensor_parallel)
    kv_heads = math.ceil(at.model.kv_heads / at.parallelism.tensor_parallel)
    return [
        _operator("attention_norm", operators.vector(rows * width, 5.0, 4.0, on, at.precision), at),
        _operator("qkv", operators.matmul(rows, width, (heads + 2 * kv_heads) * head, on, at.precision), at),
        _operator("attention", operators.attention(tokens, at.model, part, on, at.precision), at),
        _operator("output", operators.matmul(rows, heads * head, width, on, at.precision), at),
    ]


def _mlp(at: Setting, rows: float) -> list[Operator]:
    on, width = machine(at.device, at.style, at.precision), at.model.width
    columns = float(math.ceil(at.model.ffn_width / at.parallelism.tensor_parallel))
    gates = 2.0 if at.model.gated else 1.0
    return [
        _operator("mlp_norm", operators.vector(rows * width, 5.0, 4.0, on, at.precision), at),
        _operator("gate_up", operators.matmul(rows, width, gates * columns, on, at.precision), at),
        _operator("activation", operators.vector(rows * columns, 5.0, gates + 1.0, on, at.precision), at),
        _operator("down", operators.matmul(rows, columns, width, on, at.precision), at),
    ]


def _ends(at: Setting, tokens: Tokens) -> tuple[list[Operator], list[Operator]]:
    on, part = machine(at.device, at.style, at.precision), shard(at.model, at.parallelism)
    rows, last, width = tokens.sequences * tokens.new, tokens.sequences, at.model.width
    lookup = operators.vector(rows * width, 0.0, 2.0, on, at.precision)
    norm = operators.vector(last * width, 5.0, 2.0, on, at.precision)
    logits = operators.exact_matmul(last, width, part.vocabulary, on, at.precision)
    return [_operator("embedding", lookup, at)], [_operator("final_norm", norm, at), _operator("logits", logits, at)]


def _gather(at: Setting, tokens: Tokens) -> Transfer:
    devices = at.parallelism.tensor_parallel
    logits = tokens.sequences * math.ceil(at.model.vocabulary / devices) * devices * at.precision.residual_bytes
    return _transfer("all_gather", all_gather(logits, devices, at.device, at.style))


def _operator(name: str, of: Amounts, at: Setting) -> Operator:
    ahead = at.technique.prefetch_weights * of.weight_bytes + at.technique.prefetch_kv_cache * of.kv_cache_bytes
    rest = of.weight_bytes + of.kv_cache_bytes - ahead
    return Operator(name, of.floor_s, of.flops, _rate(of.flops, of.compute_s), ahead, rest + of.other_bytes,
                    of.l2_bytes, of.split_floor_s, _rate(of.flops, of.split_compute_s), of.unhidden_share)


def _rate(flops: float, compute_s: float) -> float:
    return flops / compute_s if compute_s > 0.0 else 1.0


def _transfer(name: str, of: Collective) -> Transfer:
    return Transfer(name, of.time_s, of.hbm_bytes)
