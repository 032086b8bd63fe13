"""The objective along L2 size or another axis, a curve for each technique: where is the best?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.best_designs import Best, Curve, best_curve, best_rows, marked_values, with_gain
from dse.figures.curve_axes import TECHNIQUE, curve_axes
from dse.figures.faceting import facets
from dse.figures.labels import axis_label, capital, group, number, option_name, quantity, setting_text, value_text
from dse.figures.placement import PointLabel, place_labels
from dse.figures.style import (
    COLUMN_INCHES,
    GREY,
    PAGE_INCHES,
    CurveStyle,
    curve_styles,
    label,
    look,
    panels,
    show_axis,
    show_legend,
    show_note,
    show_numbers,
    shown,
)
from dse.figures.table import REFERENCE, Columns, Floats, Value, axis, feasible, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

L2 = "hardware.l2_mib"
FEW_POINTS, SPACING = 16, 0.06
LONG_NAME = 26
EDGE, BEST_EDGE = 0.06, 0.22  # of the curves' height, left free on either side: labels of best points need room
HOLLOW = {"linestyle": "none", "markerfacecolor": "white", "markeredgewidth": 0.5, "alpha": 0.7, "zorder": 2.0}


class Chip(NamedTuple):
    """A chip to mark: its name and what it has, by key ("hardware.l2_mib": 192)."""

    name: str
    values: Mapping[str, Value]


class Panel(NamedTuple):
    """Curves at the same settings; `reference`: best without technique; `chip`: the baseline chip's value, or NaN."""

    settings: tuple[tuple[str, Value], ...]
    curves: tuple[Curve, ...]
    reference: float
    chip: float


class ObjectiveAlong(NamedTuple):
    """All that the figure shows, values in the table's own units; panels row by row."""

    along: str
    objective: str
    rows: int
    columns: int
    panels: tuple[Panel, ...]
    chip: Chip | None
    notes: tuple[str, ...]


def objective_along_data(columns: Columns, objective: str = "tokens_per_s_per_mm2", chip: Chip | None = None,
                         along: str = L2, panel_axes: Sequence[str] | None = None) -> ObjectiveAlong:
    """Best `objective` at each value of the axis `along`, by technique and panel.

    At each point the best feasible design over the axes that are not axis, curve or panel; the first row of the table
    where designs tie, the smallest x where best points do. What is set about techniques makes curves (see
    `curve_axes`), other axes make panels. Raises InputError where a column is missing, neither more nor less of the
    objective is better, or an axis varies over which a best means nothing (see `facets`).
    """
    values, better = _finite(columns, objective), quantity(objective).better
    ok = feasible(columns) & np.isfinite(values)
    across, curves = axis(columns, along), curve_axes(columns, (along, *(panel_axes or ())))
    numbers(columns, along)
    split = facets(columns, (along, TECHNIQUE, *curves.keys), panel_axes)
    found = best_rows(better * values, ok, split, curves, across)
    chips = marked_values(columns, better * values, ok, split, chip.values if chip else {})
    made = []
    for place, settings in enumerate(split.settings):
        drawn = [best_curve(name, rows, across, values, better, ok)
                 for name, rows in zip(curves.names, found[place], strict=True)]
        reference = next((curve.best.value for curve in drawn if _is_reference(curve) and curve.best), np.nan)
        made.append(Panel(settings, tuple(with_gain(curve, reference, better) for curve in drawn if curve.x.size),
                          reference, better * chips[place]))
    return ObjectiveAlong(along, objective, split.rows, split.columns, tuple(made), chip, split.notes)


def _is_reference(curve: Curve) -> bool:
    return curve.name.technique == REFERENCE


