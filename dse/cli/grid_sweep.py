"""A grid sweep under Hydra: compose what is not a number, evaluate the rest as one batch, write a folder of results."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dse.cli.designs import designs
from dse.cli.fronts import fronts
from dse.errors import InputError
from dse.grid.table import tabulate

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

LARGEST_TABLE = 5_000_000
LARGEST_FRONT = 10**12


def sweep(loader: ConfigLoader, master: DictConfig, arguments: Sequence[str]) -> Path:
    """Evaluates the grid that `arguments` describe; returns the folder with its results."""
    from dse.cli.results import Results, write_results

    if not isinstance(master.table, bool):
        raise InputError(f"table={master.table} is not allowed: choose true or false")
    asked = designs(loader, master, arguments, LARGEST_TABLE if master.table else LARGEST_FRONT)
    started = time.perf_counter()
    if master.table:
        table = tabulate([part for one in asked.compositions for part in asked.parts(one)], asked.columns)
        count = evaluated = len(table["feasible"])
    else:
        table, count, evaluated = fronts(asked)
    elapsed_s = time.perf_counter() - started
    results = Results(table, asked.axes, asked.objective, asked.settings, tuple(arguments), asked.chip, elapsed_s,
                      count, evaluated)
    return write_results(results, asked.settings["name"])
