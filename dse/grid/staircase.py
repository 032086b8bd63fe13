"""The front of sorted points with three objectives: one sweep with a staircase, compiled.

Points come in lexicographic order, so that a later one never beats an earlier one. The staircase holds the second and
third objectives of those that count so far: seconds rising, thirds falling. A point is beaten where the step at or
before its second objective is no higher than its third (Kung, Luccio and Preparata 1975).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from dse.grid.binary import Code, code
from dse.grid.nest import FUNCTION, Nest

MOST_STEPS = 2**15  # of the staircase: moving more than these for each new point would take longer than a tree

TEXT = f"""
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
declare i64 @llvm.ctlz.i64(i64, i1)
define void @{FUNCTION}(ptr %second, ptr %third, ptr %numbers, ptr %stairs, ptr %kept) {{
entry:
  %points = load i64, ptr %numbers
  %most_at = getelementptr i64, ptr %numbers, i64 1
  %most = load i64, ptr %most_at
  %highs = getelementptr double, ptr %stairs, i64 %most
  br label %point
point:
  %i = phi i64 [ 0, %entry ], [ %next, %end ]
  %count = phi i64 [ 0, %entry ], [ %left, %end ]
  %y_at = getelementptr double, ptr %second, i64 %i
  %y = load double, ptr %y_at
  %z_at = getelementptr double, ptr %third, i64 %i
  %z = load double, ptr %z_at
  br label %search
search:                                   ; below = steps whose second objective is at most y
  %below = phi i64 [ 0, %point ], [ %nearer, %probe ]
  %size = phi i64 [ %count, %point ], [ %rest, %probe ]
  %found = icmp eq i64 %size, 0
  br i1 %found, label %compare, label %probe
probe:
  %up = add i64 %size, 1
  %half = lshr i64 %up, 1
  %middle = add i64 %below, %half
  %middle_place = sub i64 %middle, 1
  %middle_at = getelementptr double, ptr %stairs, i64 %middle_place
  %middle_y = load double, ptr %middle_at
  %right = fcmp ole double %middle_y, %y
  %nearer = select i1 %right, i64 %middle, i64 %below
  %after = sub i64 %size, %half
  %before = sub i64 %half, 1
  %rest = select i1 %right, i64 %after, i64 %before
  br label %search
compare:
  %some = icmp sgt i64 %below, 0
  %last = sub i64 %below, 1
  %last_place = select i1 %some, i64 %last, i64 0
  %step_y_at = getelementptr double, ptr %stairs, i64 %last_place
  %step_y = load double, ptr %step_y_at
  %step_z_at = getelementptr double, ptr %highs, i64 %last_place
  %step_z = load double, ptr %step_z_at
  %lower = fcmp ole double %step_z, %z
  %beaten = and i1 %some, %lower
  %in = xor i1 %beaten, true
  %flag = zext i1 %in to i8
  %flag_at = getelementptr i8, ptr %kept, i64 %i
  store i8 %flag, ptr %flag_at
  %level = fcmp oeq double %step_y, %y
  %same = and i1 %some, %level
  %from = select i1 %same, i64 %last, i64 %below
  br i1 %beaten, label %skip, label %climb
climb:                                    ; until = first step beyond that is lower than z
  %until = phi i64 [ %below, %compare ], [ %higher, %stand ]
  %over = icmp sge i64 %until, %count
  br i1 %over, label %insert, label %stand
stand:
  %stand_at = getelementptr double, ptr %highs, i64 %until
  %stand_z = load double, ptr %stand_at
  %covers = fcmp oge double %stand_z, %z
  %higher = add i64 %until, 1
  br i1 %covers, label %climb, label %insert
insert:
  %gone = sub i64 %until, %from
  %tail = sub i64 %count, %until
  %bytes = mul i64 %tail, 8
  %to = add i64 %from, 1
  %moved_to = getelementptr double, ptr %stairs, i64 %to
  %moved_from = getelementptr double, ptr %stairs, i64 %until
  call void @llvm.memmove.p0.p0.i64(ptr %moved_to, ptr %moved_from, i64 %bytes, i1 false)
  %high_to = getelementptr double, ptr %highs, i64 %to
  %high_from = getelementptr double, ptr %highs, i64 %until
  call void @llvm.memmove.p0.p0.i64(ptr %high_to, ptr %high_from, i64 %bytes, i1 false)
  %new_y = getelementptr double, ptr %stairs, i64 %from
  store double %y, ptr %new_y
  %new_z = getelementptr double, ptr %highs, i64 %from
  store double %z, ptr %new_z
  %grown = add i64 %count, 1
  %kept_count = sub i64 %grown, %gone
  br label %end
skip:
  br label %end
end:
  %left = phi i64 [ %kept_count, %insert ], [ %count, %skip ]
  %next = add i64 %i, 1
  %room = icmp slt i64 %left, %most
  %more = icmp slt i64 %next, %points
  %on = and i1 %room, %more
  br i1 %on, label %point, label %finish
finish:
  store i64 %next, ptr %numbers
  ret void
}}
"""


@cache
def _sweep() -> Code:
    return code("staircase", lambda: Nest(TEXT, 0))


def staircase_mask(second: npt.NDArray[np.float64], third: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_] | None:
    """Which of the points, in lexicographic order of all three objectives, are in their front; of equal ones the first.

    None where the staircase grows beyond MOST_STEPS.
    """
    points = len(second)
    kept = np.zeros(points, dtype=np.bool_)
    if points:
        numbers, stairs = np.array([points, MOST_STEPS]), np.zeros(2 * MOST_STEPS)
        _sweep().run(second.ctypes.data, third.ctypes.data, numbers.ctypes.data, stairs.ctypes.data, kept.ctypes.data)
        if numbers[0] < points:
            return None
    return kept
