"""Draws that known chips rule out: what is sold can be made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dse.objective import Metrics
from dse.uncertainty.ensemble import Ensemble, Member

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
MADE = ("reticle", "shoreline")  # violations that forbid a chip whatever it is used for


class Existing:
    """Chips that exist, with the constants of theirs that are among the unknowns of the draws; all others at base."""

    def __init__(self, chips: Sequence[Member], unknowns: Sequence[str], shape: str) -> None:
        names = set(unknowns)
        self._chips = Ensemble([chip._replace(intervals=tuple(one for one in chip.intervals if one.unknown in names))
                                for chip in chips], shape)
        self._rows = [list(unknowns).index(name) for name in self._chips.unknowns]

    def possible(self, points: Floats) -> Flags:
        """In which of the draws every one of the chips can be made: no die above the reticle, room for its HBM.

        `points` are those of the unknowns that were given: (unknowns, points).
        """
        own = points[self._rows]
        everyone = np.arange(self._chips.size)
        found = np.empty(points.shape[1], dtype=bool)
        for run in self._chips.point_blocks(self._chips.size, points.shape[1]):
            metrics = self._chips.metrics(everyone, own[:, run])
            forbidden = [metrics[Metrics._fields.index(name)] > 0.0 for name in MADE]
            found[run] = ~np.logical_or.reduce(forbidden).any(axis=0)
        return found
