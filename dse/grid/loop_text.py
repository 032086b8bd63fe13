"""The text of an LLVM function that stands for a loop over arrays, while it grows."""

from __future__ import annotations

import ast
import inspect
from typing import Any, NamedTuple, NoReturn

from dse.grid.arrays import INTEGER, INTEGERS, KINDS, NUMBER, NUMBERS, TRUTH, TRUTHS
from dse.grid.instructions import COMPARED as NUMBERS_COMPARED
from dse.grid.instructions import LANES
from dse.grid.reader import COMPARED

BITS = 64  # of an integer
WIDE = {INTEGER: INTEGERS, NUMBER: NUMBERS}
LOGIC = {ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor"}
INTEGER_SIGNS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.LShift: "shl", ast.RShift: "ashr", **LOGIC}
NUMBER_SIGNS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul"}
SIGNS: dict[str, dict[Any, str]] = {INTEGER: INTEGER_SIGNS, INTEGERS: INTEGER_SIGNS, NUMBER: NUMBER_SIGNS,
                                    NUMBERS: NUMBER_SIGNS, TRUTH: LOGIC, TRUTHS: LOGIC}


class Word(NamedTuple):
    """What stands for a value in the text: its type, which ends in a star for an array, and its name."""

    kind: str
    name: str


def full_name(function: Any) -> str:
    """The name of a function in the text."""
    return f"{function.__module__}.{function.__name__}"


def signature(function: Any) -> tuple[list[str], str]:
    """The types of the arguments of a function and of what it returns. TypeError where one has no place in a loop."""
    known = inspect.signature(function)
    named = [*(one.annotation for one in known.parameters.values()), known.return_annotation]
    for one in named:
        if one not in KINDS:
            raise TypeError(f"{full_name(function)}: {one} cannot be compiled, only {', '.join(KINDS)}")
    *takes, returns = (KINDS[one] for one in named)
    return takes, returns


class Text:
    """Lines, and the stack slots of names, which LLVM turns into registers."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.lines: list[str] = []
        self.slots: list[str] = []
        self._made = 0

    def refuse(self, what: str, node: ast.AST) -> NoReturn:
        """Say what stands in the way, and where."""
        raise TypeError(f"{full_name(self.function)}, line {getattr(node, 'lineno', 0)}: {what} cannot be compiled")

    def expect(self, word: Word, kind: str, node: ast.AST) -> str:
        """The name of a value of this type."""
        if word.kind != kind:
            self.refuse(f"{word.kind} in the place of {kind}", node)
        return word.name

    def line(self, instruction: str) -> None:
        """Append an instruction without result."""
        self.lines.append(f"  {instruction}")

    def put(self, kind: str, instruction: str) -> Word:
        """Append an instruction; its result."""
        self._made += 1
        self.line(f"%t.{self._made} = {instruction}")
        return Word(kind, f"%t.{self._made}")

    def slot(self, kind: str, name: str) -> Word:
        """A place on the stack."""
        self.slots.append(f"  %{name} = alloca {kind}")
        return Word(kind, f"%{name}")

    def labels(self, *stems: str) -> list[str]:
        """Names that are not taken, and that no argument can have."""
        self._made += 1
        return [f"{stem}.{self._made}" for stem in stems]

    def go(self, label: str) -> None:
        """End a block."""
        self.line(f"br label %{label}")

    def fork(self, truth: str, yes: str, no: str) -> None:
        """End a block in one of two ways, of which the first begins here."""
        self.line(f"br i1 {truth}, label %{yes}, label %{no}")
        self.start(yes)

    def start(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")

    def alike(self, left: Word, right: Word) -> tuple[Word, Word]:
        """Two values; a single one beside lanes stands for as many."""
        if right.kind == WIDE.get(left.kind):
            return self.spread(left), right
        return left, self.spread(right) if left.kind == WIDE.get(right.kind) else right

    def spread(self, one: Word) -> Word:
        """Lanes with the same value."""
        wide = WIDE[one.kind]
        first = self.put(wide, f"insertelement {wide} poison, {one.kind} {one.name}, i64 0")
        return self.put(wide, f"shufflevector {wide} {first.name}, {wide} poison, <{LANES} x i32> zeroinitializer")

    def operation(self, node: ast.AST, sign: ast.operator, left: Word, right: Word) -> Word:
        """Arithmetic, shifts and what is done bit by bit."""
        if isinstance(sign, ast.LShift | ast.RShift) and right.name.lstrip("-").isdigit() and not (
                0 <= int(right.name) < BITS):
            self.refuse(f"a shift by {right.name}", node)
        left, right = self.alike(left, right)
        name = SIGNS.get(left.kind, {}).get(type(sign))
        if name is None:
            self.refuse(f"{type(sign).__name__} of {left.kind}", node)
        return self.put(left.kind, f"{name} {left.kind} {left.name}, {self.expect(right, left.kind, node)}")

    def compared(self, node: ast.AST, sign: ast.cmpop, left: Word, right: Word) -> Word:
        """One truth, or one a lane."""
        left, right = self.alike(left, right)
        name, other = COMPARED[type(sign)], self.expect(right, left.kind, node)
        truth = TRUTHS if left.kind in WIDE.values() else TRUTH
        if left.kind in (NUMBER, NUMBERS):
            return self.put(truth, f"fcmp {NUMBERS_COMPARED[name]} {left.kind} {left.name}, {other}")
        if left.kind not in (INTEGER, INTEGERS):
            self.refuse(f"a comparison of {left.kind}", node)
        return self.put(truth, f"icmp {name if name in ('eq', 'ne') else f's{name}'} {left.kind} {left.name}, {other}")

    def select(self, node: ast.AST, truth: str, yes: Word, no: Word) -> Word:
        """One of two values, which both stand already."""
        other = self.expect(no, yes.kind, node)
        return self.put(yes.kind, f"select i1 {truth}, {yes.kind} {yes.name}, {yes.kind} {other}")
