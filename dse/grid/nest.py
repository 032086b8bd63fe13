"""A loop nest over a grid as one LLVM function: each number in the outermost loop that it allows.

The innermost level runs LANES designs side by side. What depends on it but not on all outer levels is worked out for
the whole innermost level in a loop of its own, as far out as it can stand, and kept in scratch rows. So a term that
depends on the innermost axis alone is computed once, however many outer loops there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dse.grid.graph import CONSTANT, INPUT, Graph
from dse.grid.instructions import LANES, Writer, declarations, kind
from dse.grid.sinks import Sink

ROW = 1024  # numbers of a scratch row: the longest innermost level under outer ones
FUNCTION = "run"


class Nest(NamedTuple):
    """The text of the function, and how many scratch rows of ROW numbers it needs.

    Arguments, all pointers: base row; columns, one pointer a varying slot, by level and then in the order given;
    lengths, one a level, the innermost at least LANES; scratch; the sink's arguments.
    """

    text: str
    scratch_rows: int


class _Builder:
    """Where each node goes, and the text so far. Level 0 is before all loops, `depth` the last outer loop."""

    def __init__(self, graph: Graph, sink: Sink, levels: Sequence[Sequence[int]]) -> None:
        self.graph, self.sink, roots = graph, sink, sink.roots
        self.slots = [slot for level in levels for slot in level]
        self.depth = len(levels) - 1
        self.masks = [sum(1 << slot for slot in level) for level in levels]
        self.nodes = [one for one in graph.live(roots) if graph.nodes[one].operation != CONSTANT]
        self.writer = Writer(graph)
        self.rows: dict[int, int] = {}
        self.columns = {slot: f"%column{place}" for place, slot in enumerate(self.slots)}

    def is_inner(self, node: int) -> bool:
        return bool(self.graph.depends[node] & self.masks[-1])

    def level(self, node: int) -> int:
        """The outermost level at which the node's outer operands are known."""
        depends = self.graph.depends[node]
        return max((place + 1 for place, mask in enumerate(self.masks[:-1]) if depends & mask), default=0)

    def is_input(self, node: int) -> bool:
        return self.graph.nodes[node].operation == INPUT

    def text(self) -> str:
        writer = self.writer
        for place in range(len(self.slots)):
            at = writer.put(f"getelementptr ptr, ptr %columns, i64 {place}")
            writer.line(f"%column{place} = load ptr, ptr {at}")
        for place in range(self.depth + 1):
            at = writer.put(f"getelementptr i64, ptr %lengths, i64 {place}")
            writer.line(f"%length{place} = load i64, ptr {at}")
        writer.line(f"%last = sub i64 %length{self.depth}, {LANES}")
        self.index = ""
        self.sink.begin(writer)
        self.outer(0)
        self.sink.end(writer)
        writer.line("ret void")
        arguments = "ptr noalias %base, ptr noalias %columns, ptr noalias %lengths, ptr noalias %scratch, ptr %sink"
        return "\n".join([declarations(), f"define void @{FUNCTION}({arguments}) {{", "entry:", *writer.locals,
                          "  br label %begin", "begin:", *writer.lines, "}"])

    def outer(self, level: int) -> None:
        """All that happens at one level: its numbers, its rows, then the next level or the innermost."""
        writer = self.writer
        scalars = [one for one in self.nodes if not self.is_inner(one) and self.level(one) == level]
        for one in scalars:
            if self.is_input(one):
                writer.scalars[one] = self.scalar_input(self.graph.nodes[one].place)
        writer.write(scalars, vector=False)
        rows = self.kept(level) if level < self.depth else []
        if rows:
            self.inner_loop(level, rows)
        if level == self.depth:
            self.inner_loop(level, [])
            return
        slot = writer.local("i64")
        writer.line(f"store i64 0, ptr {slot}")
        head, done = writer.name("level"), writer.name("end")
        writer.start(head)
        self.index = writer.put(f"load i64, ptr {slot}")
        index = self.index
        self.sink.enter(writer, level, index)
        self.outer(level + 1)
        following = writer.put(f"add i64 {index}, 1")
        writer.line(f"store i64 {following}, ptr {slot}")
        more = writer.put(f"icmp slt i64 {following}, %length{level}")
        writer.line(f"br i1 {more}, label %{head}, label %{done}")
        writer.lines.append(f"{done}:")

    def kept(self, level: int) -> list[int]:
        """Nodes of the innermost axis that can be worked out at `level` and are needed further in."""
        here = {one for one in self.nodes if self.is_inner(one) and self.level(one) == level and not self.is_input(one)}
        used = {operand for one in self.nodes if self.is_inner(one) and self.level(one) > level
                for operand in self.graph.nodes[one].operands}
        return sorted(here & (used | set(self.sink.roots)))

    def scalar_input(self, slot: int) -> str:
        writer = self.writer
        where = f"{self.columns[slot]}, i64 {self.index}" if slot in self.columns else f"%base, i64 {slot}"
        at = writer.put(f"getelementptr double, ptr {where}")
        return writer.put(f"load double, ptr {at}")

    def inner_loop(self, level: int, rows: list[int]) -> None:
        """Along the innermost axis: keep `rows` in scratch, or, without any, hand the roots on."""
        writer = self.writer
        slot = writer.local("i64")
        writer.line(f"store i64 0, ptr {slot}")
        head, done = writer.name("lanes"), writer.name("end")
        writer.start(head)
        at = writer.put(f"load i64, ptr {slot}")
        start = writer.put(f"call i64 @llvm.smin.i64(i64 {at}, i64 %last)")
        writer.vectors = {}
        needed = rows or list(self.sink.roots)
        self.write_inner(level, needed, start)
        for one in rows:
            self.keep(one, start)
        if not rows:
            self.sink.take(writer, at, start)
        following = writer.put(f"add i64 {at}, {LANES}")
        writer.line(f"store i64 {following}, ptr {slot}")
        more = writer.put(f"icmp slt i64 {following}, %length{self.depth}")
        writer.line(f"br i1 {more}, label %{head}, label %{done}")
        writer.lines.append(f"{done}:")
        if not rows:
            self.sink.leave(writer)

    def write_inner(self, level: int, needed: list[int], start: str) -> None:
        """Work out `needed` in the lanes from `start`; rows of outer levels and columns are read."""
        found, stack, wanted = set(), list(needed), []
        while stack:
            one = stack.pop()
            if one in found or not self.is_inner(one):
                continue
            found.add(one)
            if one in self.rows:
                self.writer.vectors[one] = self.kept_lanes(one, start)
            elif self.is_input(one):
                self.writer.vectors[one] = self.lanes(self.columns[self.graph.nodes[one].place], start)
            else:
                wanted.append(one)
                stack.extend(self.graph.nodes[one].operands)
        self.writer.write(sorted(wanted), vector=True)

    def lanes(self, pointer: str, start: str) -> str:
        at = self.writer.put(f"getelementptr double, ptr {pointer}, i64 {start}")
        return self.writer.put(f"load {kind(False, True)}, ptr {at}, align 8")

    def row(self, node: int, start: str) -> str:
        at = self.writer.put(f"getelementptr double, ptr %scratch, i64 {self.rows[node] * ROW}")
        return self.writer.put(f"getelementptr double, ptr {at}, i64 {start}")

    def kept_lanes(self, node: int, start: str) -> str:
        value = self.writer.put(f"load {kind(False, True)}, ptr {self.row(node, start)}, align 8")
        if self.graph.is_truth(node):
            return self.writer.put(f"fcmp une {kind(False, True)} {value}, zeroinitializer")
        return value

    def keep(self, node: int, start: str) -> None:
        wide, value = kind(False, True), self.writer.operand(node, vector=True)
        if self.graph.is_truth(node):
            value = self.writer.put(f"uitofp {kind(True, True)} {value} to {wide}")
        self.rows[node] = len(self.rows)
        self.writer.line(f"store {wide} {value}, ptr {self.row(node, start)}, align 8")


def nest(graph: Graph, sink: Sink, levels: Sequence[Sequence[int]]) -> Nest:
    """The loop nest that hands all designs of `levels` to `sink`: slots that vary together, outermost first."""
    builder = _Builder(graph, sink, levels)
    return Nest(builder.text(), len(builder.rows))
