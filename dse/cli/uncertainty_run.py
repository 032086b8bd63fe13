"""An uncertainty run under Hydra: the designs of a command, the intervals of their constants, the folder."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.cli.designs import Designs, designs
from dse.errors import InputError
from dse.fields import LARGEST
from dse.figures.labels import is_chosen, quantity

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

    from dse.grid.table import Columns
    from dse.uncertainty.analysis import Asked
    from dse.uncertainty.competition import Competition
    from dse.uncertainty.ensemble import Ensemble
    from dse.uncertainty.existing import Existing

L2 = "hardware.l2_mib"
TECHNIQUE = "technique"
REFRESH_S, BETWEEN_LINES_S = 0.3, 10.0
KEYS = ("of", "shape", "existing", "percentiles", "along", "factor", "quantities", "index_samples")


def uncertainty(loader: ConfigLoader, master: DictConfig, arguments: Sequence[str]) -> Path:
    """Carries the intervals through the designs that `arguments` describe; returns the folder with the answer."""
    from dse.cli.uncertainty_results import Outcome, write_outcome
    from dse.uncertainty.analysis import analysis
    from dse.uncertainty.ensemble import MOST_DESIGNS

    asked = designs(loader, master, arguments, MOST_DESIGNS, one_is_enough=True)
    wanted = _asked(asked)
    ensemble, columns = _ensemble(asked)
    among = _competition(asked, columns)
    started = time.perf_counter()
    found = analysis(ensemble, among, wanted, _existing(loader, master, asked, ensemble))
    elapsed_s = time.perf_counter() - started
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[K")
    return write_outcome(Outcome(found, asked.settings, tuple(arguments), elapsed_s), asked.settings["name"])


def _asked(asked: Designs) -> Asked:
    """What the settings ask for; InputError for a value that is not allowed."""
    from dse.uncertainty.analysis import Asked
    from dse.uncertainty.bands import checked_percentiles
    from dse.uncertainty.influence import checked_index_samples
    from dse.uncertainty.standing import Aim

    settings, own = asked.settings, _own(asked.settings)
    whole = _whole(settings, "samples", 1), _whole(settings, "seed", 0)
    factor = own["factor"]
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0.0 < factor <= LARGEST:
        raise InputError(f"uncertainty.factor={factor} is not allowed: give a number > 0 and <= {LARGEST:g}")
    return Asked(Aim(asked.objective, quantity(asked.objective).better), *whole,
                 checked_percentiles(_listed(own, "percentiles")), float(factor),
                 checked_index_samples(own["index_samples"]), tuple(_listed(own, "quantities")))


def _own(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    own: Mapping[str, Any] = settings["uncertainty"]
    for key in own:
        if key not in KEYS:
            raise InputError(f"uncertainty.{key} is unknown: uncertainty has {', '.join(KEYS)}")
    return own


def _listed(own: Mapping[str, Any], key: str) -> list[Any]:
    value = own[key]
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _whole(settings: Mapping[str, Any], key: str, least: int) -> int:
    value = settings[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{key}={value} is not allowed: give a whole number >= {least}")
    return value


def _ensemble(asked: Designs) -> tuple[Ensemble, Columns]:
    """The designs with their intervals, and their columns. A constant that is an axis is not drawn."""
    from dse.grid.table import design_columns
    from dse.uncertainty.ensemble import Ensemble, Member
    from dse.uncertainty.intervals import intervals
    from dse.uncertainty.shapes import checked_shape

    own = _own(asked.settings)
    members = []
    for one in asked.compositions:
        drawn = intervals(one.settings, _listed(own, "of"), asked.axes)
        members += [Member(part, drawn) for part in asked.parts(one)]
    columns = design_columns([member.part for member in members], asked.columns)
    return Ensemble(members, checked_shape(own["shape"]), _progress()), columns


def _existing(loader: ConfigLoader, master: DictConfig, asked: Designs, ensemble: Ensemble) -> Existing | None:
    """The chips that must be possible, as their files have them, whatever else the command says; None for none."""
    from dse.case import case, row
    from dse.cli.hydra_run import groups, plain
    from dse.grid.grid import Grid
    from dse.grid.table import Part
    from dse.uncertainty.ensemble import Member
    from dse.uncertainty.existing import Existing
    from dse.uncertainty.intervals import intervals

    chips, known = [], loader.get_group_options("hardware")
    for name in _listed(_own(asked.settings), "existing"):
        if name not in known:
            raise InputError(f"uncertainty.existing={name} is not allowed: name chips, from {', '.join(known)}")
        settings = groups(plain(loader.load_sweep_config(master, [f"hardware={name}"])), ())
        chips.append(Member(Part({}, {}, Grid(row(case(settings)))), intervals(settings)))
    return Existing(chips, ensemble.unknowns, ensemble.shape) if chips else None


def _progress() -> Callable[[int], None]:
    """Tells on standard error how far the draws are: one line rewritten on a terminal, else a line now and then."""
    started = told = time.monotonic()
    terminal = sys.stderr.isatty()

    def tell(done: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told < (REFRESH_S if terminal else BETWEEN_LINES_S):
            return
        told = now
        text = f"{done:,} evaluations, {done / (now - started):,.0f}/s"
        sys.stderr.write(f"\r\x1b[K{text}\r" if terminal else f"{text}\n")
        sys.stderr.flush()

    return tell


def _competition(asked: Designs, columns: Columns) -> Competition:
    from dse.uncertainty.competition import competition

    varying = [key for key in asked.axes if key != TECHNIQUE and len(set(columns[key].tolist())) > 1]
    chosen = [key for key in varying if is_chosen(key)]
    given = [key for key in asked.axes if key != TECHNIQUE and not is_chosen(key)]
    numeric = [key for key in chosen if columns[key].dtype.kind in "iuf"]
    along = _own(asked.settings)["along"]
    if along is None:
        along = L2 if L2 in numeric else next(iter(numeric), None)
    elif along not in numeric:
        raise InputError(f"uncertainty.along={along} is not allowed: choose an axis of numbers that is a designer's to "
                         f"choose and has several values ({', '.join(numeric) or 'this command has none'})")
    return competition(columns, given, chosen, along)
