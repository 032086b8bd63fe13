"""What a loop nest does with the designs that it has worked out: store all, or keep those that may be in the front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dse.grid.instructions import LANES, Writer, kind

WIDE, TRUTHS, INTEGERS = kind(False, True), kind(True, True), f"<{LANES} x i64>"
SIGN_CLEARED = 2**63 - 1


class Sink(Protocol):
    """The end of a nest. Its arguments are the 64-bit words at `%sink`."""

    roots: Sequence[int]

    def begin(self, writer: Writer) -> None:
        """Before all loops: read the arguments."""

    def enter(self, writer: Writer, level: int, index: str) -> None:
        """At the start of each turn of an outer loop."""

    def take(self, writer: Writer, at: str, start: str) -> None:
        """The roots stand for the lanes from `start`; those below `at` were taken before."""

    def leave(self, writer: Writer) -> None:
        """After each run along the innermost level."""

    def end(self, writer: Writer) -> None:
        """After all loops."""


def argument(writer: Writer, place: int, kind: str = "i64") -> str:
    """The word at `place` of the sink's arguments."""
    at = writer.put(f"getelementptr i64, ptr %sink, i64 {place}")
    return writer.put(f"load {kind}, ptr {at}")


class Store:
    """Number k of the i-th design goes to out[k * stride + i]; arguments: out, stride, and how far a run moves on."""

    def __init__(self, roots: Sequence[int]) -> None:
        self.roots = roots

    def begin(self, writer: Writer) -> None:
        """Read the arguments."""
        self.out, self.stride, self.advance = argument(writer, 0, "ptr"), argument(writer, 1), argument(writer, 2)
        self.position = writer.local("i64")
        writer.line(f"store i64 0, ptr {self.position}")

    def enter(self, writer: Writer, level: int, index: str) -> None:
        """Designs are stored in the order in which they come."""

    def take(self, writer: Writer, at: str, start: str) -> None:
        """Use the roots of the lanes from `start`."""
        place = writer.put(f"add i64 {writer.put(f'load i64, ptr {self.position}')}, {start}")
        for number, root in enumerate(self.roots):
            offset = writer.put(f"add i64 {writer.put(f'mul i64 {self.stride}, {number}')}, {place}")
            to = writer.put(f"getelementptr double, ptr {self.out}, i64 {offset}")
            writer.line(f"store {WIDE} {writer.operand(root, vector=True)}, ptr {to}, align 8")

    def leave(self, writer: Writer) -> None:
        """Move on by a run."""
        moved = writer.put(f"add i64 {writer.put(f'load i64, ptr {self.position}')}, {self.advance}")
        writer.line(f"store i64 {moved}, ptr {self.position}")

    def end(self, writer: Writer) -> None:
        """All is in place."""


