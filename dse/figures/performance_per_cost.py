"""Performance per cost against L2 size (or another axis), a curve for each technique: where is the best?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.best_designs import Best, Curve, best_curve, best_rows, with_gain
from dse.figures.faceting import Facets, facets
from dse.figures.labels import axis_label, capital, number, option_name, quantity, setting_text, value_text
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
from dse.figures.table import REFERENCE, Columns, Flags, Floats, Value, axis, feasible, numbers, techniques

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

L2 = "hardware.l2_mib"
FEW_POINTS, SPACING = 16, 0.06
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


class PerformancePerCost(NamedTuple):
    """All that the figure shows, values in the table's own units; panels row by row."""

    along: str
    objective: str
    rows: int
    columns: int
    panels: tuple[Panel, ...]
    chip: Chip | None
    notes: tuple[str, ...]


def performance_per_cost_data(columns: Columns, objective: str = "tokens_per_s_per_mm2", chip: Chip | None = None,
                              along: str = L2, panel_axes: Sequence[str] | None = None) -> PerformancePerCost:
    """Best `objective` (more is better) at each value of the axis `along`, by technique and panel.

    At each point the best feasible design over the axes that are neither axis nor panel; the first row of the table
    where designs tie, the smallest x where best points do. Raises InputError where a column is missing, or an axis
    varies over which a best means nothing (see `facets`).
    """
    values = _finite(columns, objective)
    ok = feasible(columns) & np.isfinite(values)
    across, named = axis(columns, along), techniques(columns)
    numbers(columns, along)
    split = facets(columns, (along, "technique"), panel_axes)
    found = best_rows(values, ok, split, named, across)
    chips = _chip_values(columns, values, ok, split, chip)
    made = []
    for place, settings in enumerate(split.settings):
        curves = [best_curve(str(name), rows, across, values, ok)
                  for name, rows in zip(named.values, found[place], strict=True)]
        reference = next((curve.best.value for curve in curves if curve.technique == REFERENCE and curve.best), np.nan)
        made.append(Panel(settings, tuple(with_gain(curve, reference) for curve in curves if curve.x.size), reference,
                          chips[place]))
    return PerformancePerCost(along, objective, split.rows, split.columns, tuple(made), chip, split.notes)


def _finite(columns: Columns, objective: str) -> Floats:
    """The objective's values, NaN where they are not finite; InputError where none is, or less of it is better."""
    values = numbers(columns, objective)
    if quantity(objective).better < 0.0:
        raise InputError(f"objective={objective} is better where it is less: performance per cost needs a metric of "
                         "which more is better, as tokens_per_s_per_usd")
    if not np.isfinite(values).any():
        raise InputError(f"column {objective} holds no finite number: there is nothing to draw")
    return np.where(np.isfinite(values), values, np.nan)


def _chip_values(columns: Columns, values: Floats, ok: Flags, split: Facets, chip: Chip | None) -> list[float]:
    """The chip without a technique in each panel: the best feasible of the rows that have all that the chip has."""
    if chip is None:
        return [np.nan] * len(split.settings)
    same = ok & np.equal(np.asarray(columns["technique"]).astype(np.str_), REFERENCE)
    for key, value in chip.values.items():
        if key in columns:
            same = same & np.equal(np.asarray(columns[key]), value)
    found = [values[same & (split.codes == place)] for place in range(len(split.settings))]
    return [float(part.max()) if part.size else np.nan for part in found]


def draw_performance_per_cost(data: PerformancePerCost, relative: bool | None = None, title: str = "") -> Figure:
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
        styles = curve_styles(curve.technique for panel in data.panels for curve in panel.curves)
        labels: list[PointLabel] = []
        for axes, panel in zip(flat, data.panels, strict=False):
            labels += _draw_panel(axes, panel, data, styles, relative)
        _finish_axes(flat, data, relative)
        show_note(figure, _notes(data, relative))
        _draw_legend(figure, data, styles, title)
        place_labels(figure, labels)
    return figure


def _scale(panel: Panel, data: PerformancePerCost, relative: bool) -> float:
    return 1.0 / panel.reference if relative else quantity(data.objective).factor


