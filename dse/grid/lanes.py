"""What of the model cannot run in all lanes at once, by the function of the model that asks for it.

An operation is one vector instruction or a few, but for a loop, which turns until its slowest lane is done, and for
what the compiler can only do lane by lane: a function of the C library, or an instruction that the machine has not.
Each such place costs as much as tens of others. Which operations these are is not listed but seen in machine code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from dse.grid.binary import assembly
from dse.grid.graph import CARRY, CONSTANT, EXIT, INPUT, Graph
from dse.grid.instructions import LANES, Writer, declarations, kind

Kind = tuple[str, tuple[bool, ...]]  # an operation, and which of its operands are truths
GIVEN = (CONSTANT, INPUT, CARRY, EXIT)
FORMS = ("scalar", "vector")
INSTRUCTION = re.compile(r"^\s+(?!\.)\w.*$", re.MULTILINE)  # of assembly: neither a label nor a directive
END = re.compile(r"^\s*(?:\.size|\.globl|\.cfi_endproc|\.?Lfunc_end)", re.MULTILINE)  # of a function
CALL = re.compile(r"^\s+(callq?|blr?|jalr?)\s", re.MULTILINE)  # on x86, ARM and RISC-V


def out_of_lanes(graph: Graph, roots: Sequence[int]) -> dict[str, dict[str, int]]:
    """For each function with such operations, how many of which it has; `while` is a loop."""
    nodes, loops = set(graph.live(roots)), dict[int, str]()
    for one in [graph.nodes[node] for node in sorted(nodes)]:
        if one.operation == EXIT and one.loop not in loops:
            loops[one.loop] = one.function
            nodes.update(graph.inside(one.loop))
    kinds = {node: kind_of(graph, node) for node in nodes if graph.nodes[node].operation not in GIVEN}
    slow = lane_by_lane(sorted(set(kinds.values())))
    asked = Counter((graph.nodes[node].function, one[0]) for node, one in kinds.items() if one in slow)
    asked.update((function, "while") for function in loops.values())
    return {function: {operation: asked[owner, operation] for owner, operation in sorted(asked) if owner == function}
            for function in sorted({function for function, _ in asked})}


def kind_of(graph: Graph, node: int) -> Kind:
    """What decides into which instructions the node is compiled."""
    one = graph.nodes[node]
    return one.operation, tuple(graph.is_truth(operand) for operand in one.operands)


def lane_by_lane(kinds: Sequence[Kind]) -> set[Kind]:
    """The operations that call another function, or take as many instructions as LANES single numbers."""
    names = [(one, form, f"lanes.{place}.{form}") for place, one in enumerate(kinds) for form in FORMS]
    code = assembly("\n".join([declarations(), *(_alone(one, form == "vector", name) for one, form, name in names)]))
    bodies = {(one, form): body_of(code, name) for one, form, name in names}
    return {one for one in kinds if calls(bodies[one, "vector"])
            or instructions(bodies[one, "vector"]) >= LANES * (instructions(bodies[one, "scalar"]) - 1)}


def body_of(code: str, function: str) -> str:
    """The text of one function of an assembly. ValueError where it has none."""
    start = re.search(rf"^_?{re.escape(function)}:", code, re.MULTILINE)
    if not start:
        raise ValueError(f"the assembly has no function {function}")
    return END.split(code[start.end():], maxsplit=1)[0]


def calls(body: str) -> int:
    """Calls in the assembly of a function."""
    return len(CALL.findall(body))


def instructions(body: str) -> int:
    """Instructions in the assembly of a function."""
    return len(INSTRUCTION.findall(body))


def _alone(wanted: Kind, vector: bool, name: str) -> str:
    """A function of one operation on numbers in memory; a truth stands there as 0 or 1."""
    graph, (operation, truths) = Graph(), wanted
    given = [graph.input(slot) for slot in range(len(truths))]
    operands = [graph.operation("ne", one, graph.constant(0.0)) if truth else one
                for one, truth in zip(given, truths, strict=True)]
    node, writer, typed = graph.operation(operation, *operands), Writer(graph), kind(False, vector)
    for slot, one in enumerate(given):
        (writer.vectors if vector else writer.scalars)[one] = writer.put(f"load {typed}, ptr %from{slot}, align 8")
    writer.write(graph.live([node]), vector)
    value = writer.operand(node, vector)
    if graph.is_truth(node):
        value = writer.put(f"uitofp {kind(True, vector)} {value} to {typed}")
    writer.line(f"store {typed} {value}, ptr %to, align 8")
    pointers = ", ".join(f"ptr noalias %{one}" for one in (*(f"from{slot}" for slot in range(len(given))), "to"))
    return "\n".join([f"define void @{name}({pointers}) {{", *writer.locals, *writer.lines, "  ret void", "}"])
