"""Reads the source of the model's functions into a graph: what Python would work out for one design, for any design.

The functions keep to a small part of Python: assignments, conditional expressions, `if` and `while` over assignments,
arithmetic, comparisons, `min`, `max`, a few functions of `math`, records, and other functions like them. Everything
else is refused with the name of the function, so that nothing is ever compiled to something else than it says.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType
from typing import Any, NoReturn, get_type_hints

from dse.grid.graph import SELECT, Graph, Loop

Value = Any  # a node, or a record or tuple of values
ARITHMETIC = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
COMPARED = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
NAMED: dict[Any, str] = {
    abs: "abs", math.fabs: "abs", math.sqrt: "sqrt", math.ceil: "ceil", math.floor: "floor", math.exp: "exp",
    math.expm1: "expm1", math.log: "log", math.log1p: "log1p", math.log2: "log2", math.pow: "pow",
}


def record_inputs(graph: Graph, record: type[Any], known: Mapping[int, float], first_slot: int = 0) -> Any:
    """`record` with an input for each of its numbers, or a constant where `known` has its slot.

    Slots are in order from `first_slot`.
    """
    parts: list[Any] = []
    slot = first_slot
    for kind in get_type_hints(record).values():
        if kind is float:
            part: Any = graph.constant(known[slot]) if slot in known else graph.input(slot)
        else:
            part = record_inputs(graph, kind, known, slot)
        slot += len(leaves(part))
        parts.append(part)
    return record(*parts)


def leaves(value: Value) -> list[int]:
    """The nodes of a value, in order."""
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


@cache
def _definitions(module: str) -> Mapping[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def result(graph: Graph, function: Callable[..., Any], arguments: tuple[Value, ...]) -> Value:
    """What `function` returns for `arguments`, added to the graph. TypeError where its source cannot be read so."""
    return _Frame(graph, function, arguments).returned()


class _Frame:
    """One call of one function: its names and what they stand for."""

    def __init__(self, graph: Graph, function: Any, arguments: tuple[Value, ...]) -> None:
        self.graph = graph
        self.function = function
        self.name = f"{function.__module__}.{function.__name__}"
        self.definition = _definitions(function.__module__)[function.__name__]
        parameters = [argument.arg for argument in self.definition.args.args]
        if len(parameters) != len(arguments):
            self.refuse("calls with default or keyword arguments", self.definition)
        self.names: dict[str, Value] = dict(zip(parameters, arguments, strict=True))

    def returned(self) -> Value:
        *body, last = self.definition.body
        if not isinstance(last, ast.Return) or last.value is None:
            self.refuse("a function that does not end with its one return", last)
        self.run(body)
        return self.expression(last.value)

    def refuse(self, what: str, node: ast.AST) -> NoReturn:
        place = f"{self.name}, line {getattr(node, 'lineno', 0)}"
        raise TypeError(f"{place}: {what} cannot be compiled")

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Expr(value=ast.Constant(value=str())):
                    pass
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.expression(value))
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self.assign(target, self.expression(value))
                case ast.If():
                    self.branch(statement)
                case ast.While(orelse=[]):
                    self.loop(statement)
                case _:
                    self.refuse(type(statement).__name__, statement)

    def assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = value
            case ast.Tuple(elts=parts) if isinstance(value, tuple) and len(parts) == len(value):
                for part, one in zip(parts, value, strict=True):
                    self.assign(part, one)
            case _:
                self.refuse("this assignment", target)

    def branch(self, statement: ast.If) -> None:
        condition, before = self.truth(statement.test), self.names
        sides = []
        for body in (statement.body, statement.orelse):
            self.names = dict(before)
            self.run(body)
            sides.append(self.names)
        both = sides[0].keys() & sides[1].keys()  # a name that only one side sets is unset afterwards
        self.names = {name: self.select(condition, sides[0][name], sides[1][name]) for name in sorted(both)}

    def loop(self, statement: ast.While) -> None:
        """The loop's own names stay inside; names that it changes are numbers carried from turn to turn."""
        graph, before, number = self.graph, dict(self.names), len(self.graph.loops)
        changed = sorted({part.id for part in ast.walk(statement) if isinstance(part, ast.Name)
                          and isinstance(part.ctx, ast.Store)} & before.keys())
        if any(isinstance(before[name], tuple) for name in changed):
            self.refuse("a loop that changes a record", statement)
        carries = tuple(graph.carry(number, place) for place in range(len(changed)))
        self.names = before | dict(zip(changed, carries, strict=True))
        condition = self.truth(statement.test)
        self.run(statement.body)
        if len(graph.loops) != number:
            self.refuse("a loop within a loop", statement)
        following = tuple(self.names[name] for name in changed)
        graph.function = self.name  # not that of the last call in the body
        left = graph.exits(Loop(carries, tuple(before[name] for name in changed), condition, following))
        self.names = before | dict(zip(changed, left, strict=True))

    def truth(self, expression: ast.expr) -> int:
        value: int = self.expression(expression)
        return value if self.graph.is_truth(value) else self.node("ne", value, self.graph.constant(0.0))

    def node(self, name: str, *operands: int) -> int:
        """The node of an operation that this function asks for, whatever other functions it called before."""
        self.graph.function = self.name
        return self.graph.operation(name, *operands)

    def select(self, condition: int, yes: Value, no: Value) -> Value:
        if isinstance(yes, tuple):
            parts = [self.select(condition, one, other) for one, other in zip(yes, no, strict=True)]
            return type(yes)(*parts) if hasattr(yes, "_fields") else tuple(parts)
        return self.node(SELECT, condition, yes, no)

    def expression(self, node: ast.expr) -> Value:
        graph = self.graph
        match node:
            case ast.Constant(value=bool() | int() | float() as number):
                return graph.constant(number)
            case ast.Name(id=name) if name in self.names:
                return self.names[name]
            case ast.Name() | ast.Attribute(value=ast.Name(id="math")):
                number = self.thing(node)
                return graph.constant(number) if isinstance(number, float) else self.refuse("this name", node)
            case ast.Attribute(value=value, attr=field):
                return getattr(self.expression(value), field)
            case ast.Tuple(elts=parts):
                return tuple(self.expression(part) for part in parts)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in ARITHMETIC:
                return self.operation(ARITHMETIC[type(sign)], left, right)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.operation("neg", operand)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.node("not", self.truth(operand))
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in COMPARED:
                return self.operation(COMPARED[type(sign)], left, right)
            case ast.BoolOp(op=sign, values=parts):
                return self.logic("and" if isinstance(sign, ast.And) else "or", parts)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.select(self.truth(test), self.expression(body), self.expression(other))
            case ast.Call(func=called, args=arguments, keywords=[]):
                return self.call(node, self.thing(called), [self.expression(argument) for argument in arguments])
        return self.refuse(type(node).__name__, node)

    def thing(self, node: ast.expr) -> Any:
        """What a global name, or a name of a module, stands for in Python."""
        match node:
            case ast.Name(id=name):
                return self.function.__globals__.get(name, getattr(builtins, name, None))
            case ast.Attribute(value=ast.Name(id="math"), attr=name):
                return getattr(math, name)
        return self.refuse("this name", node)

    def operation(self, name: str, *operands: ast.expr) -> int:
        return self.node(name, *(self.expression(operand) for operand in operands))

    def logic(self, name: str, parts: list[ast.expr]) -> int:
        first, *rest = [self.truth(part) for part in parts]
        for part in rest:
            first = self.node(name, first, part)
        return first

    def call(self, node: ast.Call, called: Any, arguments: list[Value]) -> Value:
        if called in (min, max) and len(arguments) > 1:  # the first of equal ones, as Python has it
            best = arguments[0]
            for one in arguments[1:]:
                best = self.node(SELECT, self.node("lt" if called is min else "gt", one, best), one, best)
            return best
        if called is float and len(arguments) == 1:
            return arguments[0]
        if called is math.isinf:
            return self.node("eq", self.node("abs", arguments[0]), self.graph.constant(math.inf))
        if called in NAMED:
            return self.node(NAMED[called], *arguments)
        if isinstance(called, type) and hasattr(called, "_fields"):
            return called(*arguments)
        if isinstance(called, FunctionType) and called.__module__.split(".")[0] == "dse":
            return result(self.graph, called, tuple(arguments))
        return self.refuse(f"a call of {getattr(called, '__name__', called)}", node)
