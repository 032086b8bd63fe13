"""One pass of a setting as a program of the event simulation: amounts from the operators, order written out here.

The program begins with the collective that would end the layer before the first: all layers are alike then, as in the
closed form. It knows one kind of layer, dense or with experts, and no pipeline.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from latency.event_simulation import Chip, Operator, Program, Transfer

from dse.latency import operators
from dse.latency.collectives import Collective, all_gather, all_reduce, all_to_all, reduce_scatter
from dse.latency.experts import copies_per_token, tokens_per_expert, touched_share
from dse.latency.machine import Machine, machine
from dse.latency.memory import shard
from dse.latency.operators import Tokens
from dse.latency.roofline import Operator as Amounts
from dse.latency.setting import Setting

Items = list[Operator | Transfer]


class Counts(NamedTuple):
    """Tokens of a copy of attention, of a device between two blocks and of all copies; devices of a copy and of all."""

    rows: float
    own: float
    everyone: float
    devices: float
    stage: float
    scattered: bool


def counts(at: Setting, tokens: Tokens) -> Counts:
    """How the pass's tokens lie on the devices."""
    split_over, rows = at.parallelism, tokens.sequences * tokens.new
    devices, copies = split_over.tensor_parallel, split_over.data_parallel
    scattered = bool(split_over.sequence_parallel or split_over.all_to_all or copies > 1.0)
    own = math.ceil(rows / devices) if scattered else rows
    return Counts(rows, own, rows * copies, devices, devices * copies, scattered)


def chip(at: Setting) -> Chip:
    """The device as the simulation wants it."""
    return Chip(at.device.hbm_bytes_per_s * at.style.hbm_share, at.device.l2_bytes_per_s,
                at.device.l2_bytes * at.style.l2_usable_share, at.technique.prefetch_limit_bytes)


def program(at: Setting, tokens: Tokens) -> Program:
    """What ends a layer, every layer, the logits and their all-gather. A single device has no collectives at all."""
    of, last = counts(at, tokens), tokens.sequences
    attention, second = _attention(at, tokens), _experts(at, of) if at.model.experts else _mlp(at, of)
    end = _end(at, of)
    regathered = _gather("final_gather", last, of.devices, at) if of.scattered else []
    logits = operators.exact_matmul(last, at.model.width, math.ceil(at.model.vocabulary / of.devices), _on(at),
                                    at.precision)
    gathered = last * math.ceil(at.model.vocabulary / of.devices) * of.devices * at.precision.residual_bytes
    final = all_gather(gathered, of.devices, at.device, at.style)
    before = _window(end, [_norm("attention_norm", of.own, 4.0, at)],
                     _gather("attention_gather", of.rows, of.devices, at) if of.scattered else [])
    return [*[*before, *attention, *second] * int(at.model.layers),
            *_window(end, [_norm("final_norm", last, 2.0, at)], regathered), _operator("logits", logits, at),
            *_transfer("logits_all_gather", final, 0.0)]


def _window(first: Items, between: Items, second: Items) -> Items:
    """Two collectives with what lies between them: one window, unless there is but one of them."""
    continued = [item._replace(continues=bool(first)) for item in second if isinstance(item, Transfer)]
    return [*first, *between, *continued]


def _end(at: Setting, of: Counts) -> Items:
    """What ends a layer: combine, a reduce-scatter over all devices, or an all-reduce."""
    token = at.model.width * at.precision.residual_bytes
    if at.model.experts and at.parallelism.all_to_all:
        back = _sent(at, of) * token
        return _transfer("combine", all_to_all(back, of.stage, at.device, at.style), back)
    name = "combine" if at.model.experts else "mlp_reduce"
    kind, devices = (reduce_scatter, of.stage) if of.scattered else (all_reduce, of.devices)
    return _transfer(name, kind(of.everyone * token, devices, at.device, at.style), of.everyone * token)


def _attention(at: Setting, tokens: Tokens) -> Items:
    """The operators of attention, without the collective that ends it."""
    model, of = at.model, counts(at, tokens)
    heads = math.ceil(model.query_heads / of.devices)
    part = shard(model, at.parallelism)
    read = _operator("attention", operators.attention(tokens, model, part, _on(at), at.precision), at)
    if not model.kv_latent_width:
        kv_heads = math.ceil(model.kv_heads / of.devices)
        return [_product("qkv", of.rows, model.width, (heads + 2 * kv_heads) * model.head_width, at), read,
                _product("output", of.rows, heads * model.head_width, model.width, at)]
    latent, key = model.kv_latent_width, model.head_width + model.rope_width
    value = model.value_width or model.head_width
    down = (model.query_latent_width or heads * key) + latent + model.rope_width
    query_up: Items = []
    if model.query_latent_width:
        query_up = [_product("query_up", of.rows, model.query_latent_width, heads * key, at)]
    key_up = _product("key_up", of.rows, latent, heads * model.head_width, at)
    value_up = _product("value_up", of.rows, latent, heads * value, at)
    if tokens.cached:
        key_up = _product("key_up", of.rows, model.head_width, latent, at, heads)
        value_up = _product("value_up", of.rows, latent, value, at, heads)
    return [_product("qkv", of.rows, model.width, down, at), *query_up, key_up,
            read, value_up, _product("output", of.rows, heads * value, model.width, at)]


