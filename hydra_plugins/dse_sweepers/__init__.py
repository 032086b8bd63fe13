"""Hydra finds sweepers in this namespace; the work is done in dse.cli."""

from __future__ import annotations

from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from dse.errors import InputError

LAUNCHER = "hydra/launcher"


class BatchSweeper(Sweeper):
    """What evaluates designs as batches in this process, instead of a job for each. Abstract."""

    instead = "hydra/sweeper=basic makes a job of each design"

    def __init__(self, params: dict[str, str] | None = None) -> None:
        if params is not None and not hasattr(params, "items"):
            raise InputError(f"hydra.sweeper.params={params} is not allowed: give axes by their keys")
        self.params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keeps what Hydra hands over; the task itself is not run."""
        self.hydra_context = hydra_context
        self.begin(hydra_context.config_loader, config)

    def begin(self, loader: ConfigLoader, config: DictConfig) -> None:
        """Takes the configuration of the whole run; InputError for a launcher, which would be idle."""
        launcher = config.hydra.runtime.choices.get(LAUNCHER, "basic")
        if launcher != "basic":
            raise InputError(f"{LAUNCHER}={launcher} is not allowed here, where this process evaluates everything: "
                             f"{self.instead}")
        self.config = config
        self._loader, self._master = loader, config

    def given(self, arguments: list[str]) -> list[str]:
        """The axes that a configuration file gives, and then those of the command line, which win.

        Raises InputError for an axis that the command line gives twice.
        """
        from dse.cli.axes import refuse_given_twice

        refuse_given_twice(arguments)
        return [*(f"{key}={value}" for key, value in self.params.items()), *arguments]


class GridSweeper(BatchSweeper):
    """`hydra/sweeper=grid`: every design of a grid in one compiled batch."""

    def sweep(self, arguments: list[str]) -> Any:
        """Evaluates the grid and writes its folder; returns that folder's path."""
        from dse.cli.grid_sweep import sweep

        return sweep(self._loader, self._master, self.given(arguments))


class StudySweeper(BatchSweeper):
    """`hydra/sweeper=study`: an Optuna study that can be stopped and resumed."""

    instead = "dse search hydra/sweeper=basic makes a job of each of several studies"

    def sweep(self, arguments: list[str]) -> Any:
        """Runs the search up to its target; returns the studies as plain data."""
        from dse.cli.search import sweep

        return sweep(self._loader, self._master, self.given(arguments))


class UncertaintySweeper(BatchSweeper):
    """`hydra/sweeper=uncertainty`: the intervals of the assumptions carried through every design of a grid."""

    def sweep(self, arguments: list[str]) -> Any:
        """Runs the draws and writes their folder; returns that folder's path."""
        from dse.cli.uncertainty_run import uncertainty

        return uncertainty(self._loader, self._master, self.given(arguments))
