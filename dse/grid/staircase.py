"""A staircase: of the points so far with three objectives, those that can beat a later one.

Points come in lexicographic order, so that one is beaten where one before it has at most its second and at most its
third objective. Of those before, only the steps of a staircase count, seconds rising and thirds falling (Kung, Luccio
and Preparata 1975). They are kept by buckets of the second objective: the least third objective of all lower buckets,
and blocks of LANES steps that are compared at once. A step that a later one beats is taken away when another comes to
its bucket; until then it does no harm.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dse.grid.arrays import (
    Bytes,
    Integers,
    Numbers,
    ask_for,
    ask_to_write,
    equal_lanes,
    first,
    number_lanes,
    put_lanes,
    replaced,
    some,
)
from dse.grid.instructions import LANES
from dse.grid.loops import compiled
from dse.grid.slabs import AHEAD, Slab

Mask = npt.NDArray[np.bool_]
BLOCK = 2 * LANES  # the seconds of its steps, and then the thirds, NaN where there is none
SPARE = 1.5  # blocks for each bucket
LONGEST = 8  # blocks of a bucket
FEWEST, MANY = 2**10, 2**16  # buckets; from how many on there are twice as many next, before that FASTER times
FASTER = 4
FAR = 2**12  # buckets that a cache holds no more
SOON = 16  # points by which their buckets are fetched before they are needed
NAN = float("nan")


def bucket_of(second: float, lowest: float, scale: float, buckets: int) -> int:
    """The larger the number, the higher its bucket."""
    at = (second - lowest) * scale
    last = float(buckets - 1)
    at = at if at > 0.0 else 0.0
    return int(at if at < last else last)


def bound_below(bucket: int, row_bits: int, least: Numbers, rows: Numbers) -> float:
    """The least third objective of all lower buckets, NaN where there is none."""
    near = float(least[bucket])
    far = float(rows[bucket >> row_bits])
    return near if near <= far or far != far else far


def lower(bounds: Numbers, start: int, end: int, third: float) -> bool:
    """Let no bound from `start` on be above a number, as far as the first that was not; whether none was."""
    at = start
    while at < end:
        known = number_lanes(bounds, at)
        put_lanes(bounds, at, replaced((known > third) | (known != known), third, known))
        at = end + LANES if some(known <= third) else at + LANES
    return at < end + LANES


def is_beaten(second: float, third: float, bucket: int, bound: float, blocks: Numbers, following: Integers) -> bool:
    """Whether a step has at most both numbers."""
    beaten = bound <= third
    block = -1 if beaten else bucket
    while block >= 0:
        at = BLOCK * block
        beaten = some((number_lanes(blocks, at) <= second) & (number_lanes(blocks, at + LANES) <= third))
        block = -1 if beaten else following[block]
    return beaten


def insert(second: float, third: float, bucket: int, bound: float, row_bits: int, least: Numbers, rows: Numbers,
           blocks: Numbers, following: Integers, used: Integers, room: int) -> None:
    """Add a step, and take away those of its bucket that it beats or that lower buckets beat.

    `used` has how many blocks are, `room` where a bucket has become too long, and the highest bucket with a step.
    """
    free = -1
    length = 0
    last = bucket
    block = bucket
    while block >= 0:
        at = BLOCK * block
        seconds = number_lanes(blocks, at)
        thirds = number_lanes(blocks, at + LANES)
        gone = ((seconds >= second) & (thirds >= third)) | (thirds >= bound)
        thirds = replaced(gone, NAN, thirds)
        put_lanes(blocks, at + LANES, thirds)
        lane = first(thirds != thirds)
        free = at + lane if free < 0 and lane < LANES else free
        last = block
        length += 1
        block = following[block]
    if free < 0:
        free = BLOCK * used[0]
        following[last] = used[0]
        following[used[0]] = -1
        put_lanes(blocks, free + LANES, equal_lanes(NAN))
        used[0] = used[0] + 1 if length < LONGEST else room
    blocks[free] = second
    blocks[free + LANES] = third
    top = used[1]
    if bucket > top:
        for at in range(top + 2, bucket + 2):
            least[at] = bound
        top = bucket
        used[1] = bucket
    row = bucket >> row_bits
    if lower(least, bucket + 1, min((row + 1) << row_bits, top + 2), third):
        lower(rows, row + 1, ((top + 1) >> row_bits) + 1, third)


def swept(seconds: Numbers, thirds: Numbers, words: Integers, size: int, mask: int, start: int, lowest: float,
          scale: float, buckets: int, row_bits: int, least: Numbers, rows: Numbers, blocks: Numbers,
          following: Integers, used: Integers, room: int, kept: Bytes) -> int:
    """Mark the points from `start` on that are not beaten, so long as there are blocks; where it stopped."""
    at = start
    while at < size and used[0] < room:
        ask_for(seconds, words[at + AHEAD] & mask)
        ask_for(thirds, words[at + AHEAD] & mask)
        ask_to_write(kept, words[at + (AHEAD >> 1)] & mask)
        if buckets > FAR:
            soon = bucket_of(seconds[words[at + SOON] & mask], lowest, scale, buckets)
            ask_for(least, soon)
            ask_for(blocks, BLOCK * soon)
            ask_for(blocks, BLOCK * soon + LANES)
        place = words[at] & mask
        second = seconds[place]
        third = thirds[place]
        bucket = bucket_of(second, lowest, scale, buckets)
        bound = bound_below(min(bucket, used[1] + 1), row_bits, least, rows)
        out = second != second or third != third or is_beaten(second, third, bucket, bound, blocks, following)
        kept[place] = int(not out)
        if not out:
            insert(second, third, bucket, bound, row_bits, least, rows, blocks, following, used, room)
        at += 1
    return at


def moved(old_blocks: Numbers, old_following: Integers, old_buckets: int, lowest: float, scale: float, buckets: int,
          row_bits: int, least: Numbers, rows: Numbers, blocks: Numbers, following: Integers, used: Integers,
          room: int) -> None:
    """Add the steps of another staircase, the highest first, so long as there are blocks."""
    bucket = old_buckets - 1
    while bucket >= 0 and used[0] < room:
        block = bucket
        while block >= 0:
            for at in range(BLOCK * block, BLOCK * block + LANES):
                third = old_blocks[at + LANES]
                if third == third and used[0] < room:
                    to = bucket_of(old_blocks[at], lowest, scale, buckets)
                    bound = bound_below(min(to, used[1] + 1), row_bits, least, rows)
                    insert(old_blocks[at], third, to, bound, row_bits, least, rows, blocks, following, used, room)
            block = old_following[block]
        bucket -= 1


_swept, _moved = compiled(swept), compiled(moved)


class Staircase:
    """The steps in a power of two of buckets, from the `low` to the `high` end of the second objective."""

    def __init__(self, low: float, high: float, buckets: int) -> None:
        self.low, self.high, self.buckets, self.room = low, high, buckets, int(SPARE * buckets)
        self.used = np.array([buckets, -1])
        row_bits = buckets.bit_length() // 2
        rows = buckets >> row_bits
        least, starts = np.full(buckets + LANES, np.nan), np.full(rows + LANES, np.nan)
        blocks, following = _aligned(BLOCK * self.room), np.empty(self.room, dtype=np.int64)
        blocks[:BLOCK * buckets].reshape(-1, 2, LANES)[:, 1] = np.nan
        following[:buckets] = -1
        scale = buckets / (high - low) if low < high else 0.0
        self.blocks, self.following = blocks, following
        self.parts = low, scale, buckets, row_bits, least, starts, blocks, following, self.used, self.room

    @property
    def is_full(self) -> bool:
        """Whether no step can be added."""
        return int(self.used[0]) >= self.room

    def sweep(self, seconds: Numbers, thirds: Numbers, slab: Slab, start: int, kept: Mask) -> int:
        """Mark the points of a slab from `start` on, so long as there is room; where it stopped."""
        found: int = _swept(seconds, thirds, *slab, start, *self.parts, kept)
        return found

    def wider(self, most: int) -> Staircase | None:
        """The same steps in more buckets; None where `most` are not enough."""
        buckets = self.buckets
        while buckets < most:
            buckets *= FASTER if buckets < MANY else 2
            wide = Staircase(self.low, self.high, buckets)
            _moved(self.blocks, self.following, self.buckets, *wide.parts)
            if not wide.is_full:
                return wide
        return None


def _aligned(size: int) -> Numbers:
    """Numbers not set yet, of which LANES at a multiple of LANES lie in one line of the cache."""
    room = np.empty(size + LANES)
    start = -room.ctypes.data // 8 % LANES
    return room[start:start + size]
