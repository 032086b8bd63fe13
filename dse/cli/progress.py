"""How far a long run is, on standard error: one line rewritten on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time

REFRESH_S, BETWEEN_LINES_S = 0.2, 10.0


class ProgressLine:
    """Tells the share that is done, and the time left at the pace since it was first told one."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.terminal = sys.stderr.isatty()
        self.first: float | None = None
        self.started = self.told = time.monotonic()

    def tell(self, share: float) -> None:
        """Says so, if the last time is some while ago."""
        now = time.monotonic()
        if self.first is None:  # what an earlier run has done says nothing of this one's pace
            self.first, self.started = share, now
        if now - self.told < (REFRESH_S if self.terminal else BETWEEN_LINES_S):
            return
        self.told = now
        done = share - self.first
        left = f", {duration((now - self.started) * (1.0 - share) / done)} left" if done > 0.0 else ""
        text = f"{share:.1%} of the {self.what}{left}"
        sys.stderr.write(f"\r\x1b[K{text}\r" if self.terminal else f"{text}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Leaves no line behind on a terminal."""
        if self.terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def duration(seconds: float) -> str:
    """A time as a person says it: in seconds, minutes, hours or days."""
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2.0 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} s"
