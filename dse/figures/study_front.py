"""The Pareto front of a study: feasible designs, infeasible ones, the front, the best, and the baseline's front."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.labels import number, quantity, uncapital
from dse.figures.placement import PointLabel, place_labels
from dse.figures.style import (
    BLUE,
    COLUMN_INCHES,
    GREY,
    SKY,
    VERMILION,
    label,
    look,
    panels,
    show_legend,
    show_note,
    show_numbers,
    shown,
)
from dse.figures.table import Flags, Floats
from dse.grid.pareto import front_places

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LineStyle = tuple[float, tuple[float, ...]]
WIDE = 12.0
ROOM = 0.08


class StudyFront(NamedTuple):
    """Designs of a study in two of its objectives, in the metrics' own units.

    `better`: for x and y, 1 where more is better and -1 where less is. `front` and `other_front` are sorted by x.
    """

    keys: tuple[str, str]
    better: tuple[float, float]
    x: Floats
    y: Floats
    feasible: Flags
    front: Floats
    best: tuple[float, float]
    mark: str
    best_mark: float
    other_front: Floats
    other_name: str
    further: tuple[str, ...]


class Designs(NamedTuple):
    """Designs of a study: (objectives, designs), and which of them are feasible."""

    values: Floats
    feasible: Flags


def study_front_data(designs: Designs, objectives: tuple[tuple[str, float], ...], best: int, mark: tuple[str, float],
                     other: tuple[str, Designs] | None = None) -> StudyFront:
    """The front over the first two `objectives`, (metric, 1 or -1 for better), what costs along x.

    `best` is the place of the best design, `mark` the metric that it is the best by with its value there, `other`
    another study of the same objectives. InputError for a single objective, or where no design is feasible.
    """
    if len(objectives) < 2:
        raise InputError("a study of a single objective has no front")
    if not designs.feasible.any():
        raise InputError("no design of the study is feasible, so that there is no front")
    order = sorted(range(2), key=lambda place: objectives[place][1])
    keys, better = zip(*(objectives[place] for place in order), strict=True)
    x, y = (designs.values[place] for place in order)
    other_name, against = other or ("", Designs(np.empty((len(objectives), 0)), np.empty(0, dtype=bool)))
    return StudyFront(
        (keys[0], keys[1]), (better[0], better[1]), x, y, designs.feasible,
        _front(np.stack([x, y]), designs.feasible, better), (float(x[best]), float(y[best])), mark[0], mark[1],
        _front(against.values[order], against.feasible, better), other_name,
        tuple(key for key, _ in objectives[2:]))


def _front(values: Floats, feasible: Flags, better: tuple[float, ...]) -> Floats:
    """Feasible points that no other beats in these two objectives, by ascending x: (2, points)."""
    chosen = values[:, feasible]
    if not chosen.shape[1]:
        return chosen
    found = chosen[:, front_places(-np.array(better)[:, None] * chosen)]
    return np.asarray(found[:, np.argsort(found[0], kind="stable")])


def draw_study_front(data: StudyFront, title: str = "") -> Figure:
    """The figure: infeasible designs as crosses as far as they lie near the others, fronts as steps."""
    with look():
        figure, [[axes]] = panels(1, 1, (COLUMN_INCHES, 3.1))
        for place, axis in enumerate((axes.xaxis, axes.yaxis)):
            label(axis, data.keys[place])
        _set_limits(axes, data)
        inside = _draw_designs(axes, data)
        _draw_front(axes, data, data.other_front, GREY, (0, (4, 1.5)))
        _draw_front(axes, data, data.front, BLUE, (0, ()))
        x, y = (float(shown(key, value)) for key, value in zip(data.keys, data.best, strict=True))
        axes.plot([x], [y], color=VERMILION, marker="*", markersize=9.0, markeredgecolor="white", markeredgewidth=0.5,
                  linestyle="none", zorder=6.0)
        for axis in (axes.xaxis, axes.yaxis):
            show_numbers(axis)
        show_legend(figure, _handles(data), title, 2)
        of = quantity(data.mark)
        text = f"{number(of.factor * data.best_mark)} {of.unit}".rstrip().replace(" per ", "\nper ")
        show_note(figure, _note(data, int(np.count_nonzero(~data.feasible)) - inside))
        place_labels(figure, [PointLabel(axes, x, y, text, VERMILION)])
    return figure


def _set_limits(axes: Axes, data: StudyFront) -> None:
    """Room around the feasible designs and the other front; logarithmic where the values are far apart."""
    for place, values in enumerate((data.x, data.y)):
        known = shown(data.keys[place], np.concatenate([values[data.feasible], data.other_front[place]]))
        low, high = float(known.min()), float(known.max())
        set_scale, set_limits = ((axes.set_xscale, axes.set_xlim), (axes.set_yscale, axes.set_ylim))[place]
        if low > 0.0 and high > WIDE * low:
            set_scale("log")
            room = (high / low) ** ROOM
            set_limits(low / room, high * room)
        else:
            room = ROOM * ((high - low) or abs(high) or 1.0)
            set_limits(low - room, high + room)


def _draw_designs(axes: Axes, data: StudyFront) -> int:
    """Draws the designs; returns how many infeasible ones lie within the axes."""
    x, y = shown(data.keys[0], data.x), shown(data.keys[1], data.y)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    near = ~data.feasible & (x >= left) & (x <= right) & (y >= low) & (y <= high)
    axes.scatter(x[near], y[near], s=9.0, marker="x", color=GREY, alpha=0.6, linewidths=0.6, rasterized=True,
                 zorder=1.0)
    axes.scatter(x[data.feasible], y[data.feasible], s=8.0, color=SKY, alpha=0.7, linewidths=0.0, rasterized=True,
                 zorder=2.0)
    return int(np.count_nonzero(near))


def _draw_front(axes: Axes, data: StudyFront, front: Floats, colour: str, line: LineStyle) -> None:
    """The line that bounds what the front reaches, up to the limits of the axes."""
    if not front.shape[1]:
        return
    x, y = shown(data.keys[0], front[0]), shown(data.keys[1], front[1])
    ends = [limits[0] if better > 0.0 else limits[1]
            for limits, better in zip((axes.get_xlim(), axes.get_ylim()), data.better, strict=True)]
    if data.better[0] > 0.0:
        corners = np.concatenate(([ends[0]], np.repeat(x, 2))), np.concatenate((np.repeat(y, 2), [ends[1]]))
    else:
        corners = np.concatenate((np.repeat(x, 2), [ends[0]])), np.concatenate(([ends[1]], np.repeat(y, 2)))
    axes.plot(*corners, color=colour, linestyle=line, linewidth=1.1, zorder=4.0)
    axes.plot(x, y, color=colour, marker="o", markersize=2.4, linestyle="none", zorder=4.5)


def _handles(data: StudyFront) -> list[Artist]:
    from matplotlib.lines import Line2D

    found: list[Artist] = [
        Line2D([], [], color=BLUE, marker="o", markersize=2.4, label=f"Pareto front: {data.front.shape[1]}"),
        Line2D([], [], color=SKY, marker="o", markersize=3.0, linestyle="none",
               label=f"feasible: {np.count_nonzero(data.feasible):,}"),
        Line2D([], [], color=VERMILION, marker="*", markersize=7.0, linestyle="none", label="best"),
        Line2D([], [], color=GREY, marker="x", markersize=3.5, linestyle="none",
               label=f"infeasible: {np.count_nonzero(~data.feasible):,}")]
    if data.other_front.shape[1]:
        found.append(Line2D([], [], color=GREY, linestyle=(0, (4, 1.5)), marker="o", markersize=2.4,
                            label=f"front of {data.other_name}"))
    return found


def _note(data: StudyFront, outside: int) -> str:
    parts = [f"best: {uncapital(quantity(data.mark).name)}"]
    if outside:
        parts.append(f"not shown: {outside:,} infeasible designs outside the axes")
    if data.further:
        names = ", ".join(uncapital(quantity(key).name) for key in data.further)
        parts.append(f"the front of these two alone, not of {names}")
    return "; ".join(parts)
