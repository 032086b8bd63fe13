"""Speed-up that a technique brings against one axis, a curve for each model, or one for each technique."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.curve_axes import TECHNIQUE
from dse.figures.labels import number, option_name, quantity, uncapital
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
    show_axis,
    show_legend,
    show_numbers,
    shown,
)
from dse.figures.table import REFERENCE, Axis, Columns, Flags, Floats, axis, column, feasible, numbers, varying

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure



class SpeedupCurve(NamedTuple):
    """One curve: for each x the speed-up where both designs are feasible, or NaN, and then that of infeasible ones."""

    name: str
    x: Floats
    value: Floats
    infeasible: Floats


class Speedup(NamedTuple):
    """The curves, and the largest feasible speed-up as (curve, x, value), None where no pair is feasible.

    `technique` is empty where each curve has its own.
    """

    along: str
    technique: str
    metric: str
    curves: tuple[SpeedupCurve, ...]
    largest: tuple[str, float, float] | None


class Span(NamedTuple):
    """A published range of speed-ups to show behind the curves."""

    low: float
    high: float
    text: str


def speedup_data(columns: Columns, along: str = "parallelism.tensor_parallel", technique: str = "preserve",
                 metric: str = "request_s", curves: str = "model") -> Speedup:
    """`metric` without a technique over that with `technique` (the other way round where more is better), same design.

    With `curves` = "technique" there is a curve for every technique of the table, and `technique` is not looked at.
    Raises InputError where a technique is not in the table, or another axis varies than `along` and `curves`: a
    speed-up compares two designs that differ in nothing else.
    """
    better = quantity(metric).better
    if better == 0.0:
        raise InputError(f"{metric} has no direction in which it is better: a speed-up needs a time, a rate or a cost")
    _refuse_other_axes(columns, along, curves)
    values = np.where(numbers(columns, metric) > 0.0, numbers(columns, metric), np.nan)
    across = axis(columns, along)
    numbers(columns, along)
    made = []
    for name, without, with_it in _pairs(columns, technique, curves):
        first, first_ok = _by_value(across, without, values, feasible(columns))
        second, second_ok = _by_value(across, with_it, values, feasible(columns))
        made.append(_curve(name, across, (second / first) ** better, first_ok & second_ok))
    return Speedup(along, "" if curves == TECHNIQUE else technique, metric, tuple(made), _largest(made))


def _pairs(columns: Columns, technique: str, curves: str) -> list[tuple[str, Flags, Flags]]:
    """Each curve with its rows without a technique and those with one."""
    named = column(columns, TECHNIQUE)
    own = [name for name in dict.fromkeys(named.tolist()) if name != REFERENCE] if curves == TECHNIQUE else [technique]
    for name in (REFERENCE, *own):
        if not (named == name).any():
            raise InputError(f"the results have no row with technique={name}: a speed-up needs "
                             f"{' and '.join((REFERENCE, *own))}")
    if curves == TECHNIQUE:
        return [(name, named == REFERENCE, named == name) for name in own]
    one = Axis(curves, ("",), np.zeros(named.size, dtype=np.intp))
    models = axis(columns, curves) if curves in columns else one
    return [(str(name), (named == REFERENCE) & (models.codes == code), (named == technique) & (models.codes == code))
            for code, name in enumerate(models.values)]


def _refuse_other_axes(columns: Columns, along: str, curves: str) -> None:
    others = varying(columns, (along, curves, TECHNIQUE))
    if others:
        raise InputError(f"{', '.join(other.key for other in others)} varies beside {along} and {curves}: fix it, as "
                         f"in {others[0].key}={others[0].values[0]}, or make it one of the two")


def _by_value(across: Axis, rows: Flags, values: Floats, ok: Flags) -> tuple[Floats, Flags]:
    """For each value of the axis what its first row among `rows` has, NaN where there is none; whether it is feasible.
    """
    places = np.flatnonzero(rows)[::-1]
    found, fine = np.full(len(across.values), np.nan), np.zeros(len(across.values), dtype=np.bool_)
    found[across.codes[places]], fine[across.codes[places]] = values[places], ok[places]
    return found, fine


def _curve(name: str, across: Axis, ratio: Floats, ok: Flags) -> SpeedupCurve:
    there = np.isfinite(ratio)
    x = np.asarray(across.values, dtype=np.float64)[there]
    value, fine = ratio[there], ok[there]
    return SpeedupCurve(name, x, np.where(fine, value, np.nan), np.where(fine, np.nan, value))


def _largest(curves: list[SpeedupCurve]) -> tuple[str, float, float] | None:
    tops = [(curve.name, float(curve.x[place]), float(curve.value[place])) for curve in curves
            if np.isfinite(curve.value).any() for place in [int(np.nanargmax(curve.value))]]
    return max(tops, key=lambda top: top[2], default=None)


def draw_speedup(data: Speedup, published: Span | None = None, title: str = "") -> Figure:
    """The figure; `published`, if given, is shaded behind the curves."""
    with look():
        figure, [[axes]] = panels(1, 1, (COLUMN_INCHES, 2.9))
        styles = curve_styles(curve.name for curve in data.curves)
        axes.axhline(1.0, color=GREY, linewidth=0.6, zorder=1.0)
        if published is not None:
            axes.axhspan(published.low, published.high, color=FAINT, alpha=0.35, linewidth=0.0, zorder=0.5)
        for curve in data.curves:
            _draw_curve(axes, data, curve, styles[curve.name])
        show_axis(axes, data.along, np.concatenate([curve.x for curve in data.curves]))
        show_numbers(axes.yaxis)
        axes.margins(y=0.12)
        label(axes.xaxis, data.along)
        by = f"Speed-up by {option_name(data.technique)}" if data.technique else "Speed-up"
        axes.set_ylabel(f"{by}\n({uncapital(quantity(data.metric).name)})")
        _draw_legend(figure, data, styles, published, title)
        if data.largest is not None:
            name, x, value = data.largest
            place_labels(figure, [PointLabel(axes, float(shown(data.along, x)), value, f"{value:.2f}×",
                                             styles[name].colour)])
    return figure


def _draw_curve(axes: Axes, data: Speedup, curve: SpeedupCurve, style: CurveStyle) -> None:
    x = shown(data.along, curve.x)
    common: dict[str, Any] = {"color": style.colour, "marker": style.marker, "markevery": 1 + len(x) // 16}
    axes.plot(x, curve.value, linestyle=style.line, markersize=3.5, zorder=3.0, **common)
    axes.plot(x, curve.infeasible, linestyle="none", markersize=3.5, markerfacecolor="white", markeredgewidth=0.5,
              alpha=0.7, zorder=2.0, **common)


def _draw_legend(figure: Figure, data: Speedup, styles: Mapping[str, CurveStyle], published: Span | None,
                 title: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], color=style.colour, linestyle=style.line, marker=style.marker,
                                 label=option_name(name)) for name, style in styles.items() if name]
    if any(np.isfinite(curve.infeasible).any() for curve in data.curves):
        handles.append(Line2D([], [], color=GREY, linestyle="none", marker="o", markerfacecolor="white",
                              label="infeasible"))
    if published is not None:
        span = f"{published.text}, {number(published.low)}–{number(published.high)}×"
        handles.append(Patch(color=FAINT, alpha=0.35, linewidth=0.0, label=span))
    show_legend(figure, handles, title, 2)