def _draw_panel(axes: Axes, panel: Panel, data: PerformancePerCost, styles: Mapping[str, CurveStyle],
                relative: bool) -> list[PointLabel]:
    factor = _scale(panel, data, relative)
    axes.set_title(capital(", ".join(setting_text(key, value) for key, value in reversed(panel.settings))))
    if data.chip is not None and data.along in data.chip.values:
        x = shown(data.along, float(data.chip.values[data.along]))
        axes.axvline(x, color=GREY, linestyle=":", linewidth=0.8, zorder=1.0)
        axes.plot([x], [panel.chip * factor], "*", color=GREY, markersize=7.0, zorder=4.0)
    labels = []
    for curve in panel.curves:
        style = styles[curve.technique]
        x = shown(data.along, curve.x)
        _draw_curve(axes, x, curve.value * factor, style, {"linestyle": style.line, "zorder": 3.0})
        _draw_curve(axes, x, curve.infeasible * factor, style, HOLLOW)
        if curve.best is not None and np.isfinite(factor):
            best = (shown(data.along, curve.best.x), curve.best.value * factor)
            axes.plot(*best, color=style.colour, marker=style.marker, markersize=5.5, zorder=5.0)
            labels.append(PointLabel(axes, *best, _best_text(data, curve, curve.best), style.colour))
    return labels


def _draw_curve(axes: Axes, x: Floats, y: Floats, style: CurveStyle, kind: Mapping[str, Any]) -> None:
    """All points are marked where they are few, else points evenly along the curve."""
    if np.isfinite(y).any():
        axes.plot(x, y, color=style.colour, marker=style.marker, markersize=2.5,
                  markevery=1 if len(x) <= FEW_POINTS else SPACING, **kind)


def _best_text(data: PerformancePerCost, curve: Curve, best: Best) -> str:
    gain = "" if curve.technique == REFERENCE or np.isnan(best.gain) else f" ({best.gain:.2f}×)"
    return f"{value_text(data.along, best.x)}\n{number(best.value * quantity(data.objective).factor)}{gain}"


def _finish_axes(flat: Sequence[Axes], data: PerformancePerCost, relative: bool) -> None:
    curves = [(curve, _scale(panel, data, relative)) for panel in data.panels for curve in panel.curves]
    x = np.concatenate([curve.x for curve, _ in curves])
    y = np.concatenate([scale * part for curve, scale in curves for part in (curve.value, curve.infeasible)])
    low, high = float(np.nanmin(y)), float(np.nanmax(y))
    span = high - low or abs(high)
    show_axis(flat[0], data.along, x)
    show_numbers(flat[0].yaxis)
    flat[0].set_ylim(low - 0.06 * span, high + 0.22 * span)
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


def _y_label(data: PerformancePerCost, relative: bool) -> str:
    if relative:
        return f"{quantity(data.objective).name},\nrelative to the best without"
    return axis_label(data.objective).replace(" (", "\n(")


def _notes(data: PerformancePerCost, relative: bool) -> str:
    unit = quantity(data.objective).unit
    return "; ".join([f"numbers: {unit} (gain)" if relative else "", *data.notes]).removeprefix("; ")


def _draw_legend(figure: Figure, data: PerformancePerCost, styles: Mapping[str, CurveStyle], title: str) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=style.colour, linestyle=style.line, marker=style.marker, label=option_name(name))
               for name, style in styles.items()]
    if any(np.isfinite(curve.infeasible).any() for panel in data.panels for curve in panel.curves):
        handles.append(Line2D([], [], color=GREY, linestyle="none", marker="o", markerfacecolor="white",
                              label="infeasible"))
    if data.chip is not None and data.along in data.chip.values:
        name = f"{option_name(data.chip.name)}, {value_text(data.along, data.chip.values[data.along])}"
        star = "*" if any(np.isfinite(panel.chip) for panel in data.panels) else ""
        handles.append(Line2D([], [], color=GREY, linestyle=":", linewidth=0.8, marker=star, markersize=7.0,
                              label=name))
    show_legend(figure, handles, title, 2 if data.columns == 1 else 4)
