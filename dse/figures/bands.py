"""The objective along an axis with its percentile bands, without and with technique, and where the best lies below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.faceting import situations
from dse.figures.labels import axis_label, option_name, quantity, setting_text, uncapital
from dse.figures.style import (
    COLUMN_INCHES,
    GREY,
    LOOK,
    PAGE_INCHES,
    CurveStyle,
    curve_styles,
    label,
    look,
    show_axis,
    show_note,
    show_numbers,
    shown,
    wrapped,
)
from dse.figures.table import Columns, Floats, Value, column, numbers, techniques
from dse.uncertainty.tables import percentile_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 4
SHADE = 0.22
BAR_SHARE = 0.62  # of the room between two values of the axis


class BandCurve(NamedTuple):
    """One technique: at each x the objective at base and its percentiles (percentiles, x), and P(best is there)."""

    technique: str
    x: Floats
    base: Floats
    percentiles: Floats
    probability: Floats


class BandPanel(NamedTuple):
    """Curves of one situation: what is given, as (key, value) pairs."""

    situation: tuple[tuple[str, Value], ...]
    curves: tuple[BandCurve, ...]


class BandFigure(NamedTuple):
    """All that the figure shows, in the table's own units; the reference first in each panel."""

    along: str
    objective: str
    percentiles: tuple[float, ...]
    panels: tuple[BandPanel, ...]
    notes: tuple[str, ...]


def bands_data(columns: Columns, along: str, objective: str, percentiles: Sequence[float], given: Sequence[str] = (),
               chosen: Sequence[str] = ()) -> BandFigure:
    """The curves of an optimum table: its rows of the axis `along`, a panel for each situation.

    `chosen` are the axes of the run: over those other than `along` each point is the best. InputError where there are
    more than MOST_PANELS situations, or the axis is not in the table.
    """
    own = {key: np.asarray(values)[column(columns, "axis") == along] for key, values in columns.items()}
    if not own["axis"].size:
        raise InputError(f"the results have no axis {along}: there is nothing to draw")
    panels = []
    for situation in situations(own, given, MOST_PANELS):
        here = np.ones(own["axis"].size, dtype=bool)
        for key, value in zip(given, situation, strict=True):
            here &= column(own, key) == value
        part = {key: values[here] for key, values in own.items()}
        panels.append(BandPanel(tuple(zip(given, situation, strict=True)), _curves(part, objective, percentiles)))
    others = [uncapital(quantity(key).name) for key in chosen if key != along]
    notes = (f"each point: the best over {', '.join(others)}",) if others else ()
    return BandFigure(along, objective, tuple(percentiles), tuple(panels), notes)


def _curves(part: Columns, objective: str, percentiles: Sequence[float]) -> tuple[BandCurve, ...]:
    named, found = techniques(part), []
    x = np.asarray(part["value"]).astype(np.float64)
    for place, technique in enumerate(named.values):
        rows = np.flatnonzero(named.codes == place)
        rows = rows[np.argsort(x[rows], kind="stable")]
        bands = np.array([numbers(part, f"{objective}_{percentile_name(one)}")[rows] for one in percentiles])
        found.append(BandCurve(str(technique), x[rows], numbers(part, objective)[rows], bands,
                               numbers(part, "probability")[rows]))
    return tuple(found)


def draw_bands(data: BandFigure, title: str = "") -> Figure:
    """The figure: above, lines at base constants and their percentiles; below, where the best is in the draws."""
    from matplotlib.figure import Figure

    with look():
        count = len(data.panels)
        names = list(dict.fromkeys(curve.technique for panel in data.panels for curve in panel.curves))
        styles = curve_styles(names)
        figure = Figure(figsize=(COLUMN_INCHES if count == 1 else PAGE_INCHES, 2.9 + 0.42 * len(names)))
        grid = figure.subplots(1 + len(names), count, squeeze=False, sharex=True, sharey="row",
                               height_ratios=[3.6, *[0.75] * len(names)])
        for place, panel in enumerate(data.panels):
            top, *strips = grid[:, place]
            top.set_title(", ".join(setting_text(key, value) for key, value in panel.situation))
            for curve in panel.curves:
                _draw_curve(top, data, curve, styles[curve.technique])
                _draw_strip(strips[names.index(curve.technique)], data, curve, styles[curve.technique])
        _finish(grid, data, names)
        _draw_legend(figure, data, styles, title)
        show_note(figure, "; ".join(data.notes))
    return figure


