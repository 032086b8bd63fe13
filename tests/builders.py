"""Settings for the tests, built from the shipped configuration files without the command line's machinery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dse.hardware import Accelerator, accelerator
from dse.latency.setting import Setting
from dse.latency.style import LatencyStyle, latency_style
from dse.model.language_model import language_model
from dse.technique.registry import technique_terms
from dse.workload import Parallelism, Traffic, precision

CONF = Path(__file__).resolve().parents[1] / "conf"
PREFETCHING = ("preserve", "preserve_weights", "preserve_kv")
TECHNIQUES = ("none", *PREFETCHING, "overlap")


def option(group: str, name: str, **changes: Any) -> dict[str, Any]:
    """The file `name` of a group of the configuration as a plain mapping, with `changes`, without its defaults list."""
    raw = yaml.safe_load((CONF / group / f"{name}.yaml").read_text(encoding="utf-8"))
    raw.pop("defaults", None)
    return {**raw, **changes}


def style_of(hardware: str) -> LatencyStyle:
    """The latency style that a chip's file picks in its defaults list."""
    raw = yaml.safe_load((CONF / "hardware" / f"{hardware}.yaml").read_text(encoding="utf-8"))
    picked = [value for entry in raw["defaults"] if isinstance(entry, dict) for key, value in entry.items()
              if key.startswith("/latency@")]
    return latency_style(option("latency", picked[0]))


def chip(hardware: str) -> Accelerator:
    """A shipped chip."""
    return accelerator(option("hardware", hardware))


def setting(hardware: str = "ascend_910b", model: str = "llama3_70b", number_format: str = "int8",
            technique: str = "none", tensor_parallel: float = 8.0, pipeline_parallel: float = 1.0, batch: float = 4.0,
            prompt_tokens: float = 10923.0, output_tokens: float = 5461.0) -> Setting:
    """A setting of shipped parts; as it stands, the main workload of PRESERVE on its chip."""
    rates = option("hardware", hardware).get("matrix_rate") or {}
    return Setting(
        chip(hardware),
        style_of(hardware),
        language_model(option("model", model)),
        Traffic(batch, prompt_tokens, output_tokens, float("inf"), float("inf")),
        precision(option("precision", number_format), rates, hardware),
        Parallelism(tensor_parallel, pipeline_parallel),
        technique_terms(option("technique", technique)),
    )


def with_technique(at: Setting, technique: str, **changes: Any) -> Setting:
    """The same setting with another shipped technique, its parameters changed as given."""
    return at._replace(technique=technique_terms(option("technique", technique, **changes)))


def with_device(at: Setting, **changes: float) -> Setting:
    """The same setting with other numbers (SI) of its device."""
    return at._replace(device=at.device._replace(**changes))


def with_style(at: Setting, **changes: float) -> Setting:
    """The same setting with other numbers (SI) of its latency style."""
    return at._replace(style=at.style._replace(**changes))


def with_traffic(at: Setting, **changes: float) -> Setting:
    """The same setting with other traffic."""
    return at._replace(traffic=at.traffic._replace(**changes))


def with_split(at: Setting, tensor_parallel: float, pipeline_parallel: float = 1.0) -> Setting:
    """The same setting over another number of devices."""
    return at._replace(parallelism=Parallelism(tensor_parallel, pipeline_parallel))
