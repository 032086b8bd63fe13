"""From a case, one design with its workload, technique and assumptions, to its metrics."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.assumptions import CostAssumptions
from dse.cost.bill import bill
from dse.cost.energy import group_power_w, tdp_violation
from dse.cost.ownership import usd_per_hour, usd_per_million_tokens
from dse.latency.phases import Latency, Memory, Setting, decode, decode_context, latency, memory, micro_batches, prefill
from dse.latency.work import Work, added, pass_work, times


class Case(NamedTuple):
    """All that the metrics depend on: what latency depends on, and the assumptions of cost."""

    setting: Setting
    cost: CostAssumptions


class Metrics(NamedTuple):
    """The answer for one case. The last six before `feasible` are violations: at most 0 where the limit is met."""

    ttft_s: float
    tpot_s: float
    request_s: float
    throughput_tokens_per_s: float
    batch: float
    die_mm2: float
    die_yield: float
    die_usd: float
    device_usd: float
    group_usd: float
    device_power_w: float
    usd_per_hour: float
    usd_per_million_tokens: float
    tokens_per_j: float
    tokens_per_s_per_mm2: float
    tokens_per_s_per_usd: float
    hbm_capacity: float
    reticle: float
    shoreline: float
    tdp: float
    ttft_limit: float
    tpot_limit: float
    feasible: float


VIOLATIONS = ("hbm_capacity", "reticle", "shoreline", "tdp", "ttft_limit", "tpot_limit")


def devices(at: Setting) -> float:
    """Devices that hold one copy of the model."""
    return at.parallelism.tensor_parallel * at.parallelism.pipeline_parallel


def request_work(at: Setting, batch: float) -> Work:
    """Work of one device while a whole batch is served: prefill, and the decode steps at their mean context."""
    stages = at.parallelism.pipeline_parallel
    passes = micro_batches(batch, stages)
    middle = 0.5 * (decode_context(at.traffic, 0.0) + decode_context(at.traffic, 3.0))
    step = pass_work(decode(at, batch, middle), stages)
    return times(passes, added(pass_work(prefill(at, batch), stages), times(at.traffic.output_tokens - 1.0, step)))


def hbm_capacity_violation(held: Memory) -> float:
    """What the design keeps in HBM over what may be used, less 1."""
    return (held.weights_bytes + held.batch * held.sequence_bytes) / held.usable_bytes - 1.0


def metrics(case: Case) -> Metrics:
    """All metrics of one case; an infeasible design has them too, beside its violations.

        tokens_per_s_per_usd = throughput / price of the group      tokens_per_s_per_mm2 = throughput / silicon of the group

    The silicon counts the accelerators' dies, not HBM, hosts or switches.
    """
    at = case.setting
    held = memory(at)
    count = devices(at)
    served: Latency = latency(at, held.batch)
    costs = bill(at.device, count, case.cost)
    work = request_work(at, held.batch)
    power_w = group_power_w(at.device, work.flops, work.l2_bytes, work.hbm_bytes, work.link_bytes, served.request_s,
                            case.cost) 
    return Metrics()
