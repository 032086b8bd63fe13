"""Prefill, decode over the growing context, and the request; memory that it all takes."""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.latency.attention_block import AttentionBlock, attention_block, attention_block_s
from dse.latency.collectives import all_gather, no_collective, point_to_point_s
from dse.latency.communication import is_scattered, last_collective
from dse.latency.expert_block import ExpertBlock, expert_block, expert_block_s, no_experts
from dse.latency.machine import Machine, machine
from dse.latency.memory import Shard, Stages, dense_layers, shard, stages
from dse.latency.mlp_block import MlpBlock, mlp_block, mlp_block_s
from dse.latency.operators import NORM_FLOPS, Tokens, exact_matmul, vector
from dse.latency.roofline import OperatorTime
from dse.latency.setting import Setting
from dse.latency.step import Step, collective_time, step, time_on
from dse.latency.window import ahead, window
from dse.workload import Parallelism, Traffic


class Ends(NamedTuple):
    """Operators outside the layers: embedding and its collective first, norm, logits and their all-gather last.

    Where tokens are dealt to the devices between two blocks, they are gathered once more before the logits.
    """

    embedding: OperatorTime
    embedding_reduce: OperatorTime
    final_norm: OperatorTime
    final_gather: OperatorTime
    logits: OperatorTime
    logits_all_gather: OperatorTime


class Frame(NamedTuple):
    """What the passes of one micro-batch share at any context: all but the attention block."""

    shared: Step
    mlp: MlpBlock
    experts: ExpertBlock
    ends: Ends
    split_over: Stages
    stages: float
    dense_layers: float
    transfers_s: float
    start_s: float
    end_s: float


class Pass(NamedTuple):
    """One pass of one micro-batch through all stages; operators are alike in all layers of a kind."""

    attention: AttentionBlock
    mlp: MlpBlock
    experts: ExpertBlock
    ends: Ends
    layers: float
    dense_layers: float
    transfers_s: float
    pass_s: float
    stage_s: float


class Latency(NamedTuple):
    """What a request sees, and what a group of devices delivers."""

    ttft_s: float
    tpot_s: float
    request_s: float
    throughput_tokens_per_s: float
    batch: float


def micro_batches(at: Parallelism, batch: float) -> float:
    """Micro-batches in flight: one a stage, as far as a copy of attention has sequences."""
    return min(float(math.ceil(batch / at.data_parallel)), at.pipeline_parallel)


def sequences_of_pass(at: Parallelism, batch: float) -> float:
    """Sequences of one micro-batch of one copy of attention; the fullest sets the pace."""
    return float(math.ceil(math.ceil(batch / at.data_parallel) / micro_batches(at, batch)))


def all_sequences(at: Parallelism, batch: float) -> float:
    """Sequences of one micro-batch of all copies of attention, which may be fewer than as many as in the fullest."""
    return float(math.ceil(batch / micro_batches(at, batch)))


def ends(tokens: Tokens, at: Step, split_over: Parallelism) -> Ends:
    """The operators around the layers; logits are worked out for the last token of each sequence.

    The logits' weights may be read ahead under what ends the last layer, and the gathering that follows it.
    """
    devices, token = split_over.tensor_parallel, at.model.width * at.precision.residual_bytes
    last = all_gather(tokens.sequences * token, devices, at.on.device, at.on.style)
    regathered = last if is_scattered(split_over) else no_collective()
    message = max(tokens.sequences if is_scattered(split_over) else 0.0, at.windows.ended_rows) * token
    through = window(last_collective(at.by, at.model), regathered, message, at.on)
    lookup = vector(at.rows * at.model.width, 0.0, 2.0, at.on, at.precision)
    norm = vector(tokens.sequences * at.model.width, NORM_FLOPS, 2.0, at.on, at.precision)
    product = exact_matmul(tokens.sequences, at.model.width, at.part.vocabulary, at.on, at.precision)
    brought = ahead(at.technique.prefetch_weights * product.weight_bytes, 0.0, 1.0, through, at.technique)
    gathered = tokens.sequences * at.part.vocabulary * devices * at.precision.residual_bytes
    return Ends(time_on(at.on, lookup, 0.0), collective_time(at.by.attention_reduce, 0.0), time_on(at.on, norm, 0.0),
                collective_time(regathered, brought.wasted_bytes), time_on(at.on, product, brought.saved_bytes),
                collective_time(all_gather(gathered, devices, at.on.device, at.on.style), 0.0))


def frame(tokens: Tokens, sequences: float, on: Machine, part: Shard, at: Setting) -> Frame:
    """Everything of a pass that does not depend on how much is cached: all but the attention block.

    `sequences` are those of all copies of attention, `tokens` the work of the fullest.
    """
    deep = at.parallelism.pipeline_parallel
    rows = tokens.sequences * tokens.new
    shared = step(rows, sequences * tokens.new, at.parallelism, on, at.model, part, at.precision, at.technique)
    around = ends(tokens, shared, at.parallelism)
    start_s = around.embedding.time_s + around.embedding_reduce.time_s
    end_s = around.final_norm.time_s + around.final_gather.time_s + around.logits.time_s + (
        around.logits_all_gather.time_s)
    hop_s = point_to_point_s(shared.by.own_rows * at.model.width * at.precision.residual_bytes, at.device, at.style)
    routed = expert_block(shared) if at.model.experts > 0.0 else no_experts()
    return Frame(shared, mlp_block(shared), routed, around, stages(at.model, part), deep, dense_layers(at.model),
                 (deep - 1.0) * hop_s, start_s, end_s)


