"""In which order a grid's axes are nested: the one with the least arithmetic.

A term is worked out once for each turn of the loops down to the deepest that it depends on. So the axes that the
costly terms depend on belong outside and long axes of cheap terms inside; the innermost runs LANES designs at once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence

from dse.grid import cache as kept
from dse.grid.graph import CONSTANT, EXIT, INPUT, Graph
from dse.grid.instructions import CALLED, LANES
from dse.grid.nest import ROW

CYCLES = {"div": 4.0, "sqrt": 5.0, EXIT: 60.0, INPUT: 0.5, CONSTANT: 0.0, **dict.fromkeys(CALLED, 30.0)}
VECTOR_CYCLES = {"div": 8.0, "sqrt": 10.0, EXIT: 150.0, INPUT: 0.5, CONSTANT: 0.0, **dict.fromkeys(CALLED, 200.0)}
MOST_ORDERED = 8  # axes beyond these, the shortest, stand outside in their own order

Order = tuple[tuple[int, ...], ...]  # axes of each loop, outermost first; the innermost may hold several


def kept_order(key: str, made: Callable[[], Order]) -> Order:
    """The order of `key`, from disk where it was found before: without reading the equations, a third of a second."""
    name = f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.order"
    content = kept.read(name)
    if content is None:
        content = json.dumps(made()).encode()
        kept.write(name, content)
    return tuple(tuple(loop) for loop in json.loads(content))


def best_order(graph: Graph, roots: Sequence[int], slots: Sequence[int], lengths: Sequence[int]) -> Order:
    """The order of the axes on `slots` with the least work; all of them in one loop where they are fewer than LANES."""
    axes = range(len(slots))
    if math.prod(lengths) <= ROW:
        return (tuple(axes),)
    ordered = sorted(axes, key=lambda axis: lengths[axis])
    fixed, free = ordered[:-MOST_ORDERED], ordered[-MOST_ORDERED:]
    weights = _weights(graph, roots, slots)
    candidates = [inner for count in (1, 2, 3) for inner in itertools.combinations(free, count)
                  if math.prod(lengths[axis] for axis in inner) >= LANES and _fits(inner, lengths)]
    found = min((_nested(inner, [axis for axis in free if axis not in inner], fixed, lengths, weights)
                 for inner in candidates or [tuple(free)]), key=lambda one: one[0])
    return (*((axis,) for axis in fixed), *found[1])


def _fits(inner: Sequence[int], lengths: Sequence[int]) -> bool:
    return len(inner) == 1 or math.prod(lengths[axis] for axis in inner) <= ROW


def _weights(graph: Graph, roots: Sequence[int], slots: Sequence[int]) -> dict[frozenset[int], tuple[float, float]]:
    """Cycles of the nodes by the set of axes that they depend on: of one design, and of LANES at once."""
    weights: dict[frozenset[int], tuple[float, float]] = {}
    for node in graph.live(roots):
        on = frozenset(axis for axis, slot in enumerate(slots) if graph.depends[node] >> slot & 1)
        one, many = weights.get(on, (0.0, 0.0))
        operation = graph.nodes[node].operation
        weights[on] = (one + CYCLES.get(operation, 1.0), many + VECTOR_CYCLES.get(operation, 1.0))
    return weights


def _nested(inner: tuple[int, ...], outer: Sequence[int], fixed: Sequence[int], lengths: Sequence[int],
            weights: Mapping[frozenset[int], tuple[float, float]]) -> tuple[float, Order]:
    """The least cycles with `inner` innermost, and the order that has them: dynamic programming over subsets."""
    runs = math.ceil(math.prod(lengths[axis] for axis in inner) / LANES)
    terms = [(on - set(inner), many * runs if on & set(inner) else one) for on, (one, many) in weights.items()]
    before = math.prod(lengths[axis] for axis in fixed)
    best: dict[frozenset[int], tuple[float, Order]] = {frozenset(): (0.0, ())}
    for count in range(1, len(outer) + 1):
        for chosen in itertools.combinations(outer, count):
            inside = frozenset(chosen)
            turns = before * math.prod(lengths[axis] for axis in chosen)
            best[inside] = min(
                (best[inside - {last}][0] + turns * sum(cycles for on, cycles in terms
                                                        if last in on and on - set(fixed) <= inside),
                 (*best[inside - {last}][1], (last,)))
                for last in chosen)
    cycles, order = best[frozenset(outer)]
    return cycles, (*order, inner)
