"""What of a collective is left when it runs beside the matrix multiplication next to it, tile by tile."""

from __future__ import annotations

from dse.latency.collectives import Collective
from dse.latency.roofline import OperatorTime


def exposed_s(one: Collective, beside: OperatorTime, share: float, hbm_bytes_per_s: float) -> float:
    """Time of a collective that is not beside the multiplication whose results it sends, or which takes what it brings.

        g       = time of the multiplication without its floor
        exposed = max( (1 - share) t, t - share g, (HBM bytes of both) / HBM bandwidth - g )    and never above t

    Cut into n tiles of which one is sent while the next is worked out, both take max(g + t / n, g / n + t): the last
    tile is sent after the multiplication, or the first is worked out before the collective; share = 1 - 1 / n. No tile
    is ready while a kernel starts. Both draw on the same HBM; that they might want the same cores is left out.
    """
    working_s = beside.time_s - beside.floor_s
    ends_s = max((1.0 - share) * one.time_s, one.time_s - share * working_s)
    by_hbm_s = (one.hbm_bytes + beside.hbm_bytes) / hbm_bytes_per_s - working_s
    return min(one.time_s, max(ends_s, by_hbm_s))