def full_pass(first: AttentionBlock, around: Frame) -> Pass:
    """One micro-batch through all stages: the ends, every layer of every stage, and the hops between stages.

    The slowest stage is the first, which has the dense layers, or a later one.
    """
    attention_s, dense_s, experts_s = attention_block_s(first), mlp_block_s(around.mlp), expert_block_s(around.experts)
    layers, by = around.shared.model.layers, around.split_over
    pass_s = (around.start_s + layers * attention_s + around.dense_layers * dense_s
              + (layers - around.dense_layers) * experts_s + around.transfers_s + around.end_s)
    both_ends_s = around.start_s + around.end_s
    outer_s = both_ends_s if around.stages == 1.0 else max(around.start_s, around.end_s)
    first_s = (by.first_dense + by.first_mixed) * attention_s + by.first_dense * dense_s + by.first_mixed * experts_s
    later_s = (by.later_dense + by.later_mixed) * attention_s + by.later_dense * dense_s + by.later_mixed * experts_s
    return Pass(first, around.mlp, around.experts, around.ends, layers, around.dense_layers, around.transfers_s, pass_s,
                max(first_s, later_s) + outer_s)


def single_pass(tokens: Tokens, on: Machine, part: Shard, at: Setting) -> Pass:
    """The pass of one micro-batch over `tokens` of each copy of attention."""
    around = frame(tokens, tokens.sequences * at.parallelism.data_parallel, on, part, at)
    return full_pass(attention_block(tokens, around.shared), around)


def batch_pass(at: Setting, batch: float, new: float, cached: float) -> Pass:
    """The pass of one micro-batch over `new` tokens of each sequence, `cached` being cached."""
    tokens = Tokens(sequences_of_pass(at.parallelism, batch), new, cached)
    around = frame(tokens, all_sequences(at.parallelism, batch), machine(at.device, at.style, at.precision),
                   shard(at.model, at.parallelism), at)
    return full_pass(attention_block(tokens, around.shared), around)


def prefill(at: Setting, batch: float) -> Pass:
    """The pass of one micro-batch over its whole prompts."""
    return batch_pass(at, batch, at.traffic.prompt_tokens, 0.0)


def decode(at: Setting, batch: float, context: float) -> Pass:
    """The pass of one micro-batch over one new token of each sequence, `context` tokens being cached."""
    return batch_pass(at, batch, 1.0, context)


def prefill_s(at: Setting, batch: float) -> float:
    """Time until the whole batch has its first token: the pipeline fills, then each micro-batch takes a stage time."""
    one = prefill(at, batch)
    return one.pass_s + (micro_batches(at.parallelism, batch) - 1.0) * one.stage_s


def pass_or_stages_s(one: Pass, passes: float) -> float:
    """Time of one token of every sequence: a pass, or if longer the slowest stage once for each micro-batch."""
    return max(one.pass_s, passes * one.stage_s)


def decode_s(at: Setting, batch: float, context: float) -> float:
    """Time of one token of every sequence when each has `context` tokens cached."""
    return pass_or_stages_s(decode(at, batch, context), micro_batches(at.parallelism, batch))


def decode_context(traffic: Traffic, part: float) -> float:
    """Cached tokens at the middle of part 0-15 of sixteen equal parts of the decode steps; 7.5 is the middle of all.

    Step j = 1 ... output - 1 finds prompt + j - 1 tokens cached, the prompt's and those generated but for the newest.
    """
    steps = max(1.0, traffic.output_tokens - 1.0)
    return traffic.prompt_tokens - 0.5 + steps * (part + 0.5) / 16.0


def decode_part_s(at: Setting, around: Frame, sequences: float, passes: float, part: float) -> float:
    """Time of the decode step in the middle of one of the sixteen parts."""
    tokens = Tokens(sequences, 1.0, decode_context(at.traffic, part))
    return pass_or_stages_s(full_pass(attention_block(tokens, around.shared), around), passes)


def decode_quarter_s(at: Setting, around: Frame, sequences: float, passes: float, first: float) -> float:
    """Mean time of a decode step over four of the sixteen parts, from `first` on."""
    return 0.25 * (decode_part_s(at, around, sequences, passes, first)
                   + decode_part_s(at, around, sequences, passes, first + 1.0)
                   + decode_part_s(at, around, sequences, passes, first + 2.0)
                   + decode_part_s(at, around, sequences, passes, first + 3.0))


def mean_decode_s(at: Setting, batch: float) -> float:
    """Mean time of a decode step while the context grows: the mean over the middles of sixteen equal parts.

    A step is smooth in its context but for corners: where the KV-cache outgrows its window, another resource becomes
    the busiest or another stage the slowest. A corner costs the rule an error that falls with the square of the parts:
    against the sum over every step it is within 0.1 % in the tests (with four parts it was 0.9 %).
    """
    passes = micro_batches(at.parallelism, batch)
    sequences = sequences_of_pass(at.parallelism, batch)
    around = frame(Tokens(sequences, 1.0, 0.0), all_sequences(at.parallelism, batch),
                   machine(at.device, at.style, at.precision), shard(at.model, at.parallelism), at)
    return 0.25 * (decode_quarter_s(at, around, sequences, passes, 0.0)
                   + decode_quarter_s(at, around, sequences, passes, 4.0)
                   + decode_quarter_s(at, around, sequences, passes, 8.0)
                   + decode_quarter_s(at, around, sequences, passes, 12.0))


def latency(at: Setting, batch: float) -> Latency:
    """Time to first token, per output token and per request; output tokens per second of the group.

        request = ttft + (output - 1) tpot        throughput = batch output / request

    The first token comes with the prompt's pass; prompts are processed together (static batching).
    """
    ttft_s = prefill_s(at, batch)
    tpot_s = mean_decode_s(at, batch)
    request_s = ttft_s + (at.traffic.output_tokens - 1.0) * tpot_s
    return Latency(ttft_s, tpot_s, request_s, batch * at.traffic.output_tokens / request_s, batch)
