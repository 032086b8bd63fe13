"""The model as a graph of numbers: each operation once, with what it depends on."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

CONSTANT, INPUT, CARRY, EXIT, SELECT = "constant", "input", "carry", "exit", "select"
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
LOGIC = ("and", "or", "not")
FOLDED: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "abs": abs,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "and": lambda first, second: first and second,
    "or": lambda first, second: first or second,
    "not": operator.not_,
    "sqrt": math.sqrt,
    "ceil": lambda value: float(math.ceil(value)),
    "floor": lambda value: float(math.floor(value)),
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "log2": math.log2,
    "pow": math.pow,
}


class Node(NamedTuple):
    """One operation on earlier nodes. `value` is a constant's number; `place` an input's slot, or a carry's or exit's
    place in its `loop`; `function` the function of the model that asked for it first."""

    operation: str
    operands: tuple[int, ...]
    value: float | bool
    place: int
    loop: int
    function: str


class Loop(NamedTuple):
    """A while loop: what it carries, with which values it starts and goes on, and how long. All are nodes."""

    carries: tuple[int, ...]
    initial: tuple[int, ...]
    condition: int
    following: tuple[int, ...]


class Graph:
    """Nodes in an order in which each comes after its operands. Equal operations on equal operands are one node.

    Constants are folded by the same Python operations that would work them out in the plain model, so that no bit
    changes. A select works out both of its sides.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.loops: list[Loop] = []
        self.depends: list[int] = []  # bit s: on input s; a loop's own carries have bits above all inputs
        self.function = ""
        self._places: dict[tuple[Any, ...], int] = {}

    def constant(self, value: float | bool) -> int:
        """The node of a number or a truth."""
        value = value if isinstance(value, bool) else float(value)
        name = value if isinstance(value, bool) else value.hex()
        return self._add((CONSTANT, name), Node(CONSTANT, (), value, 0, 0, ""), 0)

    def input(self, slot: int) -> int:
        """The node of the number in `slot`."""
        return self._add((INPUT, slot), Node(INPUT, (), 0.0, slot, 0, ""), 1 << slot)

    def operation(self, name: str, *operands: int) -> int:
        """The node of an operation; a constant where all its operands are."""
        if name == SELECT and operands[1] == operands[2]:
            return operands[1]
        if name == SELECT and self.is_constant(operands[0]):
            return operands[1] if self.nodes[operands[0]].value else operands[2]
        if all(self.is_constant(one) for one in operands):
            try:
                return self.constant(FOLDED[name](*(self.nodes[one].value for one in operands)))
            except (ArithmeticError, ValueError):
                pass
        return self._add((name, *operands), Node(name, operands, 0.0, 0, 0, self.function), self._union(operands))

    def carry(self, loop: int, place: int) -> int:
        """The node of the number that `loop` carries in `place`, before it is known how the loop goes on."""
        return self._add((CARRY, loop, place), Node(CARRY, (), 0.0, place, loop, ""), loop_bit(loop))

    def exits(self, loop: Loop) -> tuple[int, ...]:
        """The nodes of what the loop, the latest one, leaves behind. Their operands are all that it needs."""
        number = len(self.loops)
        self.loops.append(loop)
        free = [one for inside in self.inside(number) for one in self.nodes[inside].operands
                if not self.depends[one] & loop_bit(number)]
        needed = tuple(sorted({*loop.initial, *free,
                               *(one for one in loop.following if not self.depends[one] & loop_bit(number))}))
        union = self._union(needed) & ~loop_bit(number)
        return tuple(self._add((EXIT, number, place), Node(EXIT, needed, 0.0, place, number, self.function), union)
                     for place in range(len(loop.carries)))

    def inside(self, loop: int) -> list[int]:
        """The nodes that are worked out anew in each turn of the loop, in order."""
        seen: set[int] = set()
        stack = [self.loops[loop].condition, *self.loops[loop].following]
        while stack:
            one = stack.pop()
            if one not in seen and self.depends[one] & loop_bit(loop):
                seen.add(one)
                stack.extend(self.nodes[one].operands)
        return sorted(seen)

    def live(self, roots: Iterable[int]) -> list[int]:
        """The nodes that `roots` need, in order, without those inside loops."""
        seen: set[int] = set()
        stack = list(roots)
        while stack:
            one = stack.pop()
            if one not in seen:
                seen.add(one)
                stack.extend(self.nodes[one].operands)
        return sorted(seen)

    def is_constant(self, node: int) -> bool:
        """Whether the node is a constant."""
        return self.nodes[node].operation == CONSTANT

    def is_truth(self, node: int) -> bool:
        """Whether the node is true or false rather than a number."""
        one = self.nodes[node]
        return one.operation in COMPARISONS + LOGIC or isinstance(one.value, bool)

    def _union(self, operands: Iterable[int]) -> int:
        union = 0
        for one in operands:
            union |= self.depends[one]
        return union

    def _add(self, key: tuple[Any, ...], node: Node, depends: int) -> int:
        place = self._places.setdefault(key, len(self.nodes))
        if place == len(self.nodes):
            self.nodes.append(node)
            self.depends.append(depends)
        return place


def loop_bit(loop: int) -> int:
    """The bit of `Graph.depends` that marks what a loop works out anew in each turn."""
    return 1 << (4096 + loop)