def _attention_end(at: Setting, of: Counts) -> Items:
    """The collective that ends attention."""
    message = of.rows * at.model.width * at.precision.residual_bytes
    kind = reduce_scatter if of.scattered else all_reduce
    return _transfer("attention_reduce", kind(message, of.devices, at.device, at.style), message)


def _mlp(at: Setting, of: Counts) -> Items:
    """From the end of attention to the down projection."""
    gather = _gather("mlp_gather", of.everyone, of.stage, at) if of.scattered else []
    return [*_window(_attention_end(at, of), [_norm("mlp_norm", of.own, 4.0, at)], gather),
            *_feed_forward("", of.everyone, math.ceil(at.model.ffn_width / of.stage), at)]


def _experts(at: Setting, of: Counts) -> Items:
    """From the end of attention to the sum of what a token's experts give."""
    model, split_over, on = at.model, at.parallelism, _on(at)
    sends = bool(split_over.all_to_all)
    router = operators.exact_matmul(of.own, model.width, model.experts, on, at.precision)
    end = _attention_end(at, of)
    unread = at._replace(technique=at.technique._replace(prefetch_weights=0.0))  # its half of a layer only
    between: Items = [_norm("expert_norm", of.own, 4.0, at), _operator("router", router, at if end else unread)]
    wide = model.shared_expert_width if sends else math.ceil(model.shared_expert_width / of.stage)
    shared = _feed_forward("shared_", of.own if sends else of.everyone, wide, at) if wide else []
    held = math.ceil(model.experts / split_over.expert_parallel)
    share, rows = touched_share(model, of.everyone), tokens_per_expert(model, of.everyone)
    copies, arrived = held * share * rows, _sent(at, of) if sends else of.everyone
    gather = operators.vector(copies * model.width, 0.0, 2.0, on, at.precision)
    add = operators.vector(copies * model.width, 2.0, 1.0 + arrived / copies, on, at.precision)
    columns = math.ceil(model.expert_width / max(1, of.stage // split_over.expert_parallel))
    useful = 1.0 if at.technique.known_routing else share
    return [*_window(end, between, _dispatch(at, of)),
            *shared, _operator("expert_gather", gather, at),
            *_feed_forward("expert_", rows, columns, at, held * share, useful), _operator("expert_sum", add, at)]


def _dispatch(at: Setting, of: Counts) -> Items:
    """What brings the tokens to their experts."""
    if not at.parallelism.all_to_all:
        return _gather("dispatch", of.everyone, of.stage, at) if of.scattered else []
    message = _sent(at, of) * at.model.width * at.precision.residual_bytes
    narrow = min(1.0, at.precision.activation_bytes / at.precision.residual_bytes)
    return _transfer("dispatch", all_to_all(message * narrow, of.stage, at.device, at.style), message)


def _sent(at: Setting, of: Counts) -> float:
    """Copies of its tokens that a device sends: one to every device with a part of one of their experts."""
    parts = at.parallelism.expert_parallel
    return of.own * copies_per_token(at.model, parts) * max(1, of.stage // parts)


def _feed_forward(kind: str, rows: float, columns: float, at: Setting, count: float = 1.0,
                  useful: float = 1.0) -> Items:
    gates = 2.0 if at.model.gated else 1.0
    activation = operators.vector(count * rows * columns, 5.0, gates + 1.0, _on(at), at.precision)
    return [_product(f"{kind}gate_up", rows, at.model.width, gates * columns, at, count, useful),
            _operator(f"{kind}activation", activation, at),
            _product(f"{kind}down", rows, columns, at.model.width, at, count, useful)]


def _gather(name: str, rows: float, devices: float, at: Setting) -> Items:
    message = rows * at.model.width * at.precision.residual_bytes
    return _transfer(name, all_gather(message, devices, at.device, at.style), message)


def _norm(name: str, rows: float, passes: float, at: Setting) -> Operator:
    return _operator(name, operators.vector(rows * at.model.width, 5.0, passes, _on(at), at.precision), at)


def _product(name: str, rows: float, inner: float, columns: float, at: Setting, count: float = 1.0,
             useful: float = 1.0) -> Operator:
    return _operator(name, operators.grouped_matmul(count, rows, inner, columns, _on(at), at.precision), at, useful)


def _on(at: Setting) -> Machine:
    return machine(at.device, at.style, at.precision)


def _operator(name: str, of: Amounts, at: Setting, useful: float = 1.0) -> Operator:
    """What is guessed is read ahead whole, and a share of it is useful."""
    ahead = at.technique.prefetch_weights * of.weight_bytes + at.technique.prefetch_kv_cache * of.kv_cache_bytes
    rest = of.weight_bytes + of.kv_cache_bytes - ahead
    unhidden = of.unhidden_bytes / max(1.0, of.unhidden_bytes + of.weight_bytes + of.kv_cache_bytes + of.other_bytes)
    return Operator(name, of.floor_s, of.flops, _rate(of.flops, of.compute_s), ahead / useful, rest + of.other_bytes,
                    of.l2_bytes, of.split_floor_s, _rate(of.flops, of.split_compute_s), unhidden, useful)


def _rate(flops: float, compute_s: float) -> float:
    return flops / compute_s if compute_s > 0.0 else 1.0


def _transfer(name: str, of: Collective, message_bytes: float) -> Items:
    """The collective as an item; none where it is one of a single device."""
    return [Transfer(name, of.time_s, of.hbm_bytes, message_bytes)] if of.time_s > 0.0 else []
