"""From a case, one design with its workload, technique and assumptions, to its metrics."""

from __future__ import annotations

from typing import NamedTuple

from dse.cost.assumptions import CostAssumptions
from dse.cost.bill import bill
from dse.cost.energy import Work, average_power_w, energy, power_violation
from dse.cost.ownership import usd_per_hour, usd_per_million_tokens
from dse.latency.capacity import Memory, memory
from dse.latency.memory import stage_devices
from dse.latency.phases import Latency, latency
from dse.latency.setting import Setting
from dse.latency.work import request_work


class Case(NamedTuple):
    """All that the metrics depend on: what latency depends on, and the assumptions of cost."""

    setting: Setting
    cost: CostAssumptions


class Metrics(NamedTuple):
    """The answer for one case, in SI units, mm2 and USD; the violations are at most 0 where their limit is met."""

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
    domain: float
    expert_devices: float
    reticle: float
    shoreline: float
    tdp: float
    ttft_limit: float
    tpot_limit: float
    feasible: float


VIOLATIONS = ("hbm_capacity", "domain", "expert_devices", "reticle", "shoreline", "tdp", "ttft_limit", "tpot_limit")


def devices(at: Setting) -> float:
    """Devices that hold one copy of the model."""
    split_over = at.parallelism
    return split_over.tensor_parallel * split_over.data_parallel * split_over.pipeline_parallel


def hbm_capacity_violation(held: Memory) -> float:
    """What the design keeps in HBM over what may be used, less 1."""
    return (held.weights_bytes + held.sequences * held.sequence_bytes) / held.usable_bytes - 1.0


def device_power_w(at: Setting, served: Latency, assumptions: CostAssumptions) -> float:
    """Mean power of one device while it serves; FLOPs in a narrow format count by their share of the 16-bit energy."""
    done = request_work(at, served.batch)
    work = Work(done.wide_flops, done.l2_bytes, done.hbm_bytes, done.link_bytes)
    spent = energy(work, served.request_s, at.device, assumptions)
    return average_power_w(spent.total_j, served.request_s)


def metrics(case: Case) -> Metrics:
    """All metrics of one case; an infeasible design has them too, beside its violations.

        tokens_per_s_per_usd = throughput / cost of the group
        tokens_per_s_per_mm2 = throughput / die area of the group

    The silicon counts the accelerators' dies, not HBM, hosts or switches.
    """
    at = case.setting
    held = memory(at)
    count = devices(at)
    served = latency(at, held.batch)
    costs = bill(at.device, count, case.cost)
    power_w = device_power_w(at, served, case.cost)
    tokens_per_s = served.throughput_tokens_per_s
    hourly_usd = usd_per_hour(costs.group_usd, count * power_w, case.cost.ownership)
    capacity = hbm_capacity_violation(held)
    domain = count / at.device.domain_devices - 1.0
    expert_devices = at.parallelism.expert_parallel / stage_devices(at.parallelism) - 1.0
    tdp = power_violation(power_w, at.device)
    ttft = served.ttft_s / at.traffic.ttft_limit_s - 1.0
    tpot = served.tpot_s / at.traffic.tpot_limit_s - 1.0
    network = max(domain, expert_devices)
    worst = max(max(max(capacity, network), max(costs.reticle, costs.shoreline)), max(tdp, max(ttft, tpot)))
    return Metrics(served.ttft_s, served.tpot_s, served.request_s, tokens_per_s, served.batch, costs.area.die_mm2,
                   costs.die_yield, costs.die_usd, costs.device_usd, costs.group_usd, power_w, hourly_usd,
                   usd_per_million_tokens(hourly_usd, tokens_per_s), tokens_per_s / (count * power_w),
                   tokens_per_s / (count * costs.area.die_mm2), tokens_per_s / costs.group_usd,
                   capacity, domain, expert_devices, costs.reticle, costs.shoreline, tdp, ttft, tpot,
                   1.0 if worst <= 0.0 else 0.0)
