"""The verb `evaluate`: one design in full.

usage: dse evaluate [OVERRIDE ...] [-m] [--config-dir DIR] [--cfg job]

One design: latency by operator, area by block, cost by item and performance per cost, without and with the
technique side by side.

  GROUP=OPTION           hardware, latency, model, traffic, precision, technique, cost/process, cost/memory, ...
  KEY=VALUE              any value: hardware.l2_mib=104, parallelism.tensor_parallel=4, precision.kv_cache=bf16
  model.huggingface=PATH read the model's shape from a Hugging Face config.json
  serving=closed_loop    clients, continuous batching and a server's software beside it: server=vllm|trtllm|none
  output=table|json      a table to read, or one JSON object on standard output and nothing else
  -m, --multirun         plain Hydra multirun over comma-separated values; each job writes result.json in its folder
  --config-dir DIR       a folder of your own with more options for the groups
  --cfg job              print the configuration with every key and its source, and stop

examples:
  dse evaluate hardware=h100 model=llama3_70b precision=fp8 technique=preserve
  dse evaluate hardware.l2_mib=104 parallelism.tensor_parallel=8 output=json
  dse evaluate hardware=h100 model=llama3_8b precision=bf16 serving=closed_loop serving.clients=64 server=trtllm
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.atomic import write_text
from dse.cli.hydra_run import groups, overridden, plain
from dse.cli.hydra_run import run as run_under_hydra
from dse.cli.sources import refuse_borrowed_sources
from dse.errors import InputError
from dse.objective import Metrics
from dse.shipped import configuration_folder

if TYPE_CHECKING:
    from omegaconf import DictConfig

OUTPUTS = ("table", "json")
SERVING_GROUPS = ("serving", "server")


def run(arguments: Sequence[str]) -> int:
    """Evaluates what `arguments` describe; exit status 0."""
    run_under_hydra(task, arguments)
    return 0


def task(config: DictConfig) -> float:
    """One job: prints the evaluation, and returns the objective for sweepers that want one number."""
    from dse.evaluation import evaluation

    settings = plain(config)
    output, objective = _choices(settings)
    serving = {name: settings.pop(name) for name in SERVING_GROUPS if settings.get(name) is not None}
    refuse_borrowed_sources(serving, configuration_folder())
    answer = evaluation({**groups(settings, overridden()), **serving})
    text = json.dumps(answer, indent=2, allow_nan=False) if output == "json" else _table(answer)
    folder = _job_folder()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "result.json", json.dumps(answer, indent=2, allow_nan=False) + "\n")
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    return _leaf(answer["technique_metrics"], objective)


def _choices(settings: Mapping[str, Any]) -> tuple[str, str]:
    if settings["output"] not in OUTPUTS:
        raise InputError(f"output={settings['output']} is not allowed: choose one of {', '.join(OUTPUTS)}")
    if settings["objective"] not in Metrics._fields:
        raise InputError(f"objective={settings['objective']} is not allowed: choose one of "
                         f"{', '.join(Metrics._fields)}")
    return settings["output"], settings["objective"]


def _table(answer: Mapping[str, Any]) -> str:
    from dse.cli.report import evaluation_report

    return evaluation_report(answer)


def _job_folder() -> Path | None:
    """The job's own folder in a multirun; a single run leaves nothing behind."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    settings = HydraConfig.get()
    return Path(settings.runtime.output_dir) if settings.mode == RunMode.MULTIRUN else None


def _leaf(metrics: Mapping[str, Any], name: str) -> float:
    for part in metrics.values():
        if isinstance(part, Mapping) and name in part:
            return float(part[name])
    return float(metrics[name])
