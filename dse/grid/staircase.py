"""The front of sorted points with three objectives: one sweep with a staircase, compiled.

Points come in lexicographic order, so that a later one never beats an earlier one. The staircase holds the second and
third objectives of those that count so far: seconds rising, thirds falling. A point is beaten where the step at or
before its second objective is no higher than its third (Kung, Luccio and Preparata 1975).

A step is a bit at the rank of its second objective; two more levels of bits tell which words have any, so that the
steps before and after a rank are found in a few instructions however long the staircase is, as in a tree of van Emde
Boas.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from dse.grid.binary import Code, code
from dse.grid.bit_levels import AFTER, AT_OR_BEFORE, BITS
from dse.grid.nest import FUNCTION, Nest

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
AHEAD = 48  # points by which a pass asks for what it will need: their order in memory is none

RANKS = f"""
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
define void @{FUNCTION}(ptr noalias %values, ptr noalias %order, ptr noalias %numbers, ptr noalias %ranks, ptr %none) {{
entry:
  %points = load i64, ptr %numbers
  br label %point
point:
  %i = phi i64 [ 0, %entry ], [ %next, %point ]
  %before = phi double [ 0x7FF8000000000000, %entry ], [ %value, %point ]
  %rank_before = phi i64 [ 0, %entry ], [ %rank, %point ]
  %order_at = getelementptr i64, ptr %order, i64 %i
  %place = load i64, ptr %order_at
  %ahead_at = getelementptr i64, ptr %order_at, i64 {AHEAD}
  %ahead = load i64, ptr %ahead_at
  %soon_at = getelementptr double, ptr %values, i64 %ahead
  call void @llvm.prefetch.p0(ptr %soon_at, i32 0, i32 3, i32 1)
  %value_at = getelementptr double, ptr %values, i64 %place
  %value = load double, ptr %value_at
  %same = fcmp oeq double %value, %before
  %rank = select i1 %same, i64 %rank_before, i64 %i
  %rank_at = getelementptr i64, ptr %ranks, i64 %place
  store i64 %rank, ptr %rank_at
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %points
  br i1 %more, label %point, label %finish
finish:
  ret void
}}
"""


SWEEP = f"""{BITS}{AT_OR_BEFORE}{AFTER}
define void @{FUNCTION}(ptr noalias %order, ptr noalias %ranks, ptr noalias %third, ptr noalias %work,
                        ptr noalias %kept) {{
entry:
  %points = call i64 @load(ptr %work, i64 0)
  %words0 = call i64 @load(ptr %work, i64 1)
  %words1 = call i64 @load(ptr %work, i64 2)
  %words2 = call i64 @load(ptr %work, i64 3)
  %l0 = getelementptr i64, ptr %work, i64 4
  %l1 = getelementptr i64, ptr %l0, i64 %words0
  %l2 = getelementptr i64, ptr %l1, i64 %words1
  %heights = getelementptr i64, ptr %l2, i64 %words2
  br label %point
point:
  %i = phi i64 [ 0, %entry ], [ %next, %end ]
  %order_at = getelementptr i64, ptr %order, i64 %i
  %place = load i64, ptr %order_at
  %ahead_at = getelementptr i64, ptr %order_at, i64 {AHEAD}
  %ahead = load i64, ptr %ahead_at
  %soon_rank = getelementptr i64, ptr %ranks, i64 %ahead
  call void @llvm.prefetch.p0(ptr %soon_rank, i32 0, i32 3, i32 1)
  %soon_z = getelementptr double, ptr %third, i64 %ahead
  call void @llvm.prefetch.p0(ptr %soon_z, i32 0, i32 3, i32 1)
  %rank = call i64 @load(ptr %ranks, i64 %place)
  %z_at = getelementptr double, ptr %third, i64 %place
  %z = load double, ptr %z_at
  %known = call i64 @at_or_before(ptr %l0, ptr %l1, ptr %l2, i64 %words2, i64 %rank)
  %some = icmp sge i64 %known, 0
  %step = select i1 %some, i64 %known, i64 %rank
  %step_at = getelementptr double, ptr %heights, i64 %step
  %step_z = load double, ptr %step_at
  %lower = fcmp ole double %step_z, %z
  %beaten = and i1 %some, %lower
  %in = xor i1 %beaten, true
  %flag = zext i1 %in to i8
  %flag_at = getelementptr i8, ptr %kept, i64 %i
  store i8 %flag, ptr %flag_at
  br i1 %beaten, label %end, label %insert
insert:
  %own_at = getelementptr double, ptr %heights, i64 %rank
  store double %z, ptr %own_at
  %fresh0 = call i1 @set(ptr %l0, i64 %rank)
  br i1 %fresh0, label %insert1, label %climb
insert1:
  %rank1 = lshr i64 %rank, 6
  %fresh1 = call i1 @set(ptr %l1, i64 %rank1)
  br i1 %fresh1, label %insert2, label %climb
insert2:
  %rank2 = lshr i64 %rank, 12
  %fresh2 = call i1 @set(ptr %l2, i64 %rank2)
  br label %climb
climb:                                    ; steps after it that are no lower are steps no more
  %next_step = call i64 @after(ptr %l0, ptr %l1, ptr %l2, i64 %words2, i64 %rank)
  %over = icmp slt i64 %next_step, 0
  br i1 %over, label %end, label %stand
stand:
  %stand_at = getelementptr double, ptr %heights, i64 %next_step
  %stand_z = load double, ptr %stand_at
  %covers = fcmp oge double %stand_z, %z
  br i1 %covers, label %remove, label %end
remove:
  %empty0 = call i1 @clear(ptr %l0, i64 %next_step)
  br i1 %empty0, label %remove1, label %climb
remove1:
  %gone1 = lshr i64 %next_step, 6
  %empty1 = call i1 @clear(ptr %l1, i64 %gone1)
  br i1 %empty1, label %remove2, label %climb
remove2:
  %gone2 = lshr i64 %next_step, 12
  %empty2 = call i1 @clear(ptr %l2, i64 %gone2)
  br label %climb
end:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %points
  br i1 %more, label %point, label %finish
finish:
  ret void
}}
"""


@cache
def _pass(name: str) -> Code:
    return code(f"staircase {name}", lambda: Nest({"ranks": RANKS, "sweep": SWEEP}[name], 0))


def staircase_mask(points: Numbers, order: Integers, second_order: Integers) -> npt.NDArray[np.bool_]:
    """Which of the points (3, points), taken in `order`, are in their front; of equal ones the first.

    `order` is the lexicographic one of all three objectives, `second_order` that of the second alone.
    """
    count = points.shape[1]
    kept = np.zeros(count, dtype=np.bool_)
    if not count:
        return kept
    second, third = (np.ascontiguousarray(row) for row in points[1:])
    ranks, numbers = np.empty(count, dtype=np.int64), np.array([count])
    order, second_order = _padded(order), _padded(second_order)
    _pass("ranks").run(second.ctypes.data, second_order.ctypes.data, numbers.ctypes.data, ranks.ctypes.data, None)
    words = [count // 64 + 1, count // 64**2 + 1, count // 64**3 + 1]
    work = np.zeros(4 + sum(words) + count, dtype=np.int64)
    work[:4] = count, *words
    _pass("sweep").run(order.ctypes.data, ranks.ctypes.data, third.ctypes.data, work.ctypes.data, kept.ctypes.data)
    return kept


def _padded(order: Integers) -> Integers:
    padded = np.zeros(len(order) + AHEAD, dtype=np.int64)
    padded[:len(order)] = order
    return padded
