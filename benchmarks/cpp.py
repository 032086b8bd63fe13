"""The model's equations as C++: each function and record of the Python source, one for one, by their names.

A reference to measure against, made from the same source so that there is no second set of equations to keep in step.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import sys
from types import FunctionType
from typing import Any, get_type_hints

SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">",
         ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.And: "&&", ast.Or: "||"}
HEAD = """#include <cmath>
static inline double smaller(double a, double b) { return b < a ? b : a; }
static inline double larger(double a, double b) { return b > a ? b : a; }
static inline double whole_up(double a) { return std::ceil(a) + 0.0; }
static inline double whole_down(double a) { return std::floor(a) + 0.0; }
"""
CALLED = {"ceil": "whole_up", "floor": "whole_down", "min": "smaller", "max": "larger", "float": "double",
          "abs": "std::fabs"}
INLINE = "static inline __attribute__((always_inline))"


class Translation:
    """Records and functions met so far, each after what it uses."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}

    def source(self) -> str:
        return HEAD + "\n".join(self.parts.values())

    def record(self, kind: Any) -> str:
        """The C++ name of a record's type, which is added."""
        if kind in (float, bool):
            return {float: "double", bool: "bool"}[kind]
        name = f"{kind.__module__}.{kind.__name__}".replace(".", "_")
        if name not in self.parts:
            fields = [f"{self.record(of)} {field}_;" for field, of in get_type_hints(kind).items()]
            self.parts[name] = f"struct {name} {{ {' '.join(fields)} }};"
        return name

    def function(self, function: Any) -> str:
        """The C++ name of a function, which is added with all that it calls."""
        name = f"{function.__module__}.{function.__name__}".replace(".", "_")
        if name not in self.parts:
            tree = ast.parse(inspect.getsource(sys.modules[function.__module__]))
            (definition,) = [node for node in tree.body
                             if isinstance(node, ast.FunctionDef) and node.name == function.__name__]
            hints = get_type_hints(function)
            kinds = {argument.arg: hints[argument.arg] for argument in definition.args.args}
            taken = ", ".join(f"const {self.record(kind)}& {argument}_" for argument, kind in kinds.items())
            body = _Body(self, function, set(kinds)).block(definition.body)
            self.parts[name] = f"{INLINE} {self.record(hints['return'])} {name}({taken}) {{\n{body}\n}}"
        return name


class _Body:
    def __init__(self, translation: Translation, function: Any, known: set[str]) -> None:
        self.translation, self.function, self.known = translation, function, known

    def block(self, statements: list[ast.stmt]) -> str:
        return "\n".join(line for statement in statements for line in self.lines(statement))

    def lines(self, statement: ast.stmt) -> list[str]:
        match statement:
            case ast.Expr():
                return []
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(
                    target=ast.Name(id=name), value=ast.expr() as value):
                word = self.expression(value)
                declared = "" if name in self.known else "auto "
                self.known.add(name)
                return [f"{declared}{name}_ = {word};"]
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                return [line for name, value in zip(names, values, strict=True)
                        for line in self.lines(ast.Assign(targets=[name], value=value))]
            case ast.Return(value=ast.expr() as value):
                return [f"return {self.expression(value)};"]
            case ast.If(test=test, body=body, orelse=other):
                stored = {part.id for part in ast.walk(statement)
                          if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)} - self.known
                self.known |= stored
                head = [f"double {name}_ = 0.0;" for name in sorted(stored)]
                return [*head, f"if ({self.expression(test)}) {{ {self.block(body)} }} else {{ {self.block(other)} }}"]
            case ast.While(test=test, body=body):
                return [f"while ({self.expression(test)}) {{ {self.block(body)} }}"]
        raise TypeError(f"{self.function.__name__}: {type(statement).__name__} has no translation")

    def expression(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=value):
                return number(value)
            case ast.Name(id=name) if name in self.known:
                return f"{name}_"
            case ast.Name(id=name):
                return number(self.function.__globals__[name])
            case ast.Attribute(value=ast.Name(id="math"), attr=name):
                return number(getattr(math, name))
            case ast.Attribute(value=value, attr=name):
                return f"{self.expression(value)}.{name}_"
            case ast.BinOp(left=left, op=sign, right=right):
                return f"({self.expression(left)} {SIGNS[type(sign)]} {self.expression(right)})"
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                return f"({self.expression(left)} {SIGNS[type(sign)]} {self.expression(right)})"
            case ast.BoolOp(op=sign, values=values):
                return "(" + f" {SIGNS[type(sign)]} ".join(map(self.expression, values)) + ")"
            case ast.UnaryOp(op=sign, operand=operand):
                return f"({'!' if isinstance(sign, ast.Not) else '-'}{self.expression(operand)})"
            case ast.IfExp(test=test, body=body, orelse=other):
                return f"({self.expression(test)} ? {self.expression(body)} : {self.expression(other)})"
            case ast.Call(func=called, args=arguments):
                return self.call(called, [self.expression(argument) for argument in arguments])
        raise TypeError(f"{self.function.__name__}: {type(node).__name__} has no translation")

    def call(self, called: ast.expr, words: list[str]) -> str:
        if isinstance(called, ast.Attribute):
            return f"{CALLED.get(called.attr, f'std::{called.attr}')}({', '.join(words)})"
        assert isinstance(called, ast.Name)
        thing = self.function.__globals__.get(called.id, getattr(builtins, called.id, None))
        if thing in (min, max):
            nested = words[0]
            for word in words[1:]:
                nested = f"{CALLED[called.id]}({nested}, {word})"
            return nested
        if isinstance(thing, FunctionType):
            return f"{self.translation.function(thing)}({', '.join(words)})"
        if hasattr(thing, "_fields"):
            return f"{self.translation.record(thing)}{{{', '.join(words)}}}"
        return f"{CALLED[called.id]}({', '.join(words)})"


def number(value: float) -> str:
    """A number of Python as one of C++, exact."""
    if math.isinf(value):
        return "INFINITY" if value > 0.0 else "(-INFINITY)"
    return float(value).hex()
