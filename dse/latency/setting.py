"""Everything that latency depends on."""

from __future__ import annotations

from typing import NamedTuple

from dse.hardware import Accelerator
from dse.latency.style import LatencyStyle
from dse.model.language_model import LanguageModel
from dse.technique.terms import TechniqueTerms
from dse.workload import Parallelism, Precision, Traffic


class Setting(NamedTuple):
    """A device with its style, what it serves, how that is spread over devices, and what is read ahead."""

    device: Accelerator
    style: LatencyStyle
    model: LanguageModel
    traffic: Traffic
    precision: Precision
    parallelism: Parallelism
    technique: TechniqueTerms
