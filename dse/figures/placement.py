"""Labels of points, each put where it covers no curve, no other label and nothing outside its axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

    from dse.figures.table import Floats

DISTANCES = (5.0, 10.0, 16.0, 24.0, 34.0, 46.0)
DIRECTIONS = ((0.0, 1.0), (0.0, -1.0), (1.0, 0.6), (-1.0, 0.6), (1.0, -0.6), (-1.0, -0.6), (1.0, 0.0), (-1.0, 0.0))
OUTSIDE, COVERS_LABEL, COVERS_CURVE = 1e6, 1e4, 1e2
ROOM = 1.5
POINTS_PER_INCH = 72.0


class PointLabel(NamedTuple):
    """A text for the point (x, y) of `axes`."""

    axes: Axes
    x: float
    y: float
    text: str
    colour: str


def place_labels(figure: Figure, labels: Sequence[PointLabel]) -> None:
    """Writes every label at the least bad of 48 places around its point, with a thin line to it."""
    figure.draw_without_rendering()
    obstacles = {axes: _drawn_points(axes) for axes in figure.axes}
    taken: dict[Axes, list[Bbox]] = {axes: [] for axes in figure.axes}
    for label in labels:
        taken[label.axes].append(_place(label, obstacles[label.axes], taken[label.axes]))


def _place(label: PointLabel, obstacles: Floats, taken: Sequence[Bbox]) -> Bbox:
    boxes = _boxes(label)
    costs = [_cost(box, label.axes.bbox, obstacles, taken) + abs(right) + abs(up) for (right, up), box in boxes.items()]
    way, box = list(boxes.items())[int(np.argmin(costs))]
    _annotation(label, way)
    return box


def _annotation(label: PointLabel, way: tuple[float, float]) -> Annotation:
    from matplotlib.patheffects import withStroke

    across = {-1.0: "right", 0.0: "center", 1.0: "left"}[float(np.sign(way[0]))]
    along = {-1.0: "top", 0.0: "center", 1.0: "bottom"}[float(np.sign(way[1]))]
    line = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.4, "shrinkA": 0.0, "shrinkB": 2.0}
    note = label.axes.annotate(label.text, (label.x, label.y), way, textcoords="offset points", color=label.colour,
                               fontsize=6.0, ha=across, va=along, arrowprops=line, zorder=6.0, linespacing=1.1)
    note.set_in_layout(False)
    note.set_path_effects([withStroke(linewidth=1.5, foreground="white")])
    return note


def _boxes(label: PointLabel) -> dict[tuple[float, float], Bbox]:
    """Where the text would lie, in display coordinates, for each way of placing it."""
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    probe = _annotation(label, (0.0, 0.0))
    size = Text.get_window_extent(probe)
    probe.remove()
    x, y = label.axes.transData.transform((label.x, label.y))
    pixels = label.axes.figure.dpi / POINTS_PER_INCH
    return {(right, up): Bbox.from_bounds(x + right * pixels + 0.5 * (np.sign(right) - 1.0) * size.width,
                                          y + up * pixels + 0.5 * (np.sign(up) - 1.0) * size.height,
                                          size.width, size.height) for right, up in _ways()}


def _ways() -> Iterator[tuple[float, float]]:
    for distance in DISTANCES:
        for right, up in DIRECTIONS:
            yield distance * right, distance * up


def _cost(box: Bbox, inside: Bbox, obstacles: Floats, taken: Sequence[Bbox]) -> float:
    wide = box.padded(ROOM)
    out = not (inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1)
    covered = ((obstacles[:, 0] > wide.x0) & (obstacles[:, 0] < wide.x1) & (obstacles[:, 1] > wide.y0)
               & (obstacles[:, 1] < wide.y1))
    overlapped = sum(1 for other in taken if wide.overlaps(other))
    return OUTSIDE * out + COVERS_LABEL * overlapped + COVERS_CURVE * float(np.count_nonzero(covered))


def _drawn_points(axes: Axes) -> Floats:
    """Points every few pixels along all lines of the axes, and all scattered points, in display coordinates."""
    from matplotlib.collections import PathCollection

    scattered = (part for part in axes.collections if isinstance(part, PathCollection))
    parts = [np.empty((0, 2)), *(part.get_offset_transform().transform(part.get_offsets()) for part in scattered)]
    for line in axes.get_lines():
        path = line.get_transform().transform(np.asarray(line.get_xydata(), dtype=np.float64))
        path = path[np.isfinite(path).all(axis=1)]
        for start, end in pairwise(path):
            steps = max(2, int(np.hypot(*(end - start)) / 3.0))
            parts.append(start + np.linspace(0.0, 1.0, steps)[:, None] * (end - start))
        parts.append(path)
    return np.concatenate(parts)
