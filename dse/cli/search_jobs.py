"""Several studies as jobs of Hydra's own sweeper, so that its launchers can run them side by side: one study a job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.atomic import write_text
from dse.cli.flags import WITH_VALUE
from dse.cli.hydra_run import run as run_under_hydra
from dse.cli.search_space import asked

if TYPE_CHECKING:
    from omegaconf import DictConfig


def run_jobs(arguments: Sequence[str]) -> None:
    """Runs a study for each choice of what is listed beside the space, each as a job with a result.json in its folder.

    Hydra's sweeper gets the lists, and each job the axes, which that sweeper would take for lists of its own.
    """
    flags = [text for place, text in enumerate(arguments)
             if text.startswith("-") or (place > 0 and arguments[place - 1] in WITH_VALUE)]
    overrides = [text for text in arguments if text not in flags]
    command = asked(None, overrides)
    axes = [text for text in overrides if text.partition("=")[0].lstrip("+") in command.dimensions]
    listed = tuple(command.outer)

    def job(config: DictConfig) -> Any:
        return _study(axes, listed)

    run_under_hydra(job, ["--multirun", *flags, *(text for text in overrides if text not in axes)])


def _study(axes: Sequence[str], listed: Sequence[str]) -> Any:
    """The study of the job that Hydra is running; returns it as plain data."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from dse.cli.search import sweep
    from dse.cli.study_search import name_suffix

    hydra = HydraConfig.get()
    own = list(hydra.overrides.task)
    loader = GlobalHydra.instance().config_loader()
    master = loader.load_configuration("config", overrides=[], run_mode=RunMode.MULTIRUN)
    values = dict(text.split("=", 1) for text in own)
    chosen = {key: values[key] for key in listed if key in values}
    found = sweep(loader, master, [*own, *axes], name_suffix(chosen))
    write_text(Path(hydra.runtime.output_dir) / "result.json", json.dumps(found, indent=2) + "\n")
    return found