class Keep:
    """Keeps the feasible designs that a table of known ones does not rule out.

    The table has a cell for each bucket of all objectives but the last: the least last objective of a known design in
    lower buckets of all the others, NaN where there is none. A design with that or more in its last objective is worse
    than a known one. Buckets are of the order-preserving integers of the numbers, so no rounding can misplace one.

    Arguments: count of kept (out), count of feasible (out), table, positions (out), then one array a root but the last
    (out), then one array of positions a level, then origin, limit, shift and buckets for each objective but the last.
    Roots: the objectives, to be minimised, and last whether the design is feasible (above 0).
    """

    def __init__(self, roots: Sequence[int], levels: int) -> None:
        self.roots, self.levels = roots, levels
        self.objectives = len(roots) - 1

    def begin(self, writer: Writer) -> None:
        """Read the arguments."""
        self.table, self.positions = argument(writer, 2, "ptr"), argument(writer, 3, "ptr")
        place = 4
        self.kept = [argument(writer, place + number, "ptr") for number in range(self.objectives)]
        place += self.objectives
        self.places = [argument(writer, place + number, "ptr") for number in range(self.levels)]
        place += self.levels
        self.scales = [[writer.splat(argument(writer, place + 4 * number + word), "i64") for word in range(4)]
                       for number in range(self.objectives - 1)]
        self.count, self.feasible = writer.local("i64"), writer.local("i64")
        for counter in (self.count, self.feasible):
            writer.line(f"store i64 0, ptr {counter}")
        self.before = ["0"]
        numbers = ", ".join(f"i64 {lane}" for lane in range(LANES))
        self.lane_numbers = f"<{numbers}>"

    def enter(self, writer: Writer, level: int, index: str) -> None:
        """Add this level's part to the position."""
        at = writer.put(f"getelementptr i64, ptr {self.places[level]}, i64 {index}")
        here = writer.put(f"load i64, ptr {at}")
        self.before = [*self.before[:level + 1], writer.put(f"add i64 {self.before[level]}, {here}")]

    def take(self, writer: Writer, at: str, start: str) -> None:
        """Use the roots of the lanes from `start`."""
        *objectives, feasible = (writer.operand(root, vector=True) for root in self.roots)
        skipped = writer.splat(writer.put(f"sub i64 {at}, {start}"), "i64")
        new = writer.put(f"icmp sge {INTEGERS} {self.lane_numbers}, {skipped}")
        possible = writer.put(f"fcmp ogt {WIDE} {feasible}, zeroinitializer")
        mask = writer.put(f"and {TRUTHS} {new}, {possible}")
        for value in objectives:
            ordered = writer.put(f"fcmp ord {WIDE} {value}, zeroinitializer")
            mask = writer.put(f"and {TRUTHS} {mask}, {ordered}")
        self.add(writer, self.feasible, mask)
        known = self.known(writer, objectives[:-1])
        better = writer.put(f"fcmp ult {WIDE} {objectives[-1]}, {known}")
        mask = writer.put(f"and {TRUTHS} {mask}, {better}")
        some, none = writer.name("some"), writer.name("none")
        writer.line(f"br i1 {writer.any_lane(f'{TRUTHS} {mask}')}, label %{some}, label %{none}")
        writer.lines.append(f"{some}:")
        self.write(writer, objectives, start, mask)
        writer.start(none)

    def known(self, writer: Writer, objectives: Sequence[str]) -> str:
        """What the table holds for the lanes' buckets."""
        cell = "zeroinitializer"
        for value, (origin, limit, shift, buckets) in zip(objectives, self.scales, strict=True):
            bits = writer.put(f"bitcast {WIDE} {writer.put(f'fadd {WIDE} {value}, zeroinitializer')} to {INTEGERS}")
            cleared = ", ".join([f"i64 {SIGN_CLEARED}"] * LANES)
            negative = writer.put(f"ashr {INTEGERS} {bits}, <{', '.join(['i64 63'] * LANES)}>")
            flip = writer.put(f"and {INTEGERS} {negative}, <{cleared}>")
            key = writer.put(f"xor {INTEGERS} {bits}, {flip}")
            for bound, name in ((origin, "smax"), (limit, "smin")):
                key = writer.put(f"call {INTEGERS} @llvm.{name}.v{LANES}i64({INTEGERS} {key}, {INTEGERS} {bound})")
            bucket = writer.put(f"lshr {INTEGERS} {writer.put(f'sub {INTEGERS} {key}, {origin}')}, {shift}")
            row = writer.put(f"mul {INTEGERS} {cell}, {buckets}")
            cell = writer.put(f"add {INTEGERS} {row}, {bucket}")
        at = writer.put(f"getelementptr double, ptr {self.table}, {INTEGERS} {cell}")
        every = ", ".join(["i1 true"] * LANES)
        return writer.put(f"call {WIDE} @llvm.masked.gather.v{LANES}f64.v{LANES}p0(<{LANES} x ptr> {at}, i32 8, "
                          f"{TRUTHS} <{every}>, {WIDE} zeroinitializer)")

    def write(self, writer: Writer, objectives: Sequence[str], start: str, mask: str) -> None:
        """Write the lanes of the mask to the arrays."""
        count = writer.put(f"load i64, ptr {self.count}")
        for value, array in zip(objectives, self.kept, strict=True):
            to = writer.put(f"getelementptr double, ptr {array}, i64 {count}")
            writer.line(f"call void @llvm.masked.compressstore.v{LANES}f64({WIDE} {value}, ptr {to}, {TRUTHS} {mask})")
        inner = writer.put(f"getelementptr i64, ptr {self.places[-1]}, i64 {start}")
        along = writer.put(f"load {INTEGERS}, ptr {inner}, align 8")
        position = writer.put(f"add {INTEGERS} {along}, {writer.splat(self.before[-1], 'i64')}")
        to = writer.put(f"getelementptr i64, ptr {self.positions}, i64 {count}")
        store = f"@llvm.masked.compressstore.v{LANES}i64"
        writer.line(f"call void {store}({INTEGERS} {position}, ptr {to}, {TRUTHS} {mask})")
        self.add(writer, self.count, mask)

    def add(self, writer: Writer, counter: str, mask: str) -> None:
        """Count the lanes of a mask."""
        bits = writer.put(f"bitcast {TRUTHS} {mask} to i{LANES}")
        lanes = writer.put(f"zext i{LANES} {writer.put(f'call i{LANES} @llvm.ctpop.i{LANES}(i{LANES} {bits})')} to i64")
        total = writer.put(f"add i64 {writer.put(f'load i64, ptr {counter}')}, {lanes}")
        writer.line(f"store i64 {total}, ptr {counter}")

    def leave(self, writer: Writer) -> None:
        """Positions come from the levels."""

    def end(self, writer: Writer) -> None:
        """Hand the counts back."""
        for place, counter in enumerate((self.count, self.feasible)):
            value = writer.put(f"load i64, ptr {counter}")
            at = writer.put(f"getelementptr i64, ptr %sink, i64 {place}")
            writer.line(f"store i64 {value}, ptr {at}")
