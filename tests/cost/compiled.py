"""Compiles a scalar function and all that it reaches with Numba, inlined, so that bits can be compared."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba


def reached(function: Callable[..., Any]) -> dict[str, FunctionType]:
    """The project's functions that `function` calls, directly or not, and itself, callees first."""
    found: dict[str, FunctionType] = {}

    def visit(at: Any) -> None:
        for name in at.__code__.co_names:
            callee = at.__globals__.get(name)
            if isinstance(callee, FunctionType) and callee.__module__.startswith("dse.") and name not in found:
                visit(callee)
        found[at.__name__] = at

    visit(function)
    return found


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` compiled with every callee inlined, IEEE strict, from copies that leave the originals as they are."""
    functions = reached(function)
    jitted: dict[str, Any] = {}
    for name, at in functions.items():
        copy = FunctionType(at.__code__, {**at.__globals__, **jitted}, name)
        jitted[name] = numba.njit(inline="always", error_model="numpy")(copy)
    return jitted[function.__name__]
