"""What the operators of one pass share, and how they become entries of the schedule.

While a collective runs, the reads of the operators that follow it, up to the next one and in their order, may be
brought from HBM into L2:

    before attention   projections, KV-cache, output weights     under what ends the layer before
    before the MLP     gate and up weights, down weights         under what ends attention
    before experts     router, shared expert, experts            under what ends attention, and sends tokens to experts
                       (the router under the first of these alone: not ahead where attention is on one device, though
                       what ends the layer before could bring it)
    before the logits  their weights                             under what ends the last layer
"""

from __future__ import annotations

from typing import NamedTuple

from dse.latency.collectives import Collective
from dse.latency.communication import Communication, Windows, arriving_rows, communication, windows
from dse.latency.machine import Machine
from dse.latency.memory import Shard
from dse.latency.overlap import exposed_s
from dse.latency.roofline import Operator, OperatorTime, operator_time
from dse.model.language_model import LanguageModel
from dse.technique.terms import TechniqueTerms
from dse.workload import Parallelism, Precision


class Step(NamedTuple):
    """What the operators of one pass share: the machine, the model's part on it, and the layer's collectives.

    `rows` are the tokens of the device's copy of attention, `arriving_rows` those that reach its experts.
    """

    on: Machine
    model: LanguageModel
    part: Shard
    precision: Precision
    technique: TechniqueTerms
    rows: float
    arriving_rows: float
    sends: float
    by: Communication
    windows: Windows


def step(rows: float, all_rows: float, split_over: Parallelism, on: Machine, model: LanguageModel, part: Shard,
         precision: Precision, technique: TechniqueTerms) -> Step:
    """A pass over `rows` tokens of the fullest copy of attention, `all_rows` of all, with its layers' collectives."""
    by = communication(rows, all_rows, split_over, on.device, on.style, model, precision)
    return Step(on, model, part, precision, technique, rows, arriving_rows(by, model, split_over),
                split_over.all_to_all, by, windows(rows, by, split_over, on, model, precision))


def collective_time(collective: Collective, wasted_bytes: float) -> OperatorTime:
    """A collective as an entry of the schedule; `wasted_bytes` were read from HBM beside it and evicted."""
    return entry(collective, collective.time_s, wasted_bytes)


def collective_beside(collective: Collective, wasted_bytes: float, product: OperatorTime, at: Step) -> OperatorTime:
    """The same of a collective next to a matrix multiplication, which it may overlap as far as the technique allows."""
    left_s = exposed_s(collective, product, at.technique.overlap_share, at.on.hbm_bytes_per_s)
    return entry(collective, left_s, wasted_bytes)


def entry(collective: Collective, left_s: float, wasted_bytes: float) -> OperatorTime:
    """A collective of which `left_s` are not hidden."""
    return OperatorTime(left_s, collective.startup_s, 0.0, 0.0, 0.0, collective.link_s, 0.0, 0.0,
                        collective.hbm_bytes + wasted_bytes, 0.0, collective.link_bytes, 0.0,
                        collective.time_s - left_s)


def time_on(on: Machine, operator: Operator, prefetched_bytes: float) -> OperatorTime:
    """Time of `operator` on the machine."""
    return operator_time(operator, prefetched_bytes, on.hbm_bytes_per_s, on.device.l2_bytes_per_s)
