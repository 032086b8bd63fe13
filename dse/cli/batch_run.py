"""Running a verb that evaluates designs as batches: a multirun with a sweeper of our own, composed once."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dse.cli.hydra_run import as_sentences, version_base
from dse.cli.hydra_run import run as run_under_hydra
from dse.shipped import configuration_folder

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

CALLBACKS, MODE = "hydra.callbacks", "hydra.mode"
OURS = "hydra_plugins.dse_sweepers"


class BatchSweeper(Protocol):
    """What the sweepers of `hydra_plugins` are."""

    def begin(self, loader: ConfigLoader, config: DictConfig) -> None:
        """Takes the configuration of the whole run."""

    def sweep(self, arguments: list[str]) -> Any:
        """Evaluates what `arguments` describe."""


def run(task: Callable[[DictConfig], Any], sweeper: str, arguments: Sequence[str]) -> None:
    """The same as Hydra's multirun of `arguments` with hydra/sweeper=`sweeper`; InputError for what it refuses.

    Hydra's own entry composes twice, a fifth of a second each, the first time only to learn that it is a multirun;
    it still runs whatever has a flag or a setting of Hydra's own.
    """
    if any(_is_of_hydra(text) for text in arguments) or not _swept(sweeper, arguments):
        run_under_hydra(task, ["--multirun", f"hydra/sweeper={sweeper}", *arguments])


def _is_of_hydra(argument: str) -> bool:
    return argument.startswith("-") or argument.lstrip("+~").startswith(("hydra.", "hydra/"))


def _swept(sweeper: str, arguments: Sequence[str]) -> bool:
    """Composes and sweeps; False, with nothing done, where a configuration file asks for more of Hydra."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    with as_sentences(arguments), initialize_config_dir(**version_base(), config_dir=str(configuration_folder()),
                                                        job_name="evaluate"):
        loader = GlobalHydra.instance().config_loader()
        config = loader.load_configuration("config", overrides=[f"hydra/sweeper={sweeper}", *arguments],
                                           run_mode=RunMode.MULTIRUN)
        own = _own_sweeper(loader, config)
        if own is None:
            return False
        given: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
        own.sweep(given)
    return True


def _own_sweeper(loader: ConfigLoader, config: DictConfig) -> BatchSweeper | None:
    """The sweeper, where it is one of ours; Hydra makes all others, which need more of it than they are given here."""
    from omegaconf import OmegaConf

    chosen: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    module, _, name = str(chosen.pop("_target_")).rpartition(".")
    if module != OURS or any(OmegaConf.select(config, key) for key in (CALLBACKS, MODE)):
        return None
    sweeper: BatchSweeper = getattr(importlib.import_module(OURS), name)(**chosen)
    sweeper.begin(loader, config)
    return sweeper
