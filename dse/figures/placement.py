"""Labels of points, each put where it covers no curve, no other label and nothing outside its axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dse.figures.style import settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

    from dse.figures.table import Flags, Floats, Rows

DISTANCES = (5.0, 10.0, 16.0, 24.0, 34.0, 46.0)
DIRECTIONS = ((0.0, 1.0), (0.0, -1.0), (1.0, 0.6), (-1.0, 0.6), (1.0, -0.6), (-1.0, -0.6), (1.0, 0.0), (-1.0, 0.0),
              (0.3, 1.0), (-0.3, 1.0), (0.3, -1.0), (-0.3, -1.0))
WAYS = tuple((distance * right, distance * up) for distance, (right, up) in product(DISTANCES, DIRECTIONS))
OUTSIDE, COVERS_LABEL, LINE_COVERS_LABEL, COVERS_CURVE, LINE_COVERS_CURVE = 1e6, 1e4, 1e3, 1e2, 2e1
WRONG_ORDER = 2e2
GRAIN, NEAR, MARKER, WITHOUT_LINE = 2.0, 2.0, 8.0, 12.0
STRIDE = 3.0
PADDING = np.array([-1.5, -1.5, 1.5, 1.5])
AROUND = np.array([-300.0, -300.0, 300.0, 300.0])  # farther outside nothing is covered by a label
MOST_ORDERS = 4
POINTS_PER_INCH = 72.0


class PointLabel(NamedTuple):
    """A text for the point (x, y) of `axes`."""

    axes: Axes
    x: float
    y: float
    text: str
    colour: str


class Choices(NamedTuple):
    """Where a label may go, one row a way: its box (x0, y0, x1, y1), the line to it, and what it covers as a cost."""

    label: PointLabel
    boxes: Floats
    lines: Floats
    costs: Floats


def place_labels(figure: Figure, labels: Sequence[PointLabel]) -> None:
    """Writes every label at the least bad of many places around its point, with a thin line to it where it is far.

    Labels are placed one after the other; the best of all orders is taken where they are few.
    """
    settle(figure)
    for axes in figure.axes:
        here = [label for label in labels if label.axes is axes]
        if not here:
            continue
        covered = _counter(_drawn_points(axes))
        choices = [_choices(label, covered) for label in here]
        orders = permutations(choices) if len(choices) <= MOST_ORDERS else [tuple(choices)]
        _, placed = min((_placed(order) for order in orders), key=lambda found: found[0])
        for label, way in placed:
            _write(label, way, far=True)


def _placed(order: Sequence[Choices]) -> tuple[float, list[tuple[PointLabel, tuple[float, float]]]]:
    """The cost and the ways when each label in turn takes the cheapest place that those before it leave."""
    total = 0.0
    taken: list[tuple[Choices, int]] = []
    for choices in order:
        costs = choices.costs.copy()
        for other, way in taken:
            costs += _disturbed(choices, other, way)
        best = int(np.argmin(costs))
        total += float(costs[best])
        taken.append((choices, best))
    return total, [(choices.label, WAYS[way]) for choices, way in taken]


def _disturbed(choices: Choices, other: Choices, way: int) -> Floats:
    """For each place of a label how much it disturbs another label that is placed: text, lines, order of height."""
    boxes, box = choices.boxes + PADDING, other.boxes[way]
    overlaps = ((boxes[:, :2] < box[2:]) & (box[:2] < boxes[:, 2:])).all(axis=1)
    crossed = _within(choices.lines, box).any(axis=1)
    crossing = _within(other.lines[way], boxes[:, None, :]).any(axis=1)
    above = (boxes[:, 1] + boxes[:, 3] > box[1] + box[3]) == (choices.label.y > other.label.y)
    beside = (boxes[:, 0] > box[2]) | (boxes[:, 2] < box[0])
    cost: Floats = (COVERS_LABEL * overlaps + LINE_COVERS_LABEL * crossed + LINE_COVERS_LABEL * crossing
                    + WRONG_ORDER * ~(above | beside))
    return cost


def _choices(label: PointLabel, covered: Callable[[Floats], Rows]) -> Choices:
    point = label.axes.transData.transform((label.x, label.y))
    boxes = _boxes(label, point)
    nearest = np.clip(point, boxes[:, :2], boxes[:, 2:])
    reach = np.maximum(1e-9, np.hypot(*(nearest - point).T))[:, None]
    start = point + (nearest - point) * np.minimum(1.0, MARKER / reach)
    lines = start[:, None, :] + np.linspace(0.0, 1.0, 20)[None, :, None] * (nearest - start)[:, None, :]
    inside = label.axes.bbox
    out = ~((boxes[:, :2] >= inside.min) & (boxes[:, 2:] <= inside.max)).all(axis=1)
    crossed = (covered(np.concatenate([lines - NEAR, lines + NEAR], axis=2)) > 0).sum(axis=1)
    far = np.abs(np.array(WAYS)).sum(axis=1)
    return Choices(label, boxes, lines, OUTSIDE * out + COVERS_CURVE * covered(boxes + PADDING)
                   + LINE_COVERS_CURVE * crossed + far)


def _boxes(label: PointLabel, point: Floats) -> Floats:
    """Where the text would lie, in display coordinates, for each way of placing it."""
    from matplotlib.text import Text

    probe = _write(label, (0.0, 0.0), far=False)
    box = Text.get_window_extent(probe)
    probe.remove()
    ways, size = np.array(WAYS), np.array([box.width, box.height])
    low = point + ways * label.axes.figure.dpi / POINTS_PER_INCH + 0.5 * (np.sign(ways) - 1.0) * size
    return np.hstack([low, low + size])


def _write(label: PointLabel, way: tuple[float, float], far: bool) -> Annotation:
    from matplotlib.patheffects import withStroke

    right, up = float(np.sign(way[0])), float(np.sign(way[1]))
    line = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.4, "shrinkA": 0.0, "shrinkB": 2.0,
            "relpos": (0.5 - 0.5 * right, 0.5 - 0.5 * up)}
    note = label.axes.annotate(
        label.text, (label.x, label.y), way, textcoords="offset points", color=label.colour, fontsize=6.0,
        ha={-1.0: "right", 0.0: "center", 1.0: "left"}[right], va={-1.0: "top", 0.0: "center", 1.0: "bottom"}[up],
        arrowprops=line if far and max(map(abs, way)) > WITHOUT_LINE else None, zorder=6.0, linespacing=1.1)
    note.set_in_layout(False)
    note.set_path_effects([withStroke(linewidth=1.5, foreground="white")])
    return note


def _within(points: Floats, box: Floats) -> Flags:
    inside: Flags = np.all((points > box[..., :2]) & (points < box[..., 2:]), axis=-1)
    return inside


def _counter(obstacles: Floats) -> Callable[[Floats], Rows]:
    """What tells how many obstacles lie within each of many boxes, those of the same grain counted once.

    Four look-ups a box in the sums over a raster, however many obstacles there are.
    """
    grains = np.round(obstacles / GRAIN).astype(np.intp)
    least = grains.min(axis=0) if len(grains) else np.zeros(2, dtype=np.intp)
    size = np.ptp(grains, axis=0) + 1 if len(grains) else np.ones(2, dtype=np.intp)
    raster = np.zeros(size + 1, dtype=np.intp)
    raster[tuple((grains - least + 1).T)] = 1
    sums = raster.cumsum(axis=0).cumsum(axis=1)

    def count(boxes: Floats) -> Rows:
        low = np.floor(boxes[..., :2] / GRAIN).astype(np.intp) + 1 - least
        high = np.ceil(boxes[..., 2:] / GRAIN).astype(np.intp) - least
        (x0, y0), (x1, y1) = (np.moveaxis(np.clip(end, 0, size), -1, 0) for end in (low, np.maximum(low, high)))
        found: Rows = sums[x1, y1] - sums[x0, y1] - sums[x1, y0] + sums[x0, y0]
        return found

    return count


def _drawn_points(axes: Axes) -> Floats:
    """Points every few pixels along all lines of the axes, and all scattered points, in display coordinates."""
    from matplotlib.collections import PathCollection

    scattered = (part for part in axes.collections if isinstance(part, PathCollection))
    parts = [np.empty((0, 2)), *(part.get_offset_transform().transform(part.get_offsets()) for part in scattered)]
    parts += [_along(line.get_transform().transform(np.asarray(line.get_xydata(), dtype=np.float64)))
              for line in axes.get_lines()]
    points = np.concatenate(parts)
    return points[_within(points, np.concatenate([axes.bbox.min, axes.bbox.max]) + AROUND)]


def _along(line: Floats) -> Floats:
    """The points of a line and those every few pixels between them, gaps closed."""
    known = line[np.isfinite(line).all(axis=1)]
    if len(known) < 2:
        return known
    passed = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(known, axis=0).T))))
    steps = np.arange(0.0, passed[-1], STRIDE)
    return np.concatenate([known, np.stack([np.interp(steps, passed, part) for part in known.T], axis=1)])
