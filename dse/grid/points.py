"""Given points through the compiled filter of the streamed fronts."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from dse.grid.binary import Code, code
from dse.grid.front import Front, table
from dse.grid.graph import Graph
from dse.grid.instructions import LANES
from dse.grid.nest import Nest, nest
from dse.grid.pareto import FEWEST_COMPILED, compiled_mask, front_places
from dse.grid.sinks import Keep

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
BLOCK = 2**16  # points looked at together
SAMPLE = 2**13  # points whose own front gives the first table
MOST_KEPT = 0.5  # share of the first block that is left, above which the filter is given up


@cache
def _filter(objectives: int) -> Code:
    """The compiled loop over columns of objectives and one of feasibility."""
    def made() -> Nest:
        graph = Graph()
        slots = tuple(range(objectives + 1))
        return nest(graph, Keep([graph.input(slot) for slot in slots], 1), [slots])

    return code(f"points {objectives}", made)


def possible_places(points: Numbers, feasible: npt.NDArray[np.bool_] | None) -> Places | None:
    """Places of the feasible points without NaN that a front of some of them does not rule out, in order.

    None where most are left, so that the rest of the work is better done without.
    """
    objectives, count = points.shape
    step = count // SAMPLE
    sample = points[:, ::step]
    allowed = ~np.isnan(sample).any(axis=0)
    if feasible is not None:
        allowed &= feasible[::step]
    front = _front(sample[:, allowed])
    if len(front.places) > MOST_KEPT * sample.shape[1]:  # as many of the others are likely to be left
        return None
    rows = [*(np.ascontiguousarray(row) for row in points),
            np.ones(BLOCK + LANES) if feasible is None else feasible.astype(float)]
    known = table(front)
    kept = np.empty(count + LANES, dtype=np.int64)
    room = np.empty((objectives, BLOCK + 2 * LANES))
    numbers = np.arange(BLOCK + LANES)
    found = 0
    for low in range(0, count, BLOCK):
        high = count if count - low < BLOCK + LANES else low + BLOCK
        starts = [row.ctypes.data + (0 if row is rows[-1] and feasible is None else 8 * low) for row in rows]
        arrays = [known.cells.ctypes.data, kept.ctypes.data + 8 * found, *(row.ctypes.data for row in room)]
        sink = np.array([0, 0, *arrays, numbers.ctypes.data, *known.scales.ravel().view(np.uint64)], dtype=np.uint64)
        columns, lengths = np.array(starts, dtype=np.uint64), np.array([high - low])
        _filter(objectives).run(None, columns.ctypes.data, lengths.ctypes.data, None, sink.ctypes.data)
        new = int(sink[0])
        kept[found:found + new] += low
        found += new
        if found > MOST_KEPT * high:
            return None
        if high == count:
            break
    return kept[:found]


def _front(points: Numbers) -> Front:
    places = np.flatnonzero(compiled_mask(points)) if len(points) in FEWEST_COMPILED else front_places(points)
    return Front(places, points[:, places])
