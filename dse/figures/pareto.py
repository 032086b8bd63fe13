"""One objective against another: designs faint, the exact Pareto front of each technique, its best design marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.labels import is_chosen, number, option_name, quantity, uncapital
from dse.figures.placement import PointLabel, place_labels
from dse.figures.style import (
    COLUMN_INCHES,
    FAINT,
    GREY,
    CurveStyle,
    curve_styles,
    label,
    look,
    panels,
    show_legend,
    show_note,
    show_numbers,
    shown,
)
from dse.figures.table import Columns, Floats, Rows, feasible, numbers, techniques, varying
from dse.grid.pareto import front_places

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCATTER_MOST = 5000
HEXAGONS = 90
WIDE = 12.0
ROOM = 0.08


class Front(NamedTuple):
    """The Pareto front of one technique by ascending x, the rows behind it, and the technique's best design."""

    technique: str
    x: Floats
    y: Floats
    rows: Rows
    best_x: float
    best_y: float
    best_value: float
    best_row: int


class Pareto(NamedTuple):
    """What the figure shows, in the table's own units: feasible designs by technique, fronts, how many are left out.

    `x_better`, `y_better`: 1 where more is better, -1 where less is.
    """

    x_key: str
    y_key: str
    x_better: float
    y_better: float
    objective: str
    x: Floats
    y: Floats
    codes: Rows
    fronts: tuple[Front, ...]
    techniques: tuple[str, ...]
    infeasible: int


def pareto_data(columns: Columns, x_key: str = "group_usd", y_key: str = "throughput_tokens_per_s",
                objective: str = "tokens_per_s_per_usd", better: Mapping[str, float] | None = None) -> Pareto:
    """Exact fronts of the feasible designs for two objectives, and for each technique the best by `objective`.

    Which way is better follows from the metric (`labels.QUANTITIES`); `better` says it (1 more, -1 less) for others.
    Designs with a value that is not finite count as infeasible. Of equal designs the first row is kept. InputError
    where a direction is unknown, an axis varies that no designer chooses (a model, say), or no design is feasible.
    """
    _refuse_mixture(columns)
    x_better, y_better, best_better = (_better(key, better or {}) for key in (x_key, y_key, objective))
    x, y, score = (numbers(columns, key) for key in (x_key, y_key, objective))
    ok = feasible(columns) & np.isfinite(x) & np.isfinite(y)
    if not ok.any():
        raise InputError(f"none of the {ok.size} designs is feasible: there is no front of {y_key} over {x_key}")
    named = techniques(columns)
    fronts = []
    for code, name in enumerate(named.values):
        rows = np.flatnonzero(ok & (named.codes == code))
        if not rows.size:
            continue
        front = rows[front_places(np.stack([-x_better * x[rows], -y_better * y[rows]]))]
        front = front[np.argsort(x[front])]
        ranked = np.where(np.isfinite(score[rows]), best_better * score[rows], -np.inf)
        best = int(rows[int(np.argmax(ranked))])
        fronts.append(Front(str(name), x[front], y[front], front, float(x[best]), float(y[best]), float(score[best]),
                            best))
    return Pareto(x_key, y_key, x_better, y_better, objective, x[ok], y[ok], named.codes[ok], tuple(fronts),
                  tuple(str(name) for name in named.values), int(ok.size - np.count_nonzero(ok)))


def _refuse_mixture(columns: Columns) -> None:
    mixed = [axis for axis in varying(columns, ("technique",)) if not is_chosen(axis.key)]
    if mixed:
        raise InputError(f"{', '.join(axis.key for axis in mixed)} varies, and a front over what no designer chooses "
                         f"would mean nothing: fix it, as in {mixed[0].key}={mixed[0].values[0]}")


def _better(key: str, better: Mapping[str, float]) -> float:
    found = better.get(key, quantity(key).better)
    if found not in (-1.0, 1.0):
        raise InputError(f"{key} has no direction of its own: say 1 (more is better) or -1 (less is better)")
    return found


def draw_pareto(data: Pareto, title: str = "") -> Figure:
    """The figure: designs as points, or as the density of hexagons where they are many; fronts as steps."""
    with look():
        figure, [[axes]] = panels(1, 1, (COLUMN_INCHES, 3.0))
        styles = curve_styles(front.technique for front in data.fronts)
        _set_limits(axes, data)
        label(axes.xaxis, data.x_key)
        label(axes.yaxis, data.y_key)
        _draw_designs(axes, data, styles)
        show_numbers(axes.xaxis)
        show_numbers(axes.yaxis)
        labels = [_draw_front(axes, data, front, styles[front.technique]) for front in data.fronts]
        _draw_legend(figure, data, styles, title)
        place_labels(figure, labels)
    return figure


