"""What loops over arrays may call besides arithmetic: each in Python, as it is meant, and in LLVM, as it is compiled.

Lanes are LANES neighbouring elements of an array, which one instruction compares or moves at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dse.grid.instructions import LANES

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
NumberLanes = npt.NDArray[np.float64]
IntegerLanes = npt.NDArray[np.int64]
TruthLanes = npt.NDArray[np.bool_]

INTEGER, NUMBER, TRUTH, NOTHING = "i64", "double", "i1", "void"
INTEGERS, NUMBERS, TRUTHS = (f"<{LANES} x {kind}>" for kind in (INTEGER, NUMBER, TRUTH))
KINDS = {"int": INTEGER, "float": NUMBER, "bool": TRUTH, "None": NOTHING, "Numbers": "double*", "Integers": "i64*",
         "Bytes": "i8*", "NumberLanes": NUMBERS, "IntegerLanes": INTEGERS, "TruthLanes": TRUTHS}
DECLARED = f"""
declare i{LANES} @llvm.ctpop.i{LANES}(i{LANES})
declare i{LANES} @llvm.cttz.i{LANES}(i{LANES}, i1)
declare {INTEGERS} @llvm.smin.v{LANES}i64({INTEGERS}, {INTEGERS})
declare {INTEGERS} @llvm.smax.v{LANES}i64({INTEGERS}, {INTEGERS})
declare {INTEGERS} @llvm.experimental.vector.compress.v{LANES}i64({INTEGERS}, {TRUTHS}, {INTEGERS})
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
define internal {INTEGERS} @spread(i64 %a) alwaysinline {{
  %first = insertelement {INTEGERS} poison, i64 %a, i64 0
  %all = shufflevector {INTEGERS} %first, {INTEGERS} poison, <{LANES} x i32> zeroinitializer
  ret {INTEGERS} %all
}}
"""


class Known(NamedTuple):
    """A function in LLVM: what it returns and takes, and its body; its arguments are %a, %b and so on."""

    name: str
    returns: str
    takes: tuple[str, ...]
    body: str

    def text(self) -> str:
        """Its definition."""
        arguments = ", ".join(f"{argument(kind)} %{letter}" for kind, letter in zip(self.takes, "abcd", strict=False))
        return f"define internal {self.returns} @{self.name}({arguments}) alwaysinline {{{self.body}\n}}"


KNOWN: dict[Any, Known] = {}
Function = TypeVar("Function", bound=Callable[..., Any])


def argument(kind: str) -> str:
    """The type of an argument: an array is a pointer."""
    return "ptr" if kind.endswith("*") else kind


def _in_llvm(returns: str, *takes: str, body: str) -> Callable[[Function], Function]:
    def known(function: Function) -> Function:
        KNOWN[function] = Known(function.__name__, returns, takes, body)
        return function

    return known


@_in_llvm(NUMBERS, "double*", INTEGER, body=f"""
  %at = getelementptr double, ptr %a, i64 %b
  %lanes = load {NUMBERS}, ptr %at, align 8
  ret {NUMBERS} %lanes""")
def number_lanes(array: Numbers, at: int) -> NumberLanes:
    """The lanes from `at` on."""
    return array[at:at + LANES].copy()


@_in_llvm(INTEGERS, "i64*", INTEGER, body=f"""
  %at = getelementptr i64, ptr %a, i64 %b
  %lanes = load {INTEGERS}, ptr %at, align 8
  ret {INTEGERS} %lanes""")
def integer_lanes(array: Integers, at: int) -> IntegerLanes:
    """The lanes from `at` on."""
    return array[at:at + LANES].copy()


@_in_llvm(TRUTHS, "i8*", INTEGER, body=f"""
  %at = getelementptr i8, ptr %a, i64 %b
  %bytes = load <{LANES} x i8>, ptr %at, align 1
  %lanes = icmp ne <{LANES} x i8> %bytes, zeroinitializer
  ret {TRUTHS} %lanes""")
def truth_lanes(array: Bytes, at: int) -> TruthLanes:
    """Which of the lanes from `at` on are not zero."""
    lanes: TruthLanes = array[at:at + LANES] != 0
    return lanes


@_in_llvm(INTEGERS, body=f"""
  ret {INTEGERS} <{', '.join(f'i64 {lane}' for lane in range(LANES))}>""")
def lane_numbers() -> IntegerLanes:
    """0, 1, 2 and so on."""
    return np.arange(LANES)


@_in_llvm(NUMBERS, NUMBER, body=f"""
  %first = insertelement {NUMBERS} poison, double %a, i64 0
  %all = shufflevector {NUMBERS} %first, {NUMBERS} poison, <{LANES} x i32> zeroinitializer
  ret {NUMBERS} %all""")
def equal_lanes(number: float) -> NumberLanes:
    """The same number in all lanes."""
    return np.full(LANES, number)


@_in_llvm(NOTHING, "double*", INTEGER, NUMBERS, body=f"""
  %at = getelementptr double, ptr %a, i64 %b
  store {NUMBERS} %c, ptr %at, align 8
  ret void""")
def put_lanes(array: Numbers, at: int, lanes: NumberLanes) -> None:
    """Write the lanes from `at` on."""
    array[at:at + LANES] = lanes


@_in_llvm(INTEGER, "i64*", INTEGER, INTEGERS, TRUTHS, body=f"""
  %at = getelementptr i64, ptr %a, i64 %b
  %kept = call {INTEGERS} @llvm.experimental.vector.compress.v{LANES}i64({INTEGERS} %c, {TRUTHS} %d, {INTEGERS} poison)
  store {INTEGERS} %kept, ptr %at, align 8
  %mask = bitcast {TRUTHS} %d to i{LANES}
  %count = call i{LANES} @llvm.ctpop.i{LANES}(i{LANES} %mask)
  %wide = zext i{LANES} %count to i64
  ret i64 %wide""")
def put_those(array: Integers, at: int, lanes: IntegerLanes, where: TruthLanes) -> int:
    """Write the lanes `where` it is true from `at` on; how many. Up to LANES elements from `at` on are lost."""
    kept = lanes[where]
    array[at:at + len(kept)] = kept
    return len(kept)


@_in_llvm(INTEGERS, NUMBERS, body=f"""
  %bits = bitcast {NUMBERS} %a to {INTEGERS}
  ret {INTEGERS} %bits""")
def bits(lanes: NumberLanes) -> IntegerLanes:
    """The integers of the same 64 bits."""
    return lanes.view(np.int64)


@_in_llvm(INTEGERS, INTEGERS, INTEGER, INTEGER, body=f"""
  %low = call {INTEGERS} @spread(i64 %b)
  %high = call {INTEGERS} @spread(i64 %c)
  %above = call {INTEGERS} @llvm.smax.v{LANES}i64({INTEGERS} %a, {INTEGERS} %low)
  %lanes = call {INTEGERS} @llvm.smin.v{LANES}i64({INTEGERS} %above, {INTEGERS} %high)
  ret {INTEGERS} %lanes""")
def clipped(lanes: IntegerLanes, low: int, high: int) -> IntegerLanes:
    """The lanes, but none below `low` or above `high`."""
    return np.clip(lanes, low, high)


@_in_llvm(NUMBERS, TRUTHS, NUMBER, NUMBERS, body=f"""
  %all = call {NUMBERS} @equal_lanes(double %b)
  %lanes = select {TRUTHS} %a, {NUMBERS} %all, {NUMBERS} %c
  ret {NUMBERS} %lanes""")
def replaced(where: TruthLanes, by: float, lanes: NumberLanes) -> NumberLanes:
    """The lanes, but another number `where` it is true."""
    found: NumberLanes = np.where(where, by, lanes)
    return found


@_in_llvm(TRUTH, TRUTHS, body=f"""
  %mask = bitcast {TRUTHS} %a to i{LANES}
  %some = icmp ne i{LANES} %mask, 0
  ret i1 %some""")
def some(truths: TruthLanes) -> bool:
    """Whether any is true."""
    return bool(truths.any())


@_in_llvm(INTEGER, TRUTHS, body=f"""
  %mask = bitcast {TRUTHS} %a to i{LANES}
  %place = call i{LANES} @llvm.cttz.i{LANES}(i{LANES} %mask, i1 false)
  %wide = zext i{LANES} %place to i64
  ret i64 %wide""")
def first(truths: TruthLanes) -> int:
    """The lane of the first that is true; LANES where none is."""
    return int(np.argmax(truths)) if truths.any() else LANES


@_in_llvm(NOTHING, "double*", INTEGER, body="""
  %at = getelementptr double, ptr %a, i64 %b
  call void @llvm.prefetch.p0(ptr %at, i32 0, i32 3, i32 1)
  ret void""")
def ask_for(array: Numbers, at: int) -> None:
    """Have an element fetched into the cache that is needed soon."""


@_in_llvm(NOTHING, "i8*", INTEGER, body="""
  %at = getelementptr i8, ptr %a, i64 %b
  call void @llvm.prefetch.p0(ptr %at, i32 1, i32 3, i32 1)
  ret void""")
def ask_to_write(array: Bytes, at: int) -> None:
    """Have an element fetched into the cache that is written soon."""
