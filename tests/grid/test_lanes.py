"""The self-test of throughput: a change that stops the compiled loop from running in all lanes is noticed and named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import dse
from dse.grid.binary import assembly
from dse.grid.compiled import model_graph
from dse.grid.graph import INPUT, Graph
from dse.grid.lanes import body_of, calls, lane_by_lane, out_of_lanes
from dse.grid.nest import FUNCTION, nest
from dse.grid.reader import leaves, result
from dse.grid.sinks import Store

Found = Mapping[str, Mapping[str, int]]
KNOWN = {  # what may leave the lanes: a place more, or another function, is a design that takes longer
    "dse.cost.die_yield.defects_that_count": {"log": 3},
    "dse.cost.die_yield.enough_share": {"pow": 3, "while": 3},  # cores, slices of L2 and HBM sites
    "dse.cost.die_yield.share_without_defect": {"exp": 6, "expm1": 6, "log1p": 6},  # and three kinds of whole dies
    "dse.cost.package.assembly_loss_usd": {"pow": 1},
    "dse.latency.experts.copies_per_token": {"pow": 1},  # these two are compiled only for models that have experts
    "dse.latency.experts.touched_share": {"pow": 2},
}
SCRIPT = """
import json, dse
from dse.grid.compiled import model_graph
from dse.grid.lanes import out_of_lanes
from dse.grid.reader import leaves
graph, found = model_graph()
print(json.dumps([dse.__file__, out_of_lanes(graph, leaves(found))]))
"""


def changed(found: Found) -> list[str]:
    """In words, what is not as KNOWN has it."""
    places = {(function, operation) for table in (found, KNOWN) for function in table for operation in table[function]}
    counts = [(*place, *(table.get(place[0], {}).get(place[1], 0) for table in (KNOWN, found)))
              for place in sorted(places)]
    return [f"{function} has {now} {operation} instead of {before}"
            for function, operation, before, now in counts if now != before]


def test_only_yields_and_experts_leave_the_lanes() -> None:
    """Whatever is said here costs each design as much as tens of other operations."""
    graph, found = model_graph()
    assert changed(out_of_lanes(graph, leaves(found))) == []


def test_the_compiled_batch_calls_nothing_else() -> None:
    """Each place that is named is one call, of all lanes, in a batch's machine code; and there is no other call."""
    graph, found = model_graph()
    roots = leaves(found)
    slots = sorted(graph.nodes[node].place for node in graph.live(roots) if graph.nodes[node].operation == INPUT)
    code = assembly(nest(graph, Store(roots), [slots]).text)
    named = sum(count for counts in KNOWN.values() for operation, count in counts.items() if operation != "while")
    assert calls(body_of(code, FUNCTION)) == named == 28


class Change(NamedTuple):
    """An edit of the model's or the compiler's source: the file, what is there, and what comes in its place."""

    file: str
    before: str
    after: str


LOOP = (Change("latency/roofline.py", "    return max(l2_s, max(compute_s, hbm_s) + unhidden", """
    turned = unhidden
    while turned > 1.0:
        turned = halved(turned)
    return max(l2_s, max(compute_s, hbm_s) + turned"""),
        Change("latency/roofline.py", "def overlapped_s", """def halved(number: float) -> float:
    return number * 0.5


def overlapped_s"""))
SECOND_LOOP = (Change("cost/die_yield.py", "    return share_without_defect(area_mm2 * process.defects_per_mm2", """
    turn = 0.0
    rest = area_mm2
    while turn < 200.0:
        rest = math.exp(-rest)
        turn = turn + 1.0
    return share_without_defect(area_mm2 * process.defects_per_mm2 + rest"""),)
SINE = (Change("grid/reader.py", "    abs: \"abs\",", "    abs: \"abs\", math.sin: \"sin\","),
        Change("grid/instructions.py", "\"floor\": \"floor\"}", "\"floor\": \"floor\", \"sin\": \"sin\"}"),
        Change("latency/roofline.py", "from typing", "import math\nfrom typing"),
        Change("latency/roofline.py", "return operator.unhidden_bytes", "return math.sin(operator.unhidden_bytes)"))


@pytest.mark.parametrize(("changes", "function", "operations"), [
    (LOOP, "dse.latency.roofline.overlapped_s", {"while"}),
    (SECOND_LOOP, "dse.cost.die_yield.perfect_share", {"exp", "while"}),
    (SINE, "dse.latency.roofline.unhidden_share", {"sin"})])
def test_a_change_that_leaves_the_lanes_is_named(changes: tuple[Change, ...], function: str, operations: set[str],
                                                 tmp_path: Path) -> None:
    """A loop with calls in it, another one where loops are known, an instruction that the compiler must split."""
    package = tmp_path / "dse"
    shutil.copytree(Path(dse.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, before, after in changes:
        text = (package / file).read_text(encoding="utf-8")
        assert before in text
        (package / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    run = subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONPATH": str(tmp_path)})
    loaded, found = json.loads(run.stdout)
    assert loaded == str(package / "__init__.py")
    said = changed(found)
    assert {line.split()[0] for line in said} == {function}
    assert {line.split()[3] for line in said} == operations
    assert all(line.endswith(" instead of 0") for line in said)


def stepwise(count: float) -> float:
    """A loop without a call inside."""
    total = 0.0
    while total * total < count:
        total = total + 1.0 / (1.0 + abs(total))
    return total


def test_a_loop_is_counted_once_whatever_it_leaves() -> None:
    graph = Graph()
    root = result(graph, stepwise, (graph.input(0),))
    assert out_of_lanes(graph, [root]) == {f"{stepwise.__module__}.stepwise": {"while": 1}}


def test_what_leaves_the_lanes_is_seen_in_machine_code() -> None:
    vector, called = ("add", (False, False)), ("exp", (False,))
    assert lane_by_lane([vector, ("select", (True, False, False)), ("not", (True,)), ("ceil", (False,))]) == set()
    assert lane_by_lane([vector, called]) == {called}


def test_a_function_that_is_not_in_the_code() -> None:
    with pytest.raises(ValueError, match="the assembly has no function gone"):
        body_of("run:\n\tret\n", "gone")
