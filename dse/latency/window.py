"""What prefetching brings into L2 while a collective runs: what can be read, what stays, what it costs to ask for more.

What is read ahead is the first part of what follows, in its order, so that it is used before anything else streams
through the L2: only what is read beyond the free space is lost.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from dse.latency.collectives import Collective
from dse.latency.machine import Machine
from dse.technique.terms import TechniqueTerms


class Window(NamedTuple):
    """L2 that is free while a collective runs, and what HBM can deliver meanwhile."""

    free_bytes: float
    readable_bytes: float


class Ahead(NamedTuple):
    """What reading ahead saves the operators after the window, in bytes of HBM, and what it read in vain.

    `saved_bytes` is below 0 where what was evicted and has to be read again outweighs what the window read.
    """

    saved_bytes: float
    wasted_bytes: float


def window(first: Collective, second: Collective, message_bytes: float, on: Machine) -> Window:
    """The window of two collectives with nothing to read between them.

        free = usable L2 - 2 message              the message must stay in it, on its way in and out
        readable = min(HBM, L2 bandwidth) x time - what the collective moves in HBM itself, of both
    """
    free = max(0.0, on.style.l2_usable_share * on.device.l2_bytes - 2.0 * message_bytes)
    return Window(free, readable_bytes(first, on) + readable_bytes(second, on))


def readable_bytes(one: Collective, on: Machine) -> float:
    """What can be read from HBM into L2 while a collective runs."""
    return max(0.0, min(on.hbm_bytes_per_s, on.device.l2_bytes_per_s) * one.time_s - one.hbm_bytes)


def ahead(certain_bytes: float, guessed_bytes: float, useful_share: float, through: Window,
          technique: TechniqueTerms) -> Ahead:
    """What is saved when the operators up to the next collective will read what may be read ahead.

    Of the candidates, certain + guessed, a share of the guessed ones alone will be of use.

        asked   = min(limit, candidates)                     limit obeyed
                  min(limit, candidates, free, readable)     limit managed, or none set; 0 without a collective
        lost    = min(asked, 2 max(0, asked - free))
        in vain = asked - useful (1 - lost / asked)          useful = certain + share x guessed, of those asked
        saved   = min(asked, readable) - in vain

    Without management a limit above the free L2 is obeyed: each byte beyond the free ones evicts one that was read
    before it, and reading that one again evicts one more. What the window is too short to read goes on beside the
    operators: it takes their HBM time, and gives it back as far as it is of use.
    """
    candidates = certain_bytes + guessed_bytes
    most = min(technique.prefetch_limit_bytes, candidates)
    sized = technique.managed_l2 > 0.0 or math.isinf(technique.prefetch_limit_bytes)
    wanted = min(most, min(through.free_bytes, through.readable_bytes)) if sized else most
    asked = wanted if through.readable_bytes > 0.0 else 0.0
    lost = min(asked, 2.0 * max(0.0, asked - through.free_bytes))
    useful = min(asked, certain_bytes) + useful_share * max(0.0, asked - certain_bytes)
    in_vain = asked - useful * (1.0 - lost / max(1.0, asked))
    saved = min(asked, through.readable_bytes) - in_vain
    return Ahead(saved, in_vain + min(0.0, saved))
