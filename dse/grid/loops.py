"""Loops over arrays, compiled from the Python that they are written in.

What goes over many numbers one after the other is a function over NumPy arrays in a small part of Python: assignments,
`if`, `while`, `for` over a `range`, one return at the end; arithmetic and comparisons of integers, floats and lanes;
elements of arrays; `min` and `max`; the functions of `dse.grid.arrays`; and other functions like it. It runs as it
stands and does the same when it is compiled; all else is refused with its name and line.

Integers have 64 bits, also those of bytes once they are read, and are shifted by 0 to 63. Places in arrays are not
checked and do not count from the end. No array that is written to may overlap another.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from dse.grid.arrays import DECLARED, KNOWN, NOTHING, NUMBER, TRUTH, argument
from dse.grid.binary import Code, code
from dse.grid.loop_reader import Reader
from dse.grid.loop_text import full_name, signature
from dse.grid.nest import FUNCTION, Nest


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as machine code, for contiguous arrays of the types that it names; made when it is first called."""
    kinds, returns = signature(function)
    layout = struct.Struct("".join("d" if kind == NUMBER else "q" for kind in kinds))
    answer = struct.Struct({NUMBER: "d", TRUTH: "?"}.get(returns, "q"))

    def called(*values: Any) -> Any:
        words = [value.ctypes.data if kind.endswith("*") else value
                 for kind, value in zip(kinds, values, strict=True)]
        memory = ctypes.create_string_buffer(layout.pack(*words), max(layout.size, answer.size))
        _machine_code(function).run(memory, None, None, None, None)
        return None if returns == NOTHING else answer.unpack_from(memory)[0]

    return called


@cache
def _machine_code(function: Callable[..., Any]) -> Code:
    return code(f"loop {full_name(function)}", lambda: Nest(module_text(function), 0))


def module_text(function: Callable[..., Any]) -> str:
    """The function, those that it calls, and an entry that finds its arguments as words and answers in the first."""
    wanted, texts = [function], dict[Any, str]()
    while wanted:
        one = wanted.pop()
        if one not in texts:
            reader = Reader(one)
            texts[one] = reader.text()
            wanted += reader.called
    kinds, returns = signature(function)
    lines = [f"define void @{FUNCTION}(ptr %words, ptr %b, ptr %c, ptr %d, ptr %e) {{"]
    for place, kind in enumerate(kinds):
        lines += [f"  %at{place} = getelementptr i64, ptr %words, i64 {place}",
                  f"  %a{place} = load {argument(kind)}, ptr %at{place}"]
    given = ", ".join(f"{argument(kind)} %a{place}" for place, kind in enumerate(kinds))
    call = f"call {returns} @{full_name(function)}({given})"
    lines += [f"  {call}"] if returns == NOTHING else [f"  %result = {call}", f"  store {returns} %result, ptr %words"]
    return "\n".join([DECLARED, *(one.text() for one in KNOWN.values()), *texts.values(), *lines, "  ret void", "}"])
