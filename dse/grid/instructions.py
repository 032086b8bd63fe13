"""Nodes of the graph as LLVM instructions, one design at a time or LANES of them side by side.

Strict IEEE arithmetic: no flag that lets the compiler reorder or fuse, so that each result has the bits that Python
has. A function without an instruction (exp, pow, ...) calls the same C library that Python's `math` calls.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from dse.grid.graph import CARRY, CONSTANT, EXIT, INPUT, SELECT, Graph

LANES = 8
ARITHMETIC = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
COMPARED = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
INTRINSICS = {"sqrt": "sqrt", "abs": "fabs", "ceil": "ceil", "floor": "floor"}
CALLED = {"exp": 1, "expm1": 1, "log": 1, "log1p": 1, "log2": 1, "pow": 2}  # C functions and how much they take


def kind(truth: bool, vector: bool) -> str:
    """The LLVM type of a node."""
    scalar = "i1" if truth else "double"
    return f"<{LANES} x {scalar}>" if vector else scalar


def literal(value: float | bool, vector: bool) -> str:
    """A constant, exact to the bit."""
    if isinstance(value, bool):
        word, scalar = ("true" if value else "false"), "i1"
    else:
        word, scalar = f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}", "double"
    return f"<{', '.join([f'{scalar} {word}'] * LANES)}>" if vector else word


class Writer:
    """The text of one LLVM function while it grows: lines, names of what is worked out, labels."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.locals: list[str] = []  # stack slots, made at the function's start
        self.scalars: dict[int, str] = {}
        self.vectors: dict[int, str] = {}
        self._names = 0

    def name(self, stem: str = "t") -> str:
        """A name that is not taken."""
        self._names += 1
        return f"{stem}{self._names}"

    def line(self, instruction: str) -> None:
        """Append an instruction without result."""
        self.lines.append(f"  {instruction}")

    def put(self, instruction: str) -> str:
        """Append an instruction; the name of its result."""
        result = f"%{self.name()}"
        self.lines.append(f"  {result} = {instruction}")
        return result

    def start(self, label: str) -> None:
        """Fall through to a new block."""
        self.line(f"br label %{label}")
        self.lines.append(f"{label}:")

    def local(self, kind: str) -> str:
        """A stack slot."""
        result = f"%{self.name('local')}"
        self.locals.append(f"  {result} = alloca {kind}")
        return result

    def operand(self, node: int, vector: bool) -> str:
        """The value of a node that stands already; one for all lanes where it does not vary along them."""
        one = self.graph.nodes[node]
        if one.operation == CONSTANT:
            return literal(one.value, vector)
        if not vector:
            return self.scalars[node]
        if node not in self.vectors:
            truth = self.graph.is_truth(node)
            self.vectors[node] = self.splat(self.scalars[node], kind(truth, False))
        return self.vectors[node]

    def splat(self, scalar: str, scalar_kind: str) -> str:
        """`scalar` in every lane."""
        wide = f"<{LANES} x {scalar_kind}>"
        first = self.put(f"insertelement {wide} poison, {scalar_kind} {scalar}, i64 0")
        return self.put(f"shufflevector {wide} {first}, {wide} poison, <{LANES} x i32> zeroinitializer")

    def write(self, nodes: Iterable[int], vector: bool) -> None:
        """Work out `nodes`, in order; inputs and what they need stand already."""
        known = self.vectors if vector else self.scalars
        for node in nodes:
            operation = self.graph.nodes[node].operation
            if operation in (CONSTANT, INPUT, CARRY) or node in known:
                continue
            if operation == EXIT:
                self.loop(self.graph.nodes[node].loop, vector)
            else:
                known[node] = self.put(self.instruction(node, vector))

    def instruction(self, node: int, vector: bool) -> str:
        """The instruction of one operation."""
        graph = self.graph
        operation, operands = graph.nodes[node].operation, graph.nodes[node].operands
        words = [self.operand(one, vector) for one in operands]
        typed = [f"{kind(graph.is_truth(one), vector)} {word}" for one, word in zip(operands, words, strict=True)]
        number, truth = kind(False, vector), kind(True, vector)
        if operation in ARITHMETIC:
            return f"{ARITHMETIC[operation]} {typed[0]}, {words[1]}"
        if operation in COMPARED:
            return f"fcmp {COMPARED[operation]} {typed[0]}, {words[1]}"
        if operation == SELECT:
            return f"select {', '.join(typed)}"
        if operation == "neg":
            return f"fneg {typed[0]}"
        if operation == "not":
            return f"xor {typed[0]}, {literal(True, vector)}"
        if operation in ("and", "or"):
            return f"{operation} {truth} {words[0]}, {words[1]}"
        if operation in CALLED:
            form = "vector" if vector else "scalar"
            return f"call {number} @dse.{operation}.{form}({', '.join(typed)})"
        suffix = f"v{LANES}f64" if vector else "f64"
        called = f"call {number} @llvm.{INTRINSICS[operation]}.{suffix}({typed[0]})"
        if operation in ("ceil", "floor"):  # Python's are integers, which know no negative zero
            return f"fadd {number} {self.put(called)}, {literal(0.0, vector)}"
        return called

    def loop(self, number: int, vector: bool) -> None:
        """A while loop; lanes that are done keep what they have until all are."""
        graph, loop = self.graph, self.graph.loops[number]
        known, wide = (self.vectors if vector else self.scalars), kind(False, vector)
        inside = graph.inside(number)
        slots = [self.local(wide) for _ in loop.carries]
        for slot, first in zip(slots, loop.initial, strict=True):
            self.line(f"store {wide} {self.operand(first, vector)}, ptr {slot}")
        before = dict(known)
        head, done = self.name("turn"), self.name("done")
        self.start(head)
        for slot, carry in zip(slots, loop.carries, strict=True):
            known[carry] = self.put(f"load {wide}, ptr {slot}")
        self.write(inside, vector)
        on = f"{kind(True, vector)} {self.operand(loop.condition, vector)}"
        for slot, carry, following in zip(slots, loop.carries, loop.following, strict=True):
            turned = self.put(f"select {on}, {wide} {self.operand(following, vector)}, {wide} {known[carry]}")
            self.line(f"store {wide} {turned}, ptr {slot}")
        any_on = self.any_lane(on) if vector else on.split()[-1]
        self.line(f"br i1 {any_on}, label %{head}, label %{done}")
        self.lines.append(f"{done}:")
        known.clear()
        known.update(before)
        for node, one in enumerate(graph.nodes):
            if one.operation == EXIT and one.loop == number:
                known[node] = self.put(f"load {wide}, ptr {slots[one.place]}")

    def any_lane(self, typed_truth: str) -> str:
        """Whether any lane is true."""
        bits = self.put(f"bitcast {typed_truth} to i{LANES}")
        return self.put(f"icmp ne i{LANES} {bits}, 0")


