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


BITS = """
declare i64 @llvm.ctlz.i64(i64, i1)
declare i64 @llvm.cttz.i64(i64, i1)
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
define internal i64 @last(i64 %word) alwaysinline {
  %zeros = call i64 @llvm.ctlz.i64(i64 %word, i1 true)
  %place = sub i64 63, %zeros
  ret i64 %place
}
define internal i64 @first(i64 %word) alwaysinline {
  %place = call i64 @llvm.cttz.i64(i64 %word, i1 true)
  ret i64 %place
}
define internal i64 @load(ptr %words, i64 %place) alwaysinline {
  %at = getelementptr i64, ptr %words, i64 %place
  %word = load i64, ptr %at
  ret i64 %word
}
define internal i1 @set(ptr %words, i64 %bit) alwaysinline {      ; whether the word was empty
  %place = lshr i64 %bit, 6
  %in = and i64 %bit, 63
  %one = shl i64 1, %in
  %at = getelementptr i64, ptr %words, i64 %place
  %old = load i64, ptr %at
  %new = or i64 %old, %one
  store i64 %new, ptr %at
  %empty = icmp eq i64 %old, 0
  ret i1 %empty
}
define internal i1 @clear(ptr %words, i64 %bit) alwaysinline {    ; whether the word is empty now
  %place = lshr i64 %bit, 6
  %in = and i64 %bit, 63
  %one = shl i64 1, %in
  %others = xor i64 %one, -1
  %at = getelementptr i64, ptr %words, i64 %place
  %old = load i64, ptr %at
  %new = and i64 %old, %others
  store i64 %new, ptr %at
  %empty = icmp eq i64 %new, 0
  ret i1 %empty
}
"""


def _neighbour(name: str, pick: str, mask: str, own_mask: str, onward: str, end: str) -> str:
    """A function of three levels of bits and a rank: the nearest step on one side of it, -1 where there is none.

    `own_mask` and `mask` are what of a word lies on that side, in the first level and above; the words of the last
    level are looked at one after the other.
    """
    return f"""
define internal i64 @{name}(ptr %l0, ptr %l1, ptr %l2, i64 %words2, i64 %rank) alwaysinline {{
entry:
  %w0 = lshr i64 %rank, 6
  %b0 = and i64 %rank, 63
  {own_mask}
  %x0 = call i64 @load(ptr %l0, i64 %w0)
  %y0 = and i64 %x0, %m0
  %some0 = icmp ne i64 %y0, 0
  br i1 %some0, label %found0, label %level1
level1:
  %w1 = lshr i64 %w0, 6
  %b1 = and i64 %w0, 63
  {mask.format(level=1)}
  %x1 = call i64 @load(ptr %l1, i64 %w1)
  %y1 = and i64 %x1, %m1
  %some1 = icmp ne i64 %y1, 0
  br i1 %some1, label %found1, label %level2
level2:
  %w2 = lshr i64 %w1, 6
  %b2 = and i64 %w1, 63
  {mask.format(level=2)}
  %x2 = call i64 @load(ptr %l2, i64 %w2)
  %y2 = and i64 %x2, %m2
  %some2 = icmp ne i64 %y2, 0
  br i1 %some2, label %found2, label %onward
onward:
  %w = phi i64 [ %w2, %level2 ], [ %following, %look ]
  %following = {onward}
  %over = icmp eq i64 %following, {end}
  br i1 %over, label %none, label %look
look:
  %x = call i64 @load(ptr %l2, i64 %following)
  %some = icmp ne i64 %x, 0
  br i1 %some, label %found2, label %onward
found2:
  %in2 = phi i64 [ %w2, %level2 ], [ %following, %look ]
  %bits2 = phi i64 [ %y2, %level2 ], [ %x, %look ]
  %bit2 = call i64 @{pick}(i64 %bits2)
  %high2 = shl i64 %in2, 6
  %down1 = or i64 %high2, %bit2
  %all1 = call i64 @load(ptr %l1, i64 %down1)
  br label %found1
found1:
  %in1 = phi i64 [ %w1, %level1 ], [ %down1, %found2 ]
  %bits1 = phi i64 [ %y1, %level1 ], [ %all1, %found2 ]
  %bit1 = call i64 @{pick}(i64 %bits1)
  %high1 = shl i64 %in1, 6
  %down0 = or i64 %high1, %bit1
  %all0 = call i64 @load(ptr %l0, i64 %down0)
  br label %found0
found0:
  %in0 = phi i64 [ %w0, %entry ], [ %down0, %found1 ]
  %bits0 = phi i64 [ %y0, %entry ], [ %all0, %found1 ]
  %bit0 = call i64 @{pick}(i64 %bits0)
  %high0 = shl i64 %in0, 6
  %step = or i64 %high0, %bit0
  ret i64 %step
none:
  ret i64 -1
}}
"""


AT_OR_BEFORE = _neighbour(
    "at_or_before", "last", "%t{level} = shl i64 1, %b{level}\n  %m{level} = sub i64 %t{level}, 1",
    "%t0 = sub i64 63, %b0\n  %m0 = lshr i64 -1, %t0", "sub i64 %w, 1", "-1")
AFTER = _neighbour("after", "first", "%m{level} = shl i64 -2, %b{level}", "%m0 = shl i64 -2, %b0", "add i64 %w, 1",
                   "%words2")

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