def _finite(columns: Columns, objective: str) -> Floats:
    """The objective's values, NaN where they are not finite; InputError where none is, or neither way is better."""
    values = numbers(columns, objective)
    if quantity(objective).better == 0.0:
        raise InputError(f"objective={objective} has no direction in which it is better: a curve with its best point "
                         "needs a time, a rate or a cost")
    if not np.isfinite(values).any():
        raise InputError(f"column {objective} holds no finite number: there is nothing to draw")
    return np.where(np.isfinite(values), values, np.nan)


def draw_objective_along(data: ObjectiveAlong, relative: bool | None = None, title: str = "") -> Figure:
    """The figure: y in the objective's unit, or relative to the best design of the same panel without a technique.

    `relative` None: relative where there are several panels, whose levels differ too much to be seen on one scale. The
    numbers at the best points are absolute in both. InputError where True and no panel has a design to relate to.
    """
    known = [not np.isnan(panel.reference) for panel in data.panels]
    relative = len(known) > 1 and any(known) if relative is None else relative
    if relative and not any(known):
        raise InputError(f"no feasible design has technique={REFERENCE}: there is nothing to be relative to")
    with look():
        small = data.columns > 1
        size = (PAGE_INCHES if small else COLUMN_INCHES, 0.8 + data.rows * (1.7 if small else 1.9))
        figure, grid = panels(data.rows, data.columns, size, sharex=True, sharey=True)
        flat = [axes for row in grid for axes in row]
        styles = curve_styles(curve.name.key() for panel in data.panels for curve in panel.curves)
        labels: list[PointLabel] = []
        for axes, panel in zip(flat, data.panels, strict=False):
            labels += _draw_panel(axes, panel, data, styles, relative)
        _finish_axes(flat, data, relative)
        show_note(figure, _notes(data, relative))
        _draw_legend(figure, data, styles, title)
        place_labels(figure, labels)
    return figure


def _scale(panel: Panel, data: ObjectiveAlong, relative: bool) -> float:
    return 1.0 / panel.reference if relative else quantity(data.objective).factor


def _draw_panel(axes: Axes, panel: Panel, data: ObjectiveAlong, styles: Mapping[str, CurveStyle],
                relative: bool) -> list[PointLabel]:
    factor = _scale(panel, data, relative)
    axes.set_title(capital(", ".join(setting_text(key, value) for key, value in reversed(panel.settings))))
    if data.chip is not None and data.along in data.chip.values:
        x = shown(data.along, float(data.chip.values[data.along]))
        axes.axvline(x, color=GREY, linestyle=":", linewidth=0.8, zorder=1.0)
        axes.plot([x], [panel.chip * factor], "*", color=GREY, markersize=7.0, zorder=4.0)
    labels = []
    for curve in panel.curves:
        style = styles[curve.name.key()]
        x = shown(data.along, curve.x)
        _draw_curve(axes, x, curve.value * factor, style, {"linestyle": style.line, "zorder": 3.0})
        _draw_curve(axes, x, curve.infeasible * factor, style, HOLLOW)
        if curve.best is not None and np.isfinite(factor):
            best = (shown(data.along, _best_x(data, curve, curve.best)), curve.best.value * factor)
            if not _is_level(data, curve):
                axes.plot(*best, color=style.colour, marker=style.marker, markersize=5.5, zorder=5.0)
            labels.append(PointLabel(axes, *best, _best_text(data, curve, curve.best), style.colour))
    return labels


def _draw_curve(axes: Axes, x: Floats, y: Floats, style: CurveStyle, kind: Mapping[str, Any]) -> None:
    """All points are marked where they are few, else points evenly along the curve."""
    if np.isfinite(y).any():
        axes.plot(x, y, color=style.colour, marker=style.marker, markersize=2.5,
                  markevery=1 if len(x) <= FEW_POINTS else SPACING, **kind)


def _is_level(data: ObjectiveAlong, curve: Curve) -> bool:
    """Whether the curve cannot depend on the axis: what is set about a technique does nothing without it."""
    return _is_reference(curve) and group(data.along) == TECHNIQUE


