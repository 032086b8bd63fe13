"""What a prefetch limit above the free L2 loses, against a cache simulated block by block."""

from __future__ import annotations

import random
from collections import OrderedDict

import pytest
from builders import option

from dse.latency.window import Window, ahead
from dse.technique.registry import technique_terms

FREE = 2000  # blocks
PLAIN = technique_terms(option("technique", "preserve"))


def closed_form(asked: int) -> float:
    """Blocks lost: those read in vain, where the window is long enough for all that is asked."""
    limited = PLAIN._replace(prefetch_limit_bytes=float(asked))
    return ahead(1e6, 0.0, 1.0, Window(float(FREE), 1e6), limited).wasted_bytes


def missed_at_random(asked: int) -> int:
    """Blocks are read in order, then used in order; each that does not fit evicts any other with the same chance."""
    chance, places, held = random.Random(1), list[int](), dict[int, int]()
    missed = 0
    for turn in (0, 1):
        for block in range(asked):
            if block in held:
                continue
            missed += turn
            place = len(places) if len(places) < FREE else chance.randrange(FREE)
            if place < len(places):
                del held[places[place]]
                places[place] = block
            else:
                places.append(block)
            held[block] = place
    return missed


def missed_by_age(asked: int) -> int:
    """The same, and the block that was not touched for longest goes."""
    held: OrderedDict[int, None] = OrderedDict()
    missed = 0
    for turn in (0, 1):
        for block in range(asked):
            missed += turn * (block not in held)
            held[block] = None
            held.move_to_end(block)
            if len(held) > FREE:
                held.popitem(last=False)
    return missed


@pytest.mark.parametrize("over", [0.05, 0.1, 0.2, 0.3, 0.5])
def test_the_loss_lies_between_random_replacement_and_that_of_the_oldest(over: float) -> None:
    """Random replacement loses 0.75 to 0.9 of it; a strict order of age would lose all that was read."""
    asked = round(FREE * (1.0 + over))
    assert 0.74 * closed_form(asked) <= missed_at_random(asked) <= 0.9 * closed_form(asked)
    assert missed_by_age(asked) == asked >= closed_form(asked)


def test_nothing_is_lost_up_to_the_free_space() -> None:
    assert closed_form(FREE) == missed_at_random(FREE) == missed_by_age(FREE) == 0
