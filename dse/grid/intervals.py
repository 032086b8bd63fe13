"""The model on intervals: bounds of every design within a box, from the same graph.

Rounding to nearest never swaps two results: where x <= y, the rounded results of an operation that rises keep that
order. So the ends of an interval, worked out with the model's own arithmetic, enclose what the model gives for any
design inside, to the last bit. Only the C library's functions carry no such promise: theirs are widened by far more
than they are ever wrong. What is not a number in an end (0 times infinity) stays so, and then bounds nothing. Nor does
a range that ends at infinity: 0 times infinity may lie inside it and at neither end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dse.grid.graph import CARRY, CONSTANT, EXIT, INPUT, SELECT, Graph
from dse.grid.instructions import CALLED, INTRINSICS, LANES, Writer, kind, literal

WIDE, TRUTHS = kind(False, True), kind(True, True)
WIDENED = 2.0**-48  # of a C function's value, sixteen times its last digit
INFINITY, NAN = float("inf"), float("nan")
MOST_TURNS = 4096  # of a loop, after which it has no bounds: where they are wide it may not be known ever to end


class Ends(NamedTuple):
    """The LLVM names of an interval's ends; of a truth: surely, possibly."""

    low: str
    high: str


class IntervalWriter:
    """Works out nodes on intervals, LANES boxes side by side; what does not vary is a point."""

    def __init__(self, graph: Graph, writer: Writer, varying: int) -> None:
        self.graph, self.writer, self.varying = graph, writer, varying
        self.ends: dict[int, Ends] = {}
        self._signs: dict[int, bool] = {}

    def varies(self, node: int) -> bool:
        """Whether the node depends on a slot that varies, or on what a loop carries."""
        return bool(self.graph.depends[node] & self.varying) or self.graph.depends[node] >> 4096 != 0

    def of(self, node: int) -> Ends:
        """The interval of a node that stands already."""
        if node in self.ends:
            return self.ends[node]
        point = self.writer.operand(node, vector=True)
        return Ends(point, point)

    def never_negative(self, node: int) -> bool:
        """Whether the node cannot be negative, since no number of the flat row is."""
        if node not in self._signs:
            self._signs[node] = self._sign(node)
        return self._signs[node]

    def _sign(self, node: int) -> bool:
        one = self.graph.nodes[node]
        if one.operation == CONSTANT:
            return one.value >= 0.0
        if one.operation in (INPUT, "abs", "exp", "sqrt"):
            return True
        if one.operation in ("add", "mul", "div", "ceil", "floor", "pow"):
            return all(self.never_negative(operand) for operand in one.operands)
        if one.operation == SELECT:
            sides = [self.never_negative(operand) for operand in one.operands[1:]]
            return any(sides) if self.extreme(node) == "maximum" else all(sides)
        return False

    def extreme(self, node: int) -> str:
        """`minimum` or `maximum` where a select is one, else nothing."""
        condition, yes, no = self.graph.nodes[node].operands
        compared = self.graph.nodes[condition]
        if compared.operands == (yes, no) and compared.operation in ("lt", "le", "gt", "ge"):
            return "minimum" if compared.operation in ("lt", "le") else "maximum"
        return ""

    def write(self, nodes: Iterable[int]) -> None:
        """Work out `nodes`, in order; inputs stand already."""
        for node in nodes:
            operation = self.graph.nodes[node].operation
            if operation in (CONSTANT, INPUT, CARRY) or node in self.ends or not self.varies(node):
                continue
            if operation == EXIT:
                self.loop(self.graph.nodes[node].loop)
            else:
                self.ends[node] = self.interval(node)

    def interval(self, node: int) -> Ends:
        """The interval of one operation."""
        one = self.graph.nodes[node]
        given = [self.of(operand) for operand in one.operands]
        if one.operation in ("lt", "le", "gt", "ge", "eq", "ne"):
            return self.comparison(one.operation, given[0], given[1])
        match one.operation:
            case "add":
                return Ends(self.do("fadd", given[0].low, given[1].low), self.do("fadd", given[0].high, given[1].high))
            case "sub":
                return Ends(self.do("fsub", given[0].low, given[1].high), self.do("fsub", given[0].high, given[1].low))
            case "mul" | "div":
                return self.product(one.operation, one.operands, given)
            case "neg":
                return Ends(*(self.writer.put(f"fneg {WIDE} {end}") for end in reversed(given[0])))
            case "and" | "or":
                return Ends(*(self.writer.put(f"{one.operation} {TRUTHS} {first}, {second}")
                              for first, second in zip(*given, strict=True)))
            case "not":
                return self.opposite(given[0])
            case "select":
                return self.select(node, given)
            case "abs":
                negative = Ends(*(self.writer.put(f"fneg {WIDE} {end}") for end in reversed(given[0])))
                low = self.extreme_of("maximum", given[0].low, negative.low)
                return Ends(self.extreme_of("maximum", low, literal(0.0, True)),
                            self.extreme_of("maximum", given[0].high, negative.high))
            case "pow":
                corners = [self.called("pow", base, power) for base in given[0] for power in given[1]]
                return self.widened(self.hull(corners))
            case _ if one.operation in CALLED:
                return self.widened(Ends(*(self.called(one.operation, end) for end in given[0])))
            case _:
                return Ends(*(self.rising(one.operation, end) for end in given[0]))

    def do(self, instruction: str, first: str, second: str) -> str:
        """An instruction on two numbers."""
        return self.writer.put(f"{instruction} {WIDE} {first}, {second}")

    def extreme_of(self, name: str, first: str, second: str) -> str:
        """The smaller or larger; not a number where either is none."""
        return self.writer.put(f"call {WIDE} @llvm.{name}.v{LANES}f64({WIDE} {first}, {WIDE} {second})")

    def hull(self, values: Sequence[str]) -> Ends:
        """The interval that holds all of the values."""
        low = high = values[0]
        for value in values[1:]:
            low, high = self.extreme_of("minimum", low, value), self.extreme_of("maximum", high, value)
        return Ends(low, high)

    def called(self, name: str, *operands: str) -> str:
        """A C function, lane by lane."""
        return self.writer.put(f"call {WIDE} @dse.{name}.vector({', '.join(f'{WIDE} {one}' for one in operands)})")

    def widened(self, ends: Ends) -> Ends:
        """The ends moved out by what the C library may be wrong."""
        sizes = [self.writer.put(f"call {WIDE} @llvm.fabs.v{LANES}f64({WIDE} {end})") for end in ends]
        slack = [self.do("fmul", size, literal(WIDENED, True)) for size in sizes]
        return Ends(self.do("fsub", ends.low, slack[0]), self.do("fadd", ends.high, slack[1]))

    def rising(self, name: str, end: str) -> str:
        """An end under a function that rises."""
        value = self.writer.put(f"call {WIDE} @llvm.{INTRINSICS[name]}.v{LANES}f64({WIDE} {end})")
        return self.do("fadd", value, literal(0.0, True)) if name in ("ceil", "floor") else value

    def comparison(self, name: str, first: Ends, second: Ends) -> Ends:
        """Surely: for all pairs of the two intervals. Possibly: for some pair, or where an end is not a number.

        Where any end is not a number, a number inside may be none, and nothing is sure.
        """
        if name in ("gt", "ge"):
            first, second = second, first
        if name in ("eq", "ne"):
            same = Ends(self.both("oeq", first.low, second.high, "oeq", first.high, second.low),
                        self.both("ule", first.low, second.high, "ule", second.low, first.high))
            if name == "eq":
                return same
            return self.opposite(same)
        order = "lt" if name in ("lt", "gt") else "le"
        surely = (self.do(f"fcmp o{order}", first.high, second.low) if first.low == first.high else
                  self.both(f"o{order}", first.high, second.low, "ord", first.low, second.high))
        return Ends(surely, self.do(f"fcmp u{order}", first.low, second.high))

    def opposite(self, truth: Ends) -> Ends:
        """Not surely is possibly not, and the other way round."""
        return Ends(*(self.writer.put(f"xor {TRUTHS} {end}, {literal(True, True)}") for end in reversed(truth)))

    def both(self, sign: str, first: str, second: str, other_sign: str, third: str, fourth: str) -> str:
        """Whether two comparisons both hold."""
        one, two = self.do(f"fcmp {sign}", first, second), self.do(f"fcmp {other_sign}", third, fourth)
        return self.writer.put(f"and {TRUTHS} {one}, {two}")

    def product(self, operation: str, operands: Sequence[int], given: Sequence[Ends]) -> Ends:
        """A product or quotient: at the corners of its operands."""
        first, second = given
        signs = [self.never_negative(operand) for operand in operands]
        if operation == "mul":
            if all(signs):
                return Ends(self.do("fmul", first.low, second.low), self.do("fmul", first.high, second.high))
            pairs = {(one, two) for one in first for two in second}
            return self.hull([self.do("fmul", one, two) for one, two in sorted(pairs)])
        if all(signs):
            return Ends(self.do("fdiv", first.low, second.high), self.do("fdiv", first.high, second.low))
        found = self.hull([self.do("fdiv", one, two) for one, two in sorted({(x, y) for x in first for y in second})])
        if signs[1]:
            return found
        zero = self.both("ule", second.low, "zeroinitializer", "uge", second.high, "zeroinitializer")
        return Ends(*(self.writer.put(f"select {TRUTHS} {zero}, {WIDE} {literal(bound, True)}, {WIDE} {end}")
                      for bound, end in zip((-INFINITY, INFINITY), found, strict=True)))

    def select(self, node: int, given: Sequence[Ends]) -> Ends:
        """One side where the condition is sure, else both."""
        extreme = self.extreme(node)
        if extreme:
            return Ends(*(self.extreme_of(extreme, first, second) for first, second in zip(*given[1:], strict=True)))
        condition, yes, no = given
        truth = self.graph.is_truth(self.graph.nodes[node].operands[1])
        typed = TRUTHS if truth else WIDE
        ends = []
        for either, one, other in zip(("and", "or") if truth else ("minimum", "maximum"), yes, no, strict=True):
            both = (self.writer.put(f"{either} {TRUTHS} {one}, {other}") if truth else
                    self.extreme_of(either, one, other))
            unsure = self.writer.put(f"select {TRUTHS} {condition.high}, {typed} {both}, {typed} {other}")
            ends.append(self.writer.put(f"select {TRUTHS} {condition.low}, {typed} {one}, {typed} {unsure}"))
        return Ends(*ends)

    def loop(self, number: int) -> None:
        """A while loop: what it carries goes on while it may; whenever it may end, what it has joins what it leaves.

        What has not ended after MOST_TURNS is left without bounds.
        """
        graph, writer, loop = self.graph, self.writer, self.graph.loops[number]
        running = [Ends(writer.local(WIDE), writer.local(WIDE)) for _ in loop.carries]
        leaving = [Ends(writer.local(WIDE), writer.local(WIDE)) for _ in loop.carries]
        on, turns = writer.local(TRUTHS), writer.local("i64")
        writer.line(f"store {TRUTHS} {literal(True, True)}, ptr {on}")
        writer.line(f"store i64 0, ptr {turns}")
        for slots, left, first in zip(running, leaving, loop.initial, strict=True):
            for slot, end in zip((*slots, *left), (*self.of(first), literal(INFINITY, True), literal(-INFINITY, True)),
                                 strict=True):
                writer.line(f"store {WIDE} {end}, ptr {slot}")
        before, points = dict(self.ends), dict(writer.vectors)
        head, done = writer.name("turn"), writer.name("done")
        writer.start(head)
        for slots, carry in zip(running, loop.carries, strict=True):
            self.ends[carry] = Ends(*(writer.put(f"load {WIDE}, ptr {slot}") for slot in slots))
        self.write(graph.inside(number))
        active, going = writer.put(f"load {TRUTHS}, ptr {on}"), self.of(loop.condition)
        may_end = writer.put(f"and {TRUTHS} {active}, {writer.put(f'xor {TRUTHS} {going.low}, {literal(True, True)}')}")
        for slots, left, carry, following in zip(running, leaving, loop.carries, loop.following, strict=True):
            for slot, out, extreme, here, there in zip(slots, left, ("minimum", "maximum"), self.ends[carry],
                                                       self.of(following), strict=True):
                old = writer.put(f"load {WIDE}, ptr {out}")
                wider = self.extreme_of(extreme, old, here)
                writer.line(f"store {WIDE} {writer.put(f'select {TRUTHS} {may_end}, {WIDE} {wider}, {WIDE} {old}')}, "
                            f"ptr {out}")
                writer.line(f"store {WIDE} {there}, ptr {slot}")
        still = writer.put(f"and {TRUTHS} {active}, {going.high}")
        writer.line(f"store {TRUTHS} {still}, ptr {on}")
        turned = writer.put(f"add i64 {writer.put(f'load i64, ptr {turns}')}, 1")
        writer.line(f"store i64 {turned}, ptr {turns}")
        more = writer.put(f"icmp slt i64 {turned}, {MOST_TURNS}")
        going_on = writer.put(f"and i1 {writer.any_lane(f'{TRUTHS} {still}')}, {more}")
        writer.line(f"br i1 {going_on}, label %{head}, label %{done}")
        writer.lines.append(f"{done}:")
        self.ends, writer.vectors = before, points
        for node, one in enumerate(graph.nodes):
            if one.operation == EXIT and one.loop == number:
                ends = [writer.put(f"load {WIDE}, ptr {slot}") for slot in leaving[one.place]]
                self.ends[node] = Ends(*(self.unless(still, end) for end in ends))

    def unless(self, truth: str, end: str) -> str:
        """`end`, or not a number where `truth` holds."""
        return self.writer.put(f"select {TRUTHS} {truth}, {WIDE} {literal(NAN, True)}, {WIDE} {end}")

    def within(self, low: str, high: str) -> Ends:
        """The interval of an input, which has no bounds where it reaches from a number to infinity."""
        endless = self.both("oeq", high, literal(INFINITY, True), "olt", low, high)
        return Ends(self.unless(endless, low), self.unless(endless, high))