def _draw_curve(axes: Axes, data: BandFigure, curve: BandCurve, style: CurveStyle) -> None:
    x, factor = shown(data.along, curve.x), quantity(data.objective).factor
    for place, (low, high) in enumerate(_pairs(data)):
        if place:
            axes.fill_between(x, factor * curve.percentiles[low], factor * curve.percentiles[high],
                              color=style.colour, alpha=SHADE, linewidth=0.0, zorder=2.0)
        else:
            for edge in (low, high):
                axes.plot(x, factor * curve.percentiles[edge], color=style.colour, linestyle=style.line,
                          linewidth=0.6, zorder=2.5)
    axes.plot(x, factor * curve.base, color=style.colour, linestyle=style.line, marker=style.marker, markersize=2.5,
              markevery=0.08 if len(x) > 16 else 1, zorder=3.0)


def _pairs(data: BandFigure) -> list[tuple[int, int]]:
    """Places of the lower and upper percentile of each band, from outside: the first is drawn as two thin lines."""
    count = len(data.percentiles)
    return [(place, count - 1 - place) for place in range(count // 2)]


def _draw_strip(axes: Axes, data: BandFigure, curve: BandCurve, style: CurveStyle) -> None:
    """Bars of P(best), as wide on the axis as their neighbours leave room."""
    x = shown(data.along, curve.x)
    logarithmic = axes.get_xscale() == "log" or _is_logarithmic(x)
    places = np.log2(x) if logarithmic else x
    gaps = np.diff(places)
    half = 0.5 * BAR_SHARE * (np.minimum(np.append(gaps, np.inf), np.insert(gaps, 0, np.inf)) if len(x) > 1
                              else np.ones(1))
    left, right = places - half, places + half
    if logarithmic:
        left, right = 2.0**left, 2.0**right
    axes.bar(left, 100.0 * curve.probability, right - left, align="edge", color=style.colour, linewidth=0.0, zorder=3.0)
    if np.isfinite(curve.base).any():
        best = int(np.nanargmax(quantity(data.objective).better * curve.base))
        axes.plot([x[best]], [0.0], marker="^", color=style.colour, markersize=4.0, clip_on=False, zorder=5.0,
                  markeredgecolor="white", markeredgewidth=0.4)


def _is_logarithmic(x: Floats) -> bool:
    return bool(x.min() > 0.0 and x.max() >= 2.0 * x.min())


def _finish(grid: Any, data: BandFigure, names: Sequence[str]) -> None:
    every = np.concatenate([curve.x for panel in data.panels for curve in panel.curves])
    for place in range(grid.shape[1]):
        show_axis(grid[0, place], data.along, shown(data.along, every))
        label(grid[-1, place].xaxis, data.along)
        for strip in grid[1:, place]:
            strip.spines["left"].set_visible(False)
            strip.tick_params(axis="y", length=0.0)
    show_numbers(grid[0, 0].yaxis)
    grid[0, 0].set_ylabel(axis_label(data.objective).replace(" (", "\n("))
    for row, name in enumerate(names, start=1):
        top = max(100.0 * float(curve.probability.max()) for panel in data.panels for curve in panel.curves
                  if curve.technique == name)
        grid[row, 0].set_ylim(0.0, 1.15 * max(top, 1.0))
        grid[row, 0].set_ylabel("% of\ndraws", fontsize=6.0)
        for axes in grid[row]:
            axes.text(0.995, 0.82, f"best L2, {option_name(name)}" if data.along == "hardware.l2_mib"
                      else f"best, {option_name(name)}", transform=axes.transAxes, ha="right", va="top", fontsize=6.0,
                      color=GREY)


def _draw_legend(figure: Figure, data: BandFigure, styles: Mapping[str, CurveStyle], title: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], color=style.colour, linestyle=style.line, marker=style.marker, markersize=3.0,
                                 label=option_name(name)) for name, style in styles.items()]
    for place, (low, high) in enumerate(_pairs(data)):
        name = f"{data.percentiles[low]:g} to {data.percentiles[high]:g} % of draws"
        handles.append(Patch(facecolor=GREY, alpha=0.45, linewidth=0.0, label=name) if place
                       else Line2D([], [], color=GREY, linewidth=0.6, label=name))
    handles.append(Line2D([], [], color=GREY, marker="^", markersize=4.0, linestyle="none", label="best at base"))
    handles = [*handles[:len(styles)], handles[-1], *handles[len(styles):-1]]
    legend = figure.legend(handles=handles, loc="outside upper center", ncols=2,
                           title=wrapped(figure, title, LOOK["font.size"]) or None)
    legend.get_title().set_multialignment("center")
