"""The front of many points with two objectives: two compiled passes around one sort of integers.

The first pass packs the leading bits of each point's first objective and its place into one integer; NaN and what is
infeasible stays out. After the sort the second pass walks along it with the least second objective so far. Points whose
leading bits are the same are told, and set right afterwards.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from dse.grid.binary import Code, code
from dse.grid.nest import FUNCTION, Nest

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MOST_TIES = 0.02  # share of points with the leading bits of another, above which sorting by both objectives is quicker
AHEAD = 48  # points by which the walk asks for what it will need: their order in memory is none

PACK = f"""
define void @{FUNCTION}(ptr noalias %first, ptr noalias %second, ptr noalias %feasible, ptr noalias %numbers,
                        ptr noalias %packed) {{
entry:
  %points = load i64, ptr %numbers
  %least_at = getelementptr i64, ptr %numbers, i64 1
  %least = load i64, ptr %least_at
  %shift_at = getelementptr i64, ptr %numbers, i64 2
  %shift = load i64, ptr %shift_at
  %bits_at = getelementptr i64, ptr %numbers, i64 3
  %bits = load i64, ptr %bits_at
  %stride_at = getelementptr i64, ptr %numbers, i64 4
  %stride = load i64, ptr %stride_at
  br label %point
point:
  %i = phi i64 [ 0, %entry ], [ %next, %point ]
  %count = phi i64 [ 0, %entry ], [ %counted, %point ]
  %x_at = getelementptr double, ptr %first, i64 %i
  %x = load double, ptr %x_at
  %y_at = getelementptr double, ptr %second, i64 %i
  %y = load double, ptr %y_at
  %flag_place = mul i64 %i, %stride
  %flag_at = getelementptr i8, ptr %feasible, i64 %flag_place
  %flag = load i8, ptr %flag_at
  %allowed = icmp ne i8 %flag, 0
  %numeric = fcmp ord double %x, %y
  %in = and i1 %allowed, %numeric
  %unsigned = fadd double %x, 0.0         ; both zeros are the same
  %raw = bitcast double %unsigned to i64
  %negative = ashr i64 %raw, 63
  %flip = and i64 %negative, 9223372036854775807
  %key = xor i64 %raw, %flip              ; integers in the order of the numbers
  %beyond = sub i64 %key, %least
  %leading = lshr i64 %beyond, %shift
  %high = shl i64 %leading, %bits
  %word = or i64 %high, %i
  %to = getelementptr i64, ptr %packed, i64 %count
  store i64 %word, ptr %to
  %one = zext i1 %in to i64
  %counted = add i64 %count, %one
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %points
  br i1 %more, label %point, label %finish
finish:
  store i64 %counted, ptr %numbers
  ret void
}}
"""

WALK = f"""
define void @{FUNCTION}(ptr noalias %second, ptr noalias %packed, ptr noalias %numbers, ptr noalias %kept,
                        ptr noalias %ties) {{
entry:
  %points = load i64, ptr %numbers
  %bits_at = getelementptr i64, ptr %numbers, i64 1
  %bits = load i64, ptr %bits_at
  %most_at = getelementptr i64, ptr %numbers, i64 2
  %most = load i64, ptr %most_at
  %top = shl i64 1, %bits
  %low_bits = sub i64 %top, 1
  br label %point
point:
  %i = phi i64 [ 0, %entry ], [ %next, %point ]
  %previous = phi i64 [ -1, %entry ], [ %key, %point ]
  %before = phi double [ 0x7FF8000000000000, %entry ], [ %bound, %point ]   ; least of all with lower leading bits
  %least = phi double [ 0x7FF8000000000000, %entry ], [ %lower, %point ]    ; least so far; not a number: none yet
  %count = phi i64 [ 0, %entry ], [ %counted, %point ]
  %word_at = getelementptr i64, ptr %packed, i64 %i
  %word = load i64, ptr %word_at
  %key = lshr i64 %word, %bits
  %place = and i64 %word, %low_bits
  %ahead_at = getelementptr i64, ptr %word_at, i64 {AHEAD}
  %ahead = load i64, ptr %ahead_at
  %ahead_place = and i64 %ahead, %low_bits
  %soon_at = getelementptr double, ptr %second, i64 %ahead_place
  call void @llvm.prefetch.p0(ptr %soon_at, i32 0, i32 3, i32 1)
  %y_at = getelementptr double, ptr %second, i64 %place
  %y = load double, ptr %y_at
  %same = icmp eq i64 %key, %previous
  %bound = select i1 %same, double %before, double %least
  %in = fcmp ult double %y, %bound
  %flag = zext i1 %in to i8
  %flag_at = getelementptr i8, ptr %kept, i64 %place
  store i8 %flag, ptr %flag_at
  %stays = fcmp ole double %least, %y
  %lower = select i1 %stays, double %least, double %y
  %room = call i64 @llvm.smin.i64(i64 %count, i64 %most)
  %tie_at = getelementptr i64, ptr %ties, i64 %room
  store i64 %i, ptr %tie_at
  %one = zext i1 %same to i64
  %counted = add i64 %count, %one
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %points
  br i1 %more, label %point, label %finish
finish:
  store i64 %counted, ptr %numbers
  ret void
}}
declare i64 @llvm.smin.i64(i64, i64)
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
"""


@cache
def _pass(text: str) -> Code:
    return code(f"pairs {text}", lambda: Nest(text, 0))


def pairs_mask(objectives: Numbers, feasible: Mask | None) -> Mask | None:
    """Which of the points (2, points) are in the front, by the rule of `dse.grid.pareto`.

    None where too many have the same leading bits in their first objective.
    """
    first, second = (np.ascontiguousarray(row) for row in objectives)
    kept = np.zeros(len(first), dtype=np.bool_)
    packed, bits = _packed(first, second, feasible)
    if not len(packed):
        return kept
    packed.sort()
    most_ties = int(MOST_TIES * len(packed))
    ties = np.empty(most_ties + 1, dtype=np.int64)
    numbers = np.array([len(packed), bits, most_ties])
    _pass(WALK).run(second.ctypes.data, packed.ctypes.data, numbers.ctypes.data, kept.ctypes.data, ties.ctypes.data)
    if numbers[0] > most_ties:
        return None
    if numbers[0]:
        _set_right(first, second, packed, bits, ties[:numbers[0]], kept)
    return kept


def _packed(first: Numbers, second: Numbers, feasible: Mask | None) -> tuple[Integers, int]:
    """The integers of the feasible points without NaN, and how many bits of each are the place."""
    from dse.grid.pareto import sort_keys

    bits = max(1, (len(first) - 1).bit_length())
    packed = np.empty(len(first) + AHEAD, dtype=np.int64)
    ends = np.array([np.fmin.reduce(first, initial=np.nan), np.fmax.reduce(first, initial=np.nan)])
    if np.isnan(ends).any():
        return packed[:0], bits
    least, most = (int(key) for key in sort_keys(ends))
    shift = max(0, (most - least).bit_length() - (63 - bits))
    flags = np.ones(1, dtype=np.bool_) if feasible is None else np.ascontiguousarray(feasible, dtype=np.bool_)
    numbers = np.array([len(first), least, shift, bits, feasible is not None], dtype=np.int64)
    _pass(PACK).run(first.ctypes.data, second.ctypes.data, flags.ctypes.data, numbers.ctypes.data, packed.ctypes.data)
    return packed[:numbers[0]], bits


def _set_right(first: Numbers, second: Numbers, packed: Integers, bits: int, ties: Integers, kept: Mask) -> None:
    """Compares the points with the same leading bits, of which only those before them were heeded."""
    members = np.union1d(ties, ties - 1)
    places, keys = packed[members] & ((1 << bits) - 1), packed[members] >> bits
    open_ones = kept[places]  # the others are beaten by points before all of their group
    places, keys = places[open_ones], keys[open_ones]
    order = np.lexsort((places, second[places], first[places], keys))
    places, keys = places[order], keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[:len(keys)])
    ends = np.append(starts[1:], len(keys))
    least, at = second[places[starts]], starts + 1  # the first of each group is in
    while (going := at < ends).any():
        starts, ends, least, at = starts[going], ends[going], least[going], at[going]
        values = second[places[at]]
        kept[places[at]] = values < least
        least, at = np.minimum(least, values), at + 1
