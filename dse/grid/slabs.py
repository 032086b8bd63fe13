"""Many points in lexicographic order, slab after slab of their first objective.

A point is a word: the leading bits of its first objective, and its place. The words of a slab are collected in a pass
over all points and sorted as integers; what these bits leave open is then sorted by all objectives. A slab is as much
as is moved at a time: memory that was not used before costs more than sorting what is written to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dse.grid.arrays import (
    Bytes,
    IntegerLanes,
    Integers,
    NumberLanes,
    Numbers,
    bits,
    clipped,
    integer_lanes,
    lane_numbers,
    number_lanes,
    put_those,
    some,
    truth_lanes,
)
from dse.grid.instructions import LANES
from dse.grid.loops import compiled

SLAB = 3_500_000  # points: 31 MB of words with what is spare, and from 32 MB on memory is new each time
SPARE = 1.1  # room for a slab that is larger than a sample lets expect
AHEAD = 96  # words that may be read after the last, so that what they lead to is fetched early
FEW_TIES = 2**12
SAMPLE = 2**13
FEW_LOOKED_AT = 2**10  # points that show which objectives have few different numbers
WORD_BITS = 63
SIGN_CLEARED = 2**63 - 1
BEYOND = 2**62  # above all keys


class Slab(NamedTuple):
    """The words of `size` points, in order; their low bits, those of `mask`, are the places of the points."""

    words: Integers
    size: int
    mask: int


class Packing(NamedTuple):
    """How a key becomes the leading bits of a word: clipped to `least` and `most`, the bits above the last `shift`."""

    least: int
    most: int
    shift: int
    place_bits: int


def half_keys(values: NumberLanes) -> IntegerLanes:
    """Integers in the order of the numbers, without the last bit, so that differences fit; both zeros are the same."""
    raw = bits(values + 0.0)
    return (raw ^ ((raw >> 63) & SIGN_CLEARED)) >> 1


def packed(firsts: Numbers, total: int, feasible: Bytes, step: int, low: int, high: int, least: int, most: int,
           shift: int, place_bits: int, words: Integers, room: int) -> int:
    """Collect the words of the feasible points with keys from `low` to below `high`; how many there are.

    Those that there is no room for are only counted.
    """
    found = 0
    for start in range(0, total, LANES):
        at = min(start, total - LANES)
        values = number_lanes(firsts, at)
        keys = half_keys(values)
        places = lane_numbers() + at
        inside = (places >= start) & truth_lanes(feasible, at * step) & (values == values)
        inside = inside & (keys >= low) & (keys < high)
        leading = (clipped(keys, least, most) - least) >> shift
        found += put_those(words, min(found, room), leading << place_bits | places, inside)
    return found


def tied(words: Integers, size: int, place_bits: int, ties: Integers, room: int) -> int:
    """List words with the same leading bits as the one before; how many there are."""
    found = 0
    for start in range(1, size, LANES):
        differing = (integer_lanes(words, start) ^ integer_lanes(words, start - 1)) >> place_bits
        if some(differing == 0):
            for at in range(start, min(start + LANES, size)):
                ties[min(found, room)] = at
                found += int((words[at] ^ words[at - 1]) >> place_bits == 0)
    return found


_packed, _tied = compiled(packed), compiled(tied)


def varied_first(points: Numbers) -> list[Numbers]:
    """The objectives of (objectives, points), those with few different numbers last, so that fewer points tie.

    A front is the same in whatever order its objectives stand.
    """
    points = np.ascontiguousarray(points)
    sample = points[:, ::max(1, points.shape[1] // FEW_LOOKED_AT)]
    different = [len(np.unique(row)).bit_length() for row in sample]
    return [points[row] for row in sorted(range(len(points)), key=lambda row: -different[row])]


def slabs(points: Sequence[Numbers], feasible: npt.NDArray[np.bool_] | None) -> Iterator[Slab]:
    """The feasible ones of the points, given by objective, in lexicographic order, equal ones by their place.

    A point is left out where its first objective is NaN.
    """
    firsts = points[0]
    flags = np.ones(LANES, np.uint8) if feasible is None else np.ascontiguousarray(feasible, np.bool_).view(np.uint8)
    if len(firsts) < LANES:
        firsts = np.append(firsts, np.full(LANES - len(firsts), np.nan))
        flags = np.append(flags, np.ones(LANES, np.uint8))
    packing, cuts = _packing(firsts)
    room = min(len(firsts), int(SPARE * len(firsts) / (len(cuts) - 1)))
    words = _words(room)
    for low, high in itertools.pairwise(cuts):
        given = (firsts, len(firsts), flags, feasible is not None, low, high, *packing)
        size = _packed(*given, words, room)
        if size > room:
            room, words = size, _words(size)
            _packed(*given, words, room)
        words[:size].sort()
        _set_right(points, words, size, packing.place_bits)
        words[size:size + AHEAD] = 0
        yield Slab(words, size, (1 << packing.place_bits) - 1)


def _words(room: int) -> Integers:
    return np.empty(room + AHEAD + LANES, dtype=np.int64)


def _packing(firsts: Numbers) -> tuple[Packing, list[int]]:
    """The packing, and the keys that part the slabs, by a sample."""
    total = len(firsts)
    sample = firsts[::max(1, total // SAMPLE)]
    keys = half_keys(sample[~np.isnan(sample)])
    least, most = int(keys.min(initial=BEYOND - 1)), int(keys.max(initial=-BEYOND))
    slabs = -(-total // SLAB)
    cuts = np.sort(keys)[len(keys) * np.arange(1, slabs) // slabs].tolist() if len(keys) and slabs > 1 else []
    place_bits = (total - 1).bit_length()
    shift = max(0, max(0, most - least).bit_length() - (WORD_BITS - place_bits))
    return Packing(least, most, shift, place_bits), [-BEYOND, *cuts, BEYOND]


def _set_right(points: Sequence[Numbers], words: Integers, size: int, place_bits: int) -> None:
    """Sorts the words with the same leading bits by what their points are."""
    ties = np.empty(FEW_TIES + 1, dtype=np.int64)
    found = _tied(words, size, place_bits, ties, FEW_TIES)
    if found > FEW_TIES:
        ties = np.empty(found + 1, dtype=np.int64)
        _tied(words, size, place_bits, ties, found)
    if found:
        ties = ties[:found]
        members = np.sort(np.concatenate([ties - 1, ties]))
        members = members[np.append(True, members[1:] != members[:-1])]
        open_ones = words[members]
        places = open_ones & ((1 << place_bits) - 1)
        rows = [row[places] for row in reversed(points)]
        words[members] = open_ones[np.lexsort((*rows, open_ones >> place_bits))]  # a stable sort: places rise
