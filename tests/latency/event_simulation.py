"""Two streams of one device, event by event: an independent check of the closed form of the prefetch windows.

It knows amounts (FLOPs, bytes), rates and durations, and none of the equations of the model. The compute stream runs a
program in order. An operator waits out its floor, then computes, reads HBM and reads L2 side by side until the last of
the three ends, and last waits out what of computing or reading, the shorter, cannot run beside the other.
A collective lasts its given time and draws its HBM bytes evenly over it; the event at its beginning
starts the prefetch stream, which reads what the operators up to the next collective will want, in order, at the HBM
rate that the collective leaves, into the L2 that is free. It stops with the collective, when the L2 is full, when the
limit is reached or when nothing is left to read. Where the next collective continues the window, it pauses until that
begins, and then goes on with what is not yet running. What an operator finds in L2 it does not read from HBM, and the
space is free again when the next window opens. Rates are constant between events. Time is decimal with 50 digits: no
rounding to hide in.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from itertools import count
from typing import NamedTuple

DIGITS = 50
WINDOW_END, L2_FULL, LIMIT, NOTHING_LEFT = "window end", "L2 full", "limit", "nothing left"


class Operator(NamedTuple):
    """`ahead_bytes` may be read before the operator starts, `other_bytes` may not; both come from HBM.

    `useful` is the share of the bytes ahead that the operator turns out to want: of experts, those that are taken.
    There may be a second kernel for the same work, with its own floor and FLOP/s: the faster one is launched, by what
    lies in L2 when the operator starts.
    """

    name: str
    floor_s: float
    flops: float
    flops_per_s: float
    ahead_bytes: float
    other_bytes: float
    l2_bytes: float
    second_floor_s: float = math.inf
    second_flops_per_s: float = 1.0
    unhidden_share: float = 0.0
    useful: float = 1.0


class Transfer(NamedTuple):
    """A collective: how long it takes, what it moves in HBM meanwhile, and the message that stays in L2, in and out.

    `continues`: it belongs to the window that the collective before it opened.
    """

    name: str
    duration_s: float
    hbm_bytes: float
    message_bytes: float = 0.0
    continues: bool = False


class Chip(NamedTuple):
    """Rates, the L2 that software can fill, and the most that one window may read."""

    hbm_bytes_per_s: float
    l2_bytes_per_s: float
    l2_bytes: float
    limit_bytes: float


class Outcome(NamedTuple):
    """When the program ends, what each of its items found in L2, and why each window's reading stopped."""

    time_s: float
    prefetched_bytes: list[float]
    stops: list[str]


Program = Sequence[Operator | Transfer]


def simulate(program: Program, chip: Chip) -> Outcome:
    """Run `program` on `chip`."""
    with localcontext() as context:
        context.prec = DIGITS
        run = _Run(program, chip)
        run.go()
        return Outcome(float(run.now), [float(found) for found in run.found], run.stops)


