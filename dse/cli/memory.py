"""Memory that is left for a table, and what one takes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from dse.errors import InputError
from dse.units import GIGA

BYTES_OF_A_NUMBER = 24  # measured at the most: 16 in a table of all designs, 24 where every row is on a front
MEMINFO = Path("/proc/meminfo")
LIMITS = (("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
          ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"))


def refuse_what_does_not_fit(rows: float, columns: int, widest: str) -> None:
    """InputError where a table of this size would not fit into the memory that is free."""
    needed, free = rows * columns * BYTES_OF_A_NUMBER, free_bytes()
    if needed > free:
        raise InputError(f"the table of the sweep would have about {rows:,.0f} rows, which take about "
                         f"{needed / GIGA:,.1f} GB of memory, and {free / GIGA:,.1f} GB are free: take coarser axes "
                         f"(largest: {widest})")


def free_bytes() -> float:
    """Bytes that this process may still take without others being moved out; infinite where the system does not say."""
    return min(_limits(), default=math.inf)


def _limits() -> Iterator[float]:
    """What the machine has left, a container's limit, and the process's own."""
    for line in _text(MEMINFO).splitlines():
        if line.startswith("MemAvailable:"):
            yield float(line.split()[1]) * 1024.0
    for most, taken in LIMITS:
        limit, used = _text(Path(most)), _text(Path(taken))
        if limit.isdigit() and used.isdigit():
            yield float(limit) - float(used)
    yield _own_limit()


def _own_limit() -> float:
    """What is left of `ulimit -v`."""
    try:
        import resource
    except ImportError:  # not on Windows
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    taken = _text(Path("/proc/self/statm")).split()
    if limit == resource.RLIM_INFINITY or not taken:
        return math.inf
    return float(limit - int(taken[0]) * resource.getpagesize())


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
