"""Small results tables with answers that can be worked out by hand, and checks of what a figure shows."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text


def table(rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Rows as columns."""
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


def grid(**axes: Any) -> list[dict[str, Any]]:
    """A row for each combination; the axes' dots are written as two underscores."""
    keys = [key.replace("__", ".") for key in axes]
    return [dict(zip(keys, values, strict=True)) for values in product(*axes.values())]


def l2_sweep(**axes: Any) -> dict[str, np.ndarray]:
    """A sweep of L2 sizes without and with a technique whose best L2 are 8 and 64 MiB, with further axes.

    Throughput: 100 tokens/s, with the technique 100 (1 + min(L2, 64) / 128). Silicon: 400 mm2 and 2 mm2 a MiB. So per
    mm2: without 100 / 416 at 8 MiB; with it 150 / 528 at 64 MiB, 1.18182 times as much. HBM bandwidth (over 1000 GB/s)
    and tensor parallelism scale the throughput.
    """
    further = {key: values for key, values in axes.items() if key not in ("hardware__l2_mib", "technique")}
    sizes = axes.get("hardware__l2_mib", (8.0, 16.0, 32.0, 64.0, 128.0, 256.0))
    rows = grid(**further, hardware__l2_mib=sizes, technique=axes.get("technique", ("none", "preserve")))
    for row in rows:
        l2 = row["hardware.l2_mib"]
        factor = row.get("hardware.hbm_gb_per_s", 1000.0) / 1000.0 * row.get("parallelism.tensor_parallel", 1.0)
        gain = 1.0 if row["technique"] == "none" else 1.0 + min(l2, 64.0) / 128.0
        row["throughput_tokens_per_s"] = 100.0 * factor * gain
        row["request_s"] = 1000.0 / row["throughput_tokens_per_s"]
        row["die_mm2"] = 400.0 + 2.0 * l2
        row["group_usd"] = 10.0 * row["die_mm2"] * row.get("parallelism.tensor_parallel", 1.0)
        row["tokens_per_s_per_mm2"] = row["throughput_tokens_per_s"] / row["die_mm2"]
        row["tokens_per_s_per_usd"] = row["throughput_tokens_per_s"] / row["group_usd"]
        row["feasible"] = 1.0
    return table(rows)


def texts(figure: Figure) -> list[Text]:
    """All texts that are seen."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    unseen = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        unseen |= {id(tick.label1) for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    return [text for text in figure.findobj(Text)
            if text.get_visible() and text.get_text().strip() and id(text) not in unseen]


def words(figure: Figure) -> str:
    """All that is written on the figure."""
    return "\n".join(text.get_text() for text in texts(figure))


def clipped(figure: Figure) -> list[str]:
    """Texts that reach beyond the edge of the figure."""
    from matplotlib.text import Text

    edge = figure.bbox.padded(1.0)
    out = []
    for text in texts(figure):
        box = Text.get_window_extent(text)
        if box.x0 < edge.x0 or box.y0 < edge.y0 or box.x1 > edge.x1 or box.y1 > edge.y1:
            out.append(text.get_text())
    return out


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that cover one another."""
    from matplotlib.text import Text

    boxes = [(text.get_text(), Text.get_window_extent(text).padded(-0.5)) for text in texts(figure)]
    return [(one, other) for place, (one, box) in enumerate(boxes) for other, second in boxes[:place]
            if box.overlaps(second) and box.width > 0.0 and second.width > 0.0]
