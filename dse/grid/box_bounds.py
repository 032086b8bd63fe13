"""Bounds of many boxes as one LLVM function: the model on intervals, LANES boxes side by side."""

from __future__ import annotations

from collections.abc import Sequence

from dse.grid.graph import INPUT, Graph
from dse.grid.instructions import LANES, Writer, declarations
from dse.grid.intervals import WIDE, IntervalWriter
from dse.grid.nest import FUNCTION, Nest
from dse.grid.sinks import argument


def bounds(graph: Graph, roots: Sequence[int], slots: Sequence[int]) -> Nest:
    """A function that bounds `roots` within boxes in which `slots` vary.

    Arguments as a loop nest's: base row; columns, the low and the high end of each slot; the number of boxes, at least
    LANES; nothing; and out and stride: the low and the high end of root k of box i are at (2 k) * stride + i and
    (2 k + 1) * stride + i.
    """
    writer = Writer(graph)
    inside = IntervalWriter(graph, writer, sum(1 << slot for slot in slots))
    nodes = graph.live(roots)
    for node in nodes:
        if graph.nodes[node].operation == INPUT and not inside.varies(node):
            at = writer.put(f"getelementptr double, ptr %base, i64 {graph.nodes[node].place}")
            writer.scalars[node] = writer.put(f"load double, ptr {at}")
    writer.write([node for node in nodes if not inside.varies(node)], vector=False)
    count, out, stride = writer.put("load i64, ptr %lengths"), argument(writer, 0, "ptr"), argument(writer, 1)
    columns = [writer.put(f"load ptr, ptr {writer.put(f'getelementptr ptr, ptr %columns, i64 {place}')}")
               for place in range(2 * len(slots))]
    place = writer.local("i64")
    writer.line(f"store i64 0, ptr {place}")
    writer.start("boxes")
    at = writer.put(f"load i64, ptr {place}")
    start = writer.put(f"call i64 @llvm.smin.i64(i64 {at}, i64 {writer.put(f'sub i64 {count}, {LANES}')})")
    for node in nodes:
        if graph.nodes[node].operation == INPUT and inside.varies(node):
            pair = columns[2 * list(slots).index(graph.nodes[node].place):][:2]
            starts = [writer.put(f"getelementptr double, ptr {column}, i64 {start}") for column in pair]
            inside.ends[node] = inside.within(*(writer.put(f"load {WIDE}, ptr {one}, align 8") for one in starts))
    inside.write(nodes)
    for number, end in enumerate(end for root in roots for end in inside.of(root)):
        offset = writer.put(f"add i64 {writer.put(f'mul i64 {stride}, {number}')}, {start}")
        writer.line(f"store {WIDE} {end}, ptr {writer.put(f'getelementptr double, ptr {out}, i64 {offset}')}, align 8")
    following = writer.put(f"add i64 {at}, {LANES}")
    writer.line(f"store i64 {following}, ptr {place}")
    writer.line(f"br i1 {writer.put(f'icmp slt i64 {following}, {count}')}, label %boxes, label %finished")
    writer.lines.append("finished:")
    writer.line("ret void")
    arguments = "ptr noalias %base, ptr noalias %columns, ptr noalias %lengths, ptr noalias %scratch, ptr %sink"
    extremes = [f"declare {WIDE} @llvm.{name}.v{LANES}f64({WIDE}, {WIDE})" for name in ("minimum", "maximum")]
    return Nest("\n".join([declarations(), *extremes, f"define void @{FUNCTION}({arguments}) {{", "entry:",
                           *writer.locals, "  br label %begin", "begin:", *writer.lines, "}"]), 0)
