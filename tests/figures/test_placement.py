"""Labels of points find a place of their own."""

from __future__ import annotations

import numpy as np
import pytest
from figure_tables import clipped, overlapping
from matplotlib.text import Annotation, Text

from dse.figures.placement import GRAIN, PointLabel, _along, _counter, place_labels
from dse.figures.style import look, panels

Points = list[tuple[float, float]]


def placed(points: Points, curve: Points) -> list[tuple[float, float, float, float]]:
    """Boxes, in data coordinates, of the labels of `points` beside a curve, in the points' order."""
    with look():
        figure, [[axes]] = panels(1, 1, (3.5, 2.5))
        axes.plot(*np.array(curve).T)
        axes.set(xlim=(0.0, 10.0), ylim=(0.0, 10.0))
        place_labels(figure, [PointLabel(axes, x, y, f"label {place}\nof two lines", "black")
                              for place, (x, y) in enumerate(points)])
        assert clipped(figure) == []
        assert overlapping(figure) == []
        notes = sorted((note for note in axes.findobj(Annotation)), key=Text.get_text)
        boxes = [axes.transData.inverted().transform_bbox(Text.get_window_extent(note)) for note in notes]
    return [(box.x0, box.y0, box.x1, box.y1) for box in boxes]


def test_a_free_label_stands_just_above_its_point() -> None:
    [(x0, y0, x1, _)] = placed([(5.0, 5.0)], [(0.0, 0.0), (10.0, 0.0)])
    assert 0.5 * (x0 + x1) == pytest.approx(5.0)
    assert 5.0 < y0 < 5.6


def test_a_label_covers_no_curve_and_does_not_leave_the_axes() -> None:
    curve = [(0.0, 9.0), (5.0, 9.6), (10.0, 8.0)]
    [(x0, y0, x1, y1)] = placed([(5.0, 9.6)], curve)
    along = np.linspace(x0, x1, 50)
    height = np.interp(along, *np.array(curve).T)
    assert np.all((height > y1) | (height < y0))
    assert y1 <= 10.0


def test_labels_of_one_point_stand_apart_and_those_of_two_in_the_order_of_height() -> None:
    boxes = placed([(1.0, 5.0)] * 4, [(0.0, 5.0), (10.0, 5.0)])
    assert len(boxes) == 4
    low, high = placed([(5.0, 5.0), (5.0, 5.3)], [(0.0, 5.0), (10.0, 5.0)])
    assert low[1] < high[1]


def test_many_labels_are_placed_too() -> None:
    assert len(placed([(1.0 + place, 5.0) for place in range(9)], [(0.0, 5.0), (10.0, 5.0)])) == 9


def test_what_a_box_covers_is_what_a_count_of_every_obstacle_finds() -> None:
    random = np.random.default_rng(0)
    obstacles = 300.0 * random.random((400, 2))
    low = 340.0 * random.random((500, 2)) - 20.0
    boxes = np.hstack([low, low + 60.0 * random.random((500, 2))])
    grains = GRAIN * np.unique(np.round(obstacles / GRAIN), axis=0)
    found = [np.count_nonzero(((grains > box[:2]) & (grains < box[2:])).all(axis=1)) for box in boxes]
    assert max(found) > 10
    assert _counter(obstacles)(boxes).tolist() == found
    assert _counter(np.empty((0, 2)))(boxes).tolist() == [0] * 500


def test_points_along_a_line_are_nowhere_far_apart_and_close_its_gaps() -> None:
    line = np.array([(0.0, 0.0), (30.0, 40.0), (np.nan, 5.0), (30.0, 100.0)])
    points = _along(line)
    assert {(0.0, 0.0), (30.0, 40.0), (30.0, 100.0)} <= set(map(tuple, points.tolist()))
    passed = np.sort(np.where(points[:, 0] < 30.0, np.hypot(*points.T), 50.0 + points[:, 1] - 40.0))
    assert np.diff(passed).max() <= 3.0 + 1e-9
    assert _along(line[2:]).tolist() == [[30.0, 100.0]]