def declarations() -> str:
    """What the instructions call: intrinsics, and C functions lane by lane."""
    integers, truths = f"<{LANES} x i64>", kind(True, True)
    lines = [
        "declare i64 @llvm.smin.i64(i64, i64)",
        f"declare i{LANES} @llvm.ctpop.i{LANES}(i{LANES})",
        f"declare {integers} @llvm.smin.v{LANES}i64({integers}, {integers})",
        f"declare {integers} @llvm.smax.v{LANES}i64({integers}, {integers})",
        f"declare {kind(False, True)} @llvm.masked.gather.v{LANES}f64.v{LANES}p0(<{LANES} x ptr>, i32, {truths}, "
        f"{kind(False, True)})",
        f"declare void @llvm.masked.compressstore.v{LANES}f64({kind(False, True)}, ptr, {truths})",
        f"declare void @llvm.masked.compressstore.v{LANES}i64({integers}, ptr, {truths})",
    ]
    for name in INTRINSICS.values():
        for suffix, vector in (("f64", False), (f"v{LANES}f64", True)):
            lines.append(f"declare {kind(False, vector)} @llvm.{name}.{suffix}({kind(False, vector)})")
    for name, count in CALLED.items():
        lines.extend(_called(name, count))
    return "\n".join(lines)


def _called(name: str, count: int) -> list[str]:
    wide, parameters = kind(False, True), ["a", "b"][:count]
    lines = [f"declare double @{name}({', '.join(['double'] * count)})",
             f"define internal double @dse.{name}.scalar({', '.join(f'double %{p}' for p in parameters)}) {{",
             f"  %r = call double @{name}({', '.join(f'double %{p}' for p in parameters)}) nobuiltin",
             "  ret double %r", "}",
             f"define internal {wide} @dse.{name}.vector({', '.join(f'{wide} %{p}' for p in parameters)}) noinline {{"]
    result = "poison"
    for lane in range(LANES):
        lines.extend(f"  %{p}{lane} = extractelement {wide} %{p}, i64 {lane}" for p in parameters)
        taken = ", ".join(f"double %{p}{lane}" for p in parameters)
        lines.append(f"  %c{lane} = call double @{name}({taken}) nobuiltin")
        lines.append(f"  %r{lane} = insertelement {wide} {result}, double %c{lane}, i64 {lane}")
        result = f"%r{lane}"
    return [*lines, f"  ret {wide} {result}", "}"]