def _set_limits(axes: Axes, data: Pareto) -> None:
    """Logarithmic where the values are far apart; room around the designs."""
    for axis, key, values in ((axes.xaxis, data.x_key, data.x), (axes.yaxis, data.y_key, data.y)):
        low, high = float(shown(key, values.min())), float(shown(key, values.max()))
        set_scale, set_limits = ((axes.set_xscale, axes.set_xlim) if axis is axes.xaxis
                                 else (axes.set_yscale, axes.set_ylim))
        if low > 0.0 and high > WIDE * low:
            set_scale("log")
            room = (high / low) ** ROOM
            set_limits(low / room, high * room)
        else:
            room = ROOM * ((high - low) or abs(high) or 1.0)
            set_limits(low - room, high + room)


def _draw_designs(axes: Axes, data: Pareto, styles: Mapping[str, CurveStyle]) -> None:
    """Faint, and as pixels in the SVG too, so that its size does not grow with the number of designs."""
    from matplotlib.colors import ListedColormap

    x, y = shown(data.x_key, data.x), shown(data.y_key, data.y)
    if x.size <= SCATTER_MOST:
        colours = np.array([styles[name].colour if name in styles else GREY for name in data.techniques])
        axes.scatter(x, y, s=3.0, c=colours[data.codes], alpha=0.3, linewidths=0.0, rasterized=True, zorder=1.0)
        return
    greys = ListedColormap([str(level) for level in np.linspace(0.9, 0.55, 64)])
    axes.hexbin(x, y, gridsize=HEXAGONS, xscale=_kind(axes.get_xscale()), yscale=_kind(axes.get_yscale()), bins="log",
                mincnt=1, cmap=greys, linewidths=0.1, rasterized=True, zorder=1.0)


def _kind(scale: str) -> Literal["linear", "log"]:
    return "log" if scale == "log" else "linear"


def _draw_front(axes: Axes, data: Pareto, front: Front, style: CurveStyle) -> PointLabel:
    x, y = steps(data, front, axes.get_xlim(), axes.get_ylim())
    axes.plot(x, y, color=style.colour, linestyle=style.line, linewidth=1.1, zorder=3.0)
    best = float(shown(data.x_key, front.best_x)), float(shown(data.y_key, front.best_y))
    axes.plot(*best, color=style.colour, marker=style.marker, markersize=5.5, markeredgecolor="white",
              markeredgewidth=0.5, zorder=5.0)
    of = quantity(data.objective)
    text = f"{number(of.factor * front.best_value)} {of.unit}".rstrip().replace(" per ", "\nper ")
    return PointLabel(axes, *best, text, style.colour)


def steps(data: Pareto, front: Front, x_limits: tuple[float, float], y_limits: tuple[float, float]) -> (
        tuple[Floats, Floats]):
    """Corners of the line that bounds what the front reaches, in the labels' units, up to the limits of the axes."""
    x, y = shown(data.x_key, front.x), shown(data.y_key, front.y)
    worst_x = x_limits[0] if data.x_better > 0.0 else x_limits[1]
    worst_y = y_limits[0] if data.y_better > 0.0 else y_limits[1]
    if data.x_better > 0.0:
        return np.concatenate(([worst_x], np.repeat(x, 2))), np.concatenate((np.repeat(y, 2), [worst_y]))
    return np.concatenate((np.repeat(x, 2), [worst_x])), np.concatenate(([worst_y], np.repeat(y, 2)))


def _draw_legend(figure: Figure, data: Pareto, styles: Mapping[str, CurveStyle], title: str) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=style.colour, linestyle=style.line, marker=style.marker,
                      label=option_name(name)) for name, style in styles.items()]
    handles.append(Line2D([], [], color=FAINT, linestyle="none", marker="h",
                          label=f"feasible designs: {data.x.size:,}"))
    show_legend(figure, handles, title, 2)
    note = f"lines: Pareto fronts; marked: best {uncapital(quantity(data.objective).name)}"
    if data.infeasible:
        note += f"; not shown: {data.infeasible:,} infeasible designs"
    show_note(figure, note)