class _Run:
    """The clock, its queue of events, and the two streams."""

    def __init__(self, program: Program, chip: Chip) -> None:
        self.program = program
        self.hbm = Decimal(chip.hbm_bytes_per_s)
        self.l2_rate = Decimal(chip.l2_bytes_per_s)
        self.l2_bytes = Decimal(chip.l2_bytes)
        self.l2_free = Decimal(0)
        self.now = Decimal(0)
        self.queue: list[tuple[Decimal, int, Callable[[], None]]] = []
        self.order = count()
        self.at = -1  # the item that the compute stream runs
        self.flows = 0  # how many of an operator's three flows still run
        self.found = [Decimal(0)] * len(program)
        self.stops: list[str] = []
        self.reader = _Reader(self, Decimal(chip.limit_bytes))

    def go(self) -> None:
        self.start_next()
        while self.at < len(self.program):  # a reading that was cut off leaves its event in the queue
            self.now, _, event = heapq.heappop(self.queue)
            event()

    def after(self, delay: Decimal, event: Callable[[], None]) -> None:
        heapq.heappush(self.queue, (self.now + delay, next(self.order), event))

    def start_next(self) -> None:
        self.at += 1
        if self.at == len(self.program):
            return
        item = self.program[self.at]
        if isinstance(item, Transfer):
            duration = Decimal(item.duration_s)
            taken = Decimal(item.hbm_bytes) / duration
            self.after(duration, self.end_transfer)
            rate = max(Decimal(0), min(self.hbm, self.l2_rate) - taken)
            if item.continues:
                self.reader.resume(rate)
            else:
                self.l2_free = max(Decimal(0), self.l2_bytes - 2 * self.message())
                self.reader.start(self.candidates(), rate)
        else:
            kernels = ((item.floor_s, item.flops_per_s), (item.second_floor_s, item.second_flops_per_s))
            self.kernel = min(kernels, key=self.kernel_s)
            self.after(Decimal(self.kernel[0]), self.start_flows)

    def candidates(self) -> list[int]:
        """The operators from here up to the next collective that opens a window of its own."""
        following = []
        for place in range(self.at + 1, len(self.program)):
            item = self.program[place]
            if isinstance(item, Operator):
                following.append(place)
            elif not item.continues:
                break
        return following

    def continuing(self) -> Transfer | None:
        """The next collective, if it continues this window."""
        following = (item for item in self.program[self.at + 1:] if isinstance(item, Transfer))
        item = next(following, None)
        return item if item is not None and item.continues else None

    def message(self) -> Decimal:
        """The larger message of the window that opens."""
        second = self.continuing()
        item = self.program[self.at]
        assert isinstance(item, Transfer)
        return Decimal(max(item.message_bytes, 0.0 if second is None else second.message_bytes))

    def end_transfer(self) -> None:
        if self.continuing() is None:
            self.reader.stop(WINDOW_END)
        else:
            self.reader.pause()
        self.start_next()

    def kernel_s(self, kernel: tuple[float, float]) -> Decimal:
        """How long the operator that starts now will take with this kernel."""
        compute_s, hbm_s, l2_s = self.flow_times(kernel[1])
        return Decimal(kernel[0]) + max(l2_s, max(compute_s, hbm_s) + self.unhidden_s(kernel[1]))

    def flow_times(self, flops_per_s: float) -> tuple[Decimal, Decimal, Decimal]:
        item = self.program[self.at]
        assert isinstance(item, Operator)
        missing = Decimal(item.useful) * (Decimal(item.ahead_bytes) - self.found[self.at]) + Decimal(item.other_bytes)
        return (Decimal(item.flops) / Decimal(flops_per_s), missing / self.hbm, Decimal(item.l2_bytes) / self.l2_rate)

    def unhidden_s(self, flops_per_s: float) -> Decimal:
        item = self.program[self.at]
        assert isinstance(item, Operator)
        compute_s, hbm_s, _ = self.flow_times(flops_per_s)
        return Decimal(item.unhidden_share) * min(compute_s, hbm_s)

    def start_flows(self) -> None:
        self.flows, self.sides = 2, 2
        compute_s, hbm_s, l2_s = self.flow_times(self.kernel[1])
        self.after(compute_s, self.end_flow)
        self.after(hbm_s, self.end_flow)
        self.after(l2_s, self.end_side)

    def end_flow(self) -> None:
        self.flows -= 1
        if self.flows == 0:
            self.after(self.unhidden_s(self.kernel[1]), self.end_side)

    def end_side(self) -> None:
        """Of compute and HBM with what they do not hide of each other, or of L2."""
        self.sides -= 1
        if self.sides == 0:
            self.start_next()


class _Reader:
    """The prefetch stream: reads one operator's bytes after the other, or as far as L2, limit and window allow."""

    def __init__(self, run: _Run, limit: Decimal) -> None:
        self.run = run
        self.limit = limit
        self.window = 0  # tells an event of this reading from one of a reading that was stopped
        self.active = False
        self.paused = False

    def start(self, waiting: list[int], rate: Decimal) -> None:
        self.window += 1
        self.active = True
        self.waiting, self.rate, self.read = waiting, rate, Decimal(0)
        self.next_read()

    def pause(self) -> None:
        """Stop until the window's second collective begins, unless this reading has come to its end before."""
        self.paused = self.active
        if self.active and self.waiting:
            self.settle()
        self.active = False

    def resume(self, rate: Decimal) -> None:
        """Go on with what is not yet running."""
        if self.paused:
            self.paused, self.active, self.rate = False, True, rate
            self.window += 1
            self.waiting = [place for place in self.waiting if place > self.run.at]
            self.next_read()

    def next_read(self) -> None:
        """Begin with the next operator that wants bytes, and book the end of reading them or the end of the space."""
        while self.waiting and self.wanted(self.waiting[0]) == 0:
            self.waiting.pop(0)
        if not self.waiting:
            self.stop(NOTHING_LEFT)
            return
        self.since = self.run.now
        room = min(self.run.l2_free, self.limit - self.read)
        wanted = self.wanted(self.waiting[0])
        reason = LIMIT if room < self.run.l2_free else L2_FULL
        if room == 0:
            self.stop(reason)
        elif self.rate > 0:
            window = self.window
            ends = self.operator_read if wanted <= room else (lambda: self.stop(reason))
            self.run.after(min(wanted, room) / self.rate, lambda: ends() if self.current(window) else None)

    def wanted(self, place: int) -> Decimal:
        item = self.run.program[place]
        assert isinstance(item, Operator)
        return Decimal(item.ahead_bytes) - self.run.found[place]

    def current(self, window: int) -> bool:
        return self.active and window == self.window

    def operator_read(self) -> None:
        self.settle()
        self.waiting.pop(0)
        self.next_read()

    def settle(self) -> None:
        """Put into L2 what was read since the last event."""
        arrived = self.rate * (self.run.now - self.since)
        self.since = self.run.now
        self.run.found[self.waiting[0]] += arrived
        self.run.l2_free -= arrived
        self.read += arrived

    def stop(self, reason: str) -> None:
        if not self.active:
            return
        if self.waiting:
            self.settle()
        self.active = False
        self.run.stops.append(reason)