def _best_x(data: ObjectiveAlong, curve: Curve, best: Best) -> float:
    """Where the best point is labelled: a level curve has none, so at its end, where other curves are far from it."""
    return float(curve.x[-1]) if _is_level(data, curve) else best.x


def _best_text(data: ObjectiveAlong, curve: Curve, best: Best) -> str:
    value = number(best.value * quantity(data.objective).factor)
    if _is_level(data, curve):
        return value
    gain = "" if _is_reference(curve) or np.isnan(best.gain) else f" ({best.gain:.2f}×)"
    of = quantity(data.along)
    place = setting_text(data.along, best.x, named=bool(of.short) and not of.unit)
    return f"{place}\n{value}{gain}"


def _finish_axes(flat: Sequence[Axes], data: ObjectiveAlong, relative: bool) -> None:
    curves = [(curve, _scale(panel, data, relative)) for panel in data.panels for curve in panel.curves]
    x = np.concatenate([curve.x for curve, _ in curves])
    y = np.concatenate([scale * part for curve, scale in curves for part in (curve.value, curve.infeasible)])
    low, high = float(np.nanmin(y)), float(np.nanmax(y))
    span = high - low or abs(high)
    show_axis(flat[0], data.along, shown(data.along, x))
    show_numbers(flat[0].yaxis)
    if quantity(data.objective).better > 0.0:
        flat[0].set_ylim(low - EDGE * span, high + BEST_EDGE * span)
    else:
        flat[0].set_ylim(max(low - BEST_EDGE * span, min(low, 0.0)), high + EDGE * span)
    for place, axes in enumerate(flat):
        if place >= len(data.panels):
            axes.remove()
            continue
        lack = _lack(data.panels[place], relative)
        axes.text(0.5, 0.92, lack, transform=axes.transAxes, ha="center", color=GREY)
        if place + data.columns >= len(data.panels):
            label(axes.xaxis, data.along)
            axes.tick_params(labelbottom=True)
        if place % data.columns == 0:
            axes.set_ylabel(_y_label(data, relative))


def _lack(panel: Panel, relative: bool) -> str:
    if all(curve.best is None for curve in panel.curves):
        return "no feasible design"
    return "no feasible design without technique" if relative and np.isnan(panel.reference) else ""


def _y_label(data: ObjectiveAlong, relative: bool) -> str:
    if relative:
        return f"{quantity(data.objective).name},\nrelative to the best without"
    return axis_label(data.objective).replace(" (", "\n(")


def _notes(data: ObjectiveAlong, relative: bool) -> str:
    of = quantity(data.objective)
    first = [f"numbers: {of.unit} (gain)" if relative else "", "less is better" if of.better < 0.0 else ""]
    return "; ".join(note for note in (*first, *data.notes) if note)


def _draw_legend(figure: Figure, data: ObjectiveAlong, styles: Mapping[str, CurveStyle], title: str) -> None:
    from matplotlib.lines import Line2D

    texts = {curve.name.key(): curve.name.text() for panel in data.panels for curve in panel.curves}
    handles = [Line2D([], [], color=style.colour, linestyle=style.line, marker=style.marker, label=texts[key])
               for key, style in styles.items()]
    if any(np.isfinite(curve.infeasible).any() for panel in data.panels for curve in panel.curves):
        handles.append(Line2D([], [], color=GREY, linestyle="none", marker="o", markerfacecolor="white",
                              label="infeasible"))
    if data.chip is not None and data.along in data.chip.values:
        name = f"{option_name(data.chip.name)}, {value_text(data.along, data.chip.values[data.along])}"
        star = "*" if any(np.isfinite(panel.chip) for panel in data.panels) else ""
        handles.append(Line2D([], [], color=GREY, linestyle=":", linewidth=0.8, marker=star, markersize=7.0,
                              label=name))
    long = max(map(len, texts.values())) > LONG_NAME
    show_legend(figure, handles, title, (1 if long else 2) if data.columns == 1 else (2 if long else 4))
