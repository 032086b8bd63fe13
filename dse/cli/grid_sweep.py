"""A grid sweep under Hydra: compose what is not a number, evaluate the rest as one batch, write a folder of results."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.cli.designs import Designs, designs
from dse.cli.memory import refuse_what_does_not_fit
from dse.errors import InputError
from dse.objective import Metrics

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

    from dse.cli.results import Results
    from dse.grid.table import Columns

LARGEST_UNASKED_TABLE = 500_000  # designs; with two techniques a million rows, a gigabyte of text
LARGEST_TABLE = 5_000_000
MOST_DESIGNS = 2**62  # places in a grid are 64-bit integers
BYTES_OF_A_ROW = 400  # in results.csv
TOO_MANY = (f"more than {LARGEST_UNASKED_TABLE:,} designs: the exact front and the bests alone; table=true makes a "
            f"table of up to {LARGEST_TABLE:,}")
GONE_ON = "went on with what an interrupted run had settled"


def sweep(loader: ConfigLoader, master: DictConfig, arguments: Sequence[str]) -> Path:
    """Evaluates the grid that `arguments` describe; returns the folder with its results.

    `table` null makes a table of every design where that is a sensible one, else exact fronts and bests alone.
    """
    from dse.cli.results import checked_folder, write_results

    asked = designs(loader, master, arguments, MOST_DESIGNS, allowed=_wants_table)
    checked_folder(asked.settings["name"], arguments)
    started = time.perf_counter()
    if not _wants_table(asked.settings, asked.asked.size):
        from dse.cli.fronts import fronts

        found = fronts(asked)
        notes = (*([GONE_ON] if found.run.went_on else ()), *([TOO_MANY] if asked.settings["table"] is None else ()))
        results = _results(asked, arguments, found.table, started, found.designs, found.evaluated, notes)
        folder = write_results(results, asked.settings["name"])
        found.run.forget()
        return folder
    from dse.grid.table import tabulate

    parts = [part for one in asked.compositions for part in asked.parts(one)]
    count = sum(part.grid.size for part in parts)
    refuse_what_does_not_fit(count, len(asked.columns) + len(Metrics._fields), asked.asked.widest)
    table = tabulate(parts, asked.columns)
    return write_results(_results(asked, arguments, table, started, count, count), asked.settings["name"])


def _results(asked: Designs, arguments: Sequence[str], table: Columns, started: float, count: int, evaluated: int,
             notes: tuple[str, ...] = ()) -> Results:
    from dse.cli.results import Results

    return Results(table, asked.axes, asked.objective, asked.settings, tuple(arguments), asked.chip,
                   time.perf_counter() - started, count, evaluated, notes)


def _wants_table(settings: Mapping[str, Any], size: int) -> bool:
    """Whether the sweep makes a table of `size` designs; InputError for one that is too large, or a wrong value."""
    wanted = settings["table"]
    if wanted is None:
        return size <= LARGEST_UNASKED_TABLE
    if not isinstance(wanted, bool):
        raise InputError(f"table={wanted} is not allowed: choose true, false or null")
    if wanted and size > LARGEST_TABLE:
        raise InputError(f"table=true is not allowed for {size:,} designs: their table would take "
                         f"{size * BYTES_OF_A_ROW / 1e9:,.0f} GB for each technique and at most {LARGEST_TABLE:,} are "
                         "taken; leave table out for the exact front and the bests alone, or take coarser axes")
    return wanted
