"""What of the model cannot run in all lanes at once, by the function of the model that asks for it.

Every operation of the graph is one vector instruction but two: a function of the C library is called lane by lane, and
a loop turns until its slowest lane is done. Each such place costs as much as tens of others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from dse.grid.graph import EXIT, Graph
from dse.grid.instructions import CALLED


def out_of_lanes(graph: Graph, roots: Sequence[int]) -> dict[str, list[str]]:
    """For each function with such operations, which: names of C functions, and `while` for a loop."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in graph.live(roots):
        one = graph.nodes[node]
        if one.operation == EXIT:
            found[one.function].add("while")
            inside = [graph.nodes[other] for other in graph.inside(one.loop)]
            for other in inside:
                if other.operation in CALLED:
                    found[other.function].add(other.operation)
        elif one.operation in CALLED:
            found[one.function].add(one.operation)
    return {function: sorted(operations) for function, operations in sorted(found.items())}
