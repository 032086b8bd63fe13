"""A set of whole numbers as three levels of bits, in LLVM: the nearest one to either side of a number.

A bit of the second level says whether a word of the first has any, one of the third the same of the second.
"""

from __future__ import annotations

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
