"""Reads the source of a loop over arrays into the text of an LLVM function; `dse.grid.loops` says what it may hold."""

from __future__ import annotations

import ast
import builtins
import inspect
from types import FunctionType
from typing import Any

from dse.grid.arrays import INTEGER, KNOWN, NOTHING, NUMBER, TRUTH, argument
from dse.grid.instructions import literal
from dse.grid.loop_text import Text, Word, full_name, signature
from dse.grid.reader import COMPARED

CONVERTED: dict[tuple[type, str], tuple[str, str]] = {
    (int, NUMBER): (INTEGER, "fptosi double {} to i64"), (int, TRUTH): (INTEGER, "zext i1 {} to i64"),
    (float, INTEGER): (NUMBER, "sitofp i64 {} to double"), (float, NUMBER): (NUMBER, "fadd double {}, -0.0"),
    (bool, TRUTH): (TRUTH, "or i1 {}, false")}


class Reader:
    """One function: its `text`, and the functions that it has `called` once the text is made."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.called: list[Any] = []
        self._out = Text(function)
        self._names: dict[str, Word] = {}
        self._set: set[str] = set()  # names that have a value here, whichever way was taken
        self._own = self.function.__code__.co_varnames

    def text(self) -> str:
        """The function as it stands in a module."""
        (definition,) = ast.parse(inspect.getsource(self.function)).body
        assert isinstance(definition, ast.FunctionDef)
        kinds, returns = signature(self.function)
        arguments = []
        for one, kind in zip(definition.args.args, kinds, strict=True):
            arguments.append(f"ptr noalias %{one.arg}" if kind.endswith("*") else f"{kind} %{one.arg}")
            if kind.endswith("*"):
                self._names[one.arg] = Word(kind, f"%{one.arg}")
                self._set.add(one.arg)
            else:
                self.assign(ast.Name(one.arg), Word(kind, f"%{one.arg}"))
        *body, last = definition.body
        self.run(body)
        if returns == NOTHING:
            self.run([last])
            self._out.line("ret void")
        elif isinstance(last, ast.Return) and last.value:
            self._out.line(f"ret {returns} {self._out.expect(self.expression(last.value), returns, last)}")
        else:
            self._out.refuse("a function that does not end with its one return", last)
        head = f"define internal {returns} @{full_name(self.function)}({', '.join(arguments)}) {{"
        return "\n".join([head, "entry.0:", *self._out.slots, *self._out.lines, "}"])

    def run(self, statements: list[ast.stmt]) -> None:
        """Append the instructions of the statements."""
        for statement in statements:
            match statement:
                case ast.Expr(value=ast.Constant(value=str())):
                    pass
                case ast.Expr(value=ast.Call() as value):
                    self.expression(value)
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.expression(value))
                case ast.AugAssign(target=ast.Subscript(value=array, slice=place), op=sign, value=value):
                    at = self.element(array, place)
                    found = self._out.operation(statement, sign, self.read(at), self.expression(value))
                    self.write(at, found, statement)
                case ast.AugAssign(target=target, op=sign, value=value):
                    self.assign(target, self.expression(ast.copy_location(ast.BinOp(target, sign, value), statement)))
                case ast.If(test=test, body=body, orelse=other):
                    self.branch(test, body, other)
                case ast.While(test=test, body=body, orelse=[]):
                    self.repeat(test, body)
                case ast.For(target=ast.Name(), iter=ast.Call(func=ast.Name(id="range"), args=limits), orelse=[]) if (
                        len(limits) in (1, 2, 3)):
                    self.count_up(statement, limits)
                case _:
                    self._out.refuse(type(statement).__name__, statement)

    def assign(self, target: ast.expr, value: Word) -> None:
        """A name keeps the type that it was given first, and an array its name."""
        out = self._out
        if value.kind == NOTHING or value.kind.endswith("*"):
            out.refuse("an assignment of an array or of nothing", target)
        match target:
            case ast.Name(id=name):
                if name not in self._names:
                    self._names[name] = out.slot(value.kind, f"{name}.slot")
                kept = self._names[name]
                self._set.add(name)
                out.line(f"store {kept.kind} {out.expect(value, kept.kind, target)}, ptr {kept.name}")
            case ast.Subscript(value=array, slice=place):
                self.write(self.element(array, place), value, target)
            case _:
                out.refuse("this assignment", target)

    def element(self, array: ast.expr, place: ast.expr) -> Word:
        """The type and the address of an element."""
        known = self.expression(array)
        if not known.kind.endswith("*"):
            self._out.refuse("an element of what is no array", array)
        kind, at = known.kind[:-1], self._out.expect(self.expression(place), INTEGER, place)
        if at.startswith("-"):
            self._out.refuse("a place counted from the end", place)
        return Word(kind, self._out.put("ptr", f"getelementptr {kind}, ptr {known.name}, i64 {at}").name)

    def read(self, at: Word) -> Word:
        """The element at an address; bytes are integers."""
        found = self._out.put(at.kind, f"load {at.kind}, ptr {at.name}")
        return self._out.put(INTEGER, f"zext i8 {found.name} to i64") if at.kind == "i8" else found

    def write(self, at: Word, value: Word, node: ast.AST) -> None:
        """Set the element at an address."""
        out = self._out
        if at.kind == "i8":
            value = out.put("i8", f"trunc i64 {out.expect(value, INTEGER, node)} to i8")
        out.line(f"store {at.kind} {out.expect(value, at.kind, node)}, ptr {at.name}")

    def truth(self, node: ast.expr) -> str:
        """The name of a value that is true or false."""
        return self._out.expect(self.expression(node), TRUTH, node)

    def branch(self, test: ast.expr, body: list[ast.stmt], other: list[ast.stmt]) -> None:
        """One side or the other."""
        out = self._out
        yes, no, end = out.labels("then", "else", "end")
        out.fork(self.truth(test), yes, no)
        before = set(self._set)
        self.run(body)
        out.go(end)
        out.start(no)
        after, self._set = self._set, before
        self.run(other)
        self._set &= after
        out.go(end)
        out.start(end)

    def repeat(self, test: ast.expr, body: list[ast.stmt]) -> None:
        """Turn while the test holds."""
        out = self._out
        again, inside, end = out.labels("while", "do", "end")
        out.go(again)
        out.start(again)
        out.fork(self.truth(test), inside, end)
        before = set(self._set)
        self.run(body)
        self._set = before
        out.go(again)
        out.start(end)

    def count_up(self, statement: ast.For, limits: list[ast.expr]) -> None:
        """The limits are known before the first turn, and what a turn does to the name leaves the count alone."""
        out = self._out
        found = [out.expect(self.expression(one), INTEGER, one) for one in limits]
        low, high, step = [*(["0"] if len(found) == 1 else []), *found, "1"][:3]
        if not step.isdigit() or not int(step):
            out.refuse("a range whose step is no positive constant", statement)
        again, inside, end, count = out.labels("for", "do", "end", "count")
        slot = out.slot(INTEGER, count).name
        out.line(f"store i64 {low}, ptr {slot}")
        out.go(again)
        out.start(again)
        now = out.put(INTEGER, f"load i64, ptr {slot}")
        out.fork(out.put(TRUTH, f"icmp slt i64 {now.name}, {high}").name, inside, end)
        before = set(self._set)
        self.assign(statement.target, now)
        self.run(statement.body)
        self._set = before
        out.line(f"store i64 {out.put(INTEGER, f'add nsw i64 {now.name}, {step}').name}, ptr {slot}")
        out.go(again)
        out.start(end)

    def expression(self, node: ast.expr) -> Word:
        """The value of an expression."""
        out = self._out
        match node:
            case ast.Constant(value=bool() | float() as value):
                return Word(TRUTH if isinstance(value, bool) else NUMBER, literal(value, vector=False))
            case ast.Constant(value=int() as value) if -2**63 <= value < 2**63:
                return Word(INTEGER, str(value))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return self.expression(ast.copy_location(ast.Constant(-value), node))
            case ast.Name(id=name) if name in self._own and name not in self._set:
                out.refuse(f"{name}, which may not have been set,", node)
            case ast.Name(id=name) if name in self._names:
                kind, slot = self._names[name]
                return Word(kind, slot) if kind.endswith("*") else out.put(kind, f"load {kind}, ptr {slot}")
            case ast.Name(id=name) if isinstance(self.function.__globals__.get(name), int | float):
                return self.expression(ast.copy_location(ast.Constant(self.function.__globals__[name]), node))
            case ast.Subscript(value=array, slice=place):
                return self.read(self.element(array, place))
            case ast.BinOp(left=left, op=sign, right=right):
                return out.operation(node, sign, self.expression(left), self.expression(right))
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in COMPARED:
                return out.compared(node, sign, self.expression(left), self.expression(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return out.put(TRUTH, f"xor i1 {self.truth(operand)}, true")
            case ast.BoolOp():
                return self.logic(node)
            case ast.IfExp():
                return self.choice(node)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name not in self._own:
                called = self.function.__globals__.get(name, getattr(builtins, name, None))
                return self.call(node, called, [self.expression(one) for one in arguments])
        return out.refuse(type(node).__name__, node)

    def logic(self, node: ast.BoolOp) -> Word:
        """All of the truths, or any; each only where those before it do not decide."""
        either, (known, *parts) = isinstance(node.op, ast.Or), node.values
        rest = parts[0] if len(parts) == 1 else ast.copy_location(ast.BoolOp(node.op, parts), node)
        decided = ast.copy_location(ast.Constant(either), node)
        body, other = (decided, rest) if either else (rest, decided)
        return self.choice(ast.copy_location(ast.IfExp(known, body, other), node))

    def choice(self, node: ast.IfExp) -> Word:
        """One of two values; only that one is worked out where either reads an array or calls a function."""
        sides = (node.body, node.orelse)
        if not any(isinstance(part, ast.Subscript | ast.Call) for side in sides for part in ast.walk(side)):
            return self._out.select(node, self.truth(node.test), *(self.expression(side) for side in sides))
        name = ast.Name(self._out.labels("chosen")[0])
        self.branch(node.test, [ast.Assign([name], node.body)], [ast.Assign([name], node.orelse)])
        return self.expression(name)

    def call(self, node: ast.Call, called: Any, arguments: list[Word]) -> Word:
        """A function of Python's, of `dse.grid.arrays`, or another loop."""
        out, kinds = self._out, [one.kind for one in arguments]
        if called in (min, max) and kinds in ([INTEGER] * 2, [NUMBER] * 2):  # the first of equal ones, as Python has it
            less = out.compared(node, ast.Lt() if called is min else ast.Gt(), arguments[1], arguments[0])
            return out.select(node, less.name, arguments[1], arguments[0])
        if isinstance(called, type) and len(kinds) == 1 and (called, kinds[0]) in CONVERTED:
            kind, instruction = CONVERTED[called, kinds[0]]
            return out.put(kind, instruction.format(arguments[0].name))
        name, returns, takes = "", NOTHING, ["?"]
        if isinstance(called, FunctionType) and called in KNOWN:
            name, returns, takes = KNOWN[called].name, KNOWN[called].returns, list(KNOWN[called].takes)
        elif isinstance(called, FunctionType) and called.__module__ == self.function.__module__:
            name, (takes, returns) = full_name(called), signature(called)
            self.called.append(called)
        if kinds != takes:
            out.refuse(f"a call of {ast.unparse(node.func)} with {', '.join(kinds) or 'nothing'}", node)
        words = ", ".join(f"{argument(one.kind)} {one.name}" for one in arguments)
        if returns == NOTHING:
            out.line(f"call void @{name}({words})")
            return Word(NOTHING, "")
        return out.put(returns, f"call {returns} @{name}({words})")
