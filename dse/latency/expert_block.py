"""The second half of a transformer layer in time, where it is a mixture of experts."""

from __future__ import annotations

from typing import NamedTuple

from dse.latency.experts import tokens_per_expert, touched_share
from dse.latency.mlp_block import FeedForward, feed_forward, no_feed_forward, second_norm
from dse.latency.operators import SUM_FLOPS, exact_matmul, vector
from dse.latency.roofline import Operator, OperatorTime
from dse.latency.step import Step, collective_beside, time_on
from dse.latency.window import ahead


class ExpertBlock(NamedTuple):
    """The same of a layer with experts.

    `expert_gather` puts the tokens in the order of their experts, a copy for each; `expert_sum` weighs what a token's
    experts give and adds it.
    """

    expert_norm: OperatorTime
    router: OperatorTime
    dispatch: OperatorTime
    shared_gate_up: OperatorTime
    shared_activation: OperatorTime
    shared_down: OperatorTime
    expert_gather: OperatorTime
    expert_gate_up: OperatorTime
    expert_activation: OperatorTime
    expert_down: OperatorTime
    expert_sum: OperatorTime
    combine: OperatorTime


class ExpertsAhead(NamedTuple):
    """Bytes of a layer with experts that are found in L2, in the order in which they are read, and those in vain."""

    router: float
    shared_gate_up: float
    shared_down: float
    gate_up: float
    down: float
    wasted: float


def expert_block(at: Step) -> ExpertBlock:
    """Norm, router, what every token takes, and the experts, with the collectives around them."""
    model, part, on = at.model, at.part, at.on
    router = exact_matmul(at.by.own_rows, model.width, model.experts, on, at.precision)
    shared_rows = at.by.own_rows if at.sends > 0.0 else at.by.all_rows
    shared = feed_forward(1.0, shared_rows, part.shared_width, at) if part.shared_width > 0.0 else no_feed_forward()
    share = touched_share(model, at.by.all_rows)
    routed = feed_forward(part.experts * share, tokens_per_expert(model, at.by.all_rows), part.expert_width, at)
    copies = part.experts * share * tokens_per_expert(model, at.by.all_rows)
    gather = vector(copies * model.width, 0.0, 2.0, on, at.precision)
    add = vector(copies * model.width, SUM_FLOPS, 1.0 + at.arriving_rows / copies, on, at.precision)
    found = experts_ahead(router, shared, routed, share, at)
    gate_up, down = time_on(on, routed.gate_up, found.gate_up), time_on(on, routed.down, found.down)
    return ExpertBlock(second_norm(at), time_on(on, router, found.router),
                       collective_beside(at.by.dispatch, found.wasted, gate_up, at),
                       time_on(on, shared.gate_up, found.shared_gate_up), time_on(on, shared.activation, 0.0),
                       time_on(on, shared.down, found.shared_down), time_on(on, gather, 0.0), gate_up,
                       time_on(on, routed.activation, 0.0), down, time_on(on, add, 0.0),
                       collective_beside(at.by.combine, 0.0, down, at))


def experts_ahead(router: Operator, shared: FeedForward, routed: FeedForward, share: float, at: Step) -> ExpertsAhead:
    """What is read ahead of a layer with experts, of which `share` are touched.

    Which experts the tokens will take is not known when reading ahead begins: without a router ahead of the pass, only
    the touched share of what was read of the experts is of use. The router runs before tokens are gathered or sent.
    """
    weights = at.technique.prefetch_weights
    useful = 1.0 if at.technique.known_routing > 0.0 else share
    router_bytes = min(router.weight_bytes, at.windows.router_bytes)
    certain = router_bytes + shared.gate_up.weight_bytes + shared.down.weight_bytes
    experts = routed.gate_up.weight_bytes + routed.down.weight_bytes
    brought = ahead(weights * certain, weights * experts / useful, useful, at.windows.experts, at.technique)
    of_router = min(weights * router_bytes, brought.saved_bytes)
    left = brought.saved_bytes - of_router
    shared_gate_up = min(weights * shared.gate_up.weight_bytes, left)
    left = left - shared_gate_up
    shared_down = min(weights * shared.down.weight_bytes, left)
    left = left - shared_down
    gate_up = min(weights * routed.gate_up.weight_bytes, left)
    down = min(weights * routed.down.weight_bytes, left - gate_up)
    return ExpertsAhead(of_router, shared_gate_up, shared_down, gate_up, down, brought.wasted_bytes)


def no_experts() -> ExpertBlock:
    """The block of a model without experts."""
    none = OperatorTime(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return ExpertBlock(none, none, none, none, none, none, none, none, none, none, none, none)


def expert_block_s(block: ExpertBlock) -> float:
    """Time of the block."""
    shared = block.shared_gate_up.time_s + block.shared_activation.time_s + block.shared_down.time_s
    experts = block.expert_gate_up.time_s + block.expert_activation.time_s + block.expert_down.time_s
    around = block.expert_gather.time_s + block.expert_sum.time_s
    return block.expert_norm.time_s + block.router.time_s + block.dispatch.time_s + shared + experts + (
        around + block.combine.time_s)
