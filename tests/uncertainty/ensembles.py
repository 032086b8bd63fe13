"""Small ensembles of the shipped designs for the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from dse.case import case, row, slots
from dse.cli.hydra_run import composed
from dse.grid.grid import Axis, Grid
from dse.grid.table import Part
from dse.technique.terms import OFF
from dse.uncertainty.competition import Competition, competition
from dse.uncertainty.ensemble import Ensemble, Member
from dse.uncertainty.intervals import GROUPS, intervals

L2 = "hardware.l2_mib"
L2_MIB = (8.0, 16.0, 32.0, 64.0)


@cache
def configuration() -> Mapping[str, Any]:
    return composed(["experiment=preserve_l2"])


def small_ensemble(of: Sequence[str] = GROUPS, l2_mib: Sequence[float] = L2_MIB, shape: str = "triangular",
                   config: Mapping[str, Any] | None = None) -> Ensemble:
    """The sizes of L2 without and with PRESERVE, in this order."""
    config = config or configuration()
    chosen, slot = case(config), slots(config)[L2]
    axes = (Axis(slot.index, tuple(slot.si(size) for size in l2_mib)),)
    drawn = intervals(config, of)
    off = chosen._replace(setting=chosen.setting._replace(technique=OFF))
    return Ensemble([Member(Part({"technique": name}, {L2: l2_mib}, Grid(row(one), axes)), drawn)
                     for name, one in (("none", off), ("preserve", chosen))], shape)


def small_competition(l2_mib: Sequence[float] = L2_MIB) -> Competition:
    """Both techniques' designs of `small_ensemble`, by L2."""
    columns = {L2: np.array([*l2_mib, *l2_mib]), "technique": np.repeat(["none", "preserve"], len(l2_mib))}
    return competition(columns, (), (L2,), L2)
