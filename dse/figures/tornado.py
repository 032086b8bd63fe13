"""Which assumptions decide: each at the ends of its interval by itself, and its total Sobol index, side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.labels import QUANTITIES, axis_label, option_name, quantity, uncapital
from dse.figures.style import BLACK, BLUE, GREY, ORANGE, PAGE_INCHES, SKY, look, panels, show_note, show_numbers
from dse.figures.table import REFERENCE, Columns, column, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS = 10
LABEL_WIDTH = 52
ROW_INCHES = 0.27
LOGARITHMIC = ("optimum", "shift")
DERIVED = {"optimum": "Best {axis}", "gain": "{objective}, with {technique} over without",
           "shift": "Best {axis}, with {technique} over without", "moved": "Whether {technique} moves the best {axis}"}


class Bar(NamedTuple):
    """One assumption: what it is called, the ends of its interval as text, what it makes of the quantity at each end.

    `first` and `total` are its Sobol indices with their standard errors.
    """

    name: str
    interval: str
    low: float
    high: float
    first: float
    first_error: float
    total: float
    total_error: float


class Tornado(NamedTuple):
    """The bars of one quantity with one technique, the most influential first; `left_out`: how many are not shown."""

    quantity: str
    technique: str
    objective: str
    along: str | None
    base: float
    bars: tuple[Bar, ...]
    left_out: int


def tornado_data(columns: Columns, of: str, intervals: Sequence[Mapping[str, Any]], objective: str,
                 given: Sequence[str] = (), along: str | None = None, technique: str | None = None) -> Tornado:
    """The bars of the quantity `of` from a table of influences, and the intervals as the run's record lists them.

    `objective` and `along` are those of the run: what the best is the best in, and the axis that is asked about.

    `technique` None: the first that is not the reference, else the reference. InputError where the quantity is not in
    the table, where something in `given` varies, or where its indices are not known.
    """
    for key in given:
        if len(set(column(columns, key).tolist())) > 1:
            raise InputError(f"{key} varies and a tornado shows one situation: fix it, as in "
                             f"{key}={column(columns, key)[0]}")
    rows = column(columns, "quantity") == of
    if not rows.any():
        raise InputError(f"the results have no quantity {of}: it must be one of "
                         f"{', '.join(dict.fromkeys(column(columns, 'quantity').tolist()))}")
    named = list(dict.fromkeys(column(columns, "technique")[rows].tolist()))
    technique = technique or next((name for name in named if name != REFERENCE), named[0])
    places = np.flatnonzero(rows & (column(columns, "technique") == technique))
    total = numbers(columns, "total")[places]
    if np.isnan(total).all():
        raise InputError(f"{of} has no indices: in too many draws no design is feasible")
    order = places[np.argsort(-total, kind="stable")]
    bars = tuple(_bar(columns, int(place), intervals) for place in order[:MOST_BARS])
    base = float(numbers(columns, "at_base")[order[0]])
    return Tornado(of, technique, objective, along, base, bars, len(order) - len(bars))


def _bar(columns: Columns, place: int, intervals: Sequence[Mapping[str, Any]]) -> Bar:
    name = str(column(columns, "assumption")[place])
    own = [one for one in intervals if one["unknown"] == name]
    values = [float(numbers(columns, key)[place]) for key in
              ("at_low", "at_high", "first_order", "first_order_error", "total", "total_error")]
    return Bar(*_texts(name, own), *values)


def _texts(name: str, own: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """What an unknown is called, and its key with low – base – high; of several constants how many there are."""
    keys = list(dict.fromkeys(str(one["key"]) for one in own))
    if len(keys) > 1:
        said = ", ".join(key.rpartition(".")[2] for key in keys) if name in keys else f"{name[:1].upper()}{name[1:]}"
        return said, f"{len(keys)} constants that move together"
    meaning, key = str(own[0]["meaning"]), keys[0].rpartition(".")[2]
    said = f"{meaning[:1].upper()}{meaning[1:]}"
    if len(own) > 1:
        return said, f"{key}, other intervals in other designs"
    return said, f"{key}: {' – '.join(_three_digits(own[0][end]) for end in ('low', 'base', 'high'))}"


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"


def draw_tornado(data: Tornado, title: str = "") -> Figure:
    """The figure: left, the quantity with one assumption at an end and all others at base; right, Sobol indices."""
    with look():
        size = (PAGE_INCHES, 1.15 + ROW_INCHES * len(data.bars))
        figure, ((left, right),) = panels(1, 2, size, sharey=True, width_ratios=[1.25, 1.0])
        _draw_ends(left, data)
        _draw_indices(right, data)
        left.set_yticks(range(len(data.bars)), [_label(bar) for bar in data.bars])
        left.set_ylim(len(data.bars) - 0.4, -0.6)
        for axes in (left, right):
            axes.tick_params(axis="y", length=0.0)
            axes.grid(visible=False, axis="y")
        figure.suptitle(title, fontsize=7.0)
        show_note(figure, "; ".join(_notes(data)))
    return figure


def _notes(data: Tornado) -> Iterator[str]:
    if data.quantity in LOGARITHMIC:
        yield "indices: of its logarithm"
    if data.left_out:
        yield f"not shown: {data.left_out} assumptions with smaller total indices"


def _label(bar: Bar) -> str:
    said = textwrap.shorten(bar.name, LABEL_WIDTH, placeholder="…")
    return f"{said}\n{bar.interval}" if bar.interval else said


def _draw_ends(axes: Axes, data: Tornado) -> None:
    factor = _factor(data)
    for row, bar in enumerate(data.bars):
        for end, colour in ((bar.low, SKY), (bar.high, ORANGE)):
            axes.barh(row, factor * (end - data.base), 0.62, factor * data.base, color=colour, linewidth=0.0,
                      zorder=2.0)
            axes.plot([factor * end], [row], marker="|", color=BLUE if colour == SKY else ORANGE, markersize=8.0,
                      zorder=3.0)
    axes.margins(x=0.06)
    axes.axvline(factor * data.base, color=BLACK, linewidth=0.7, zorder=4.0)
    show_numbers(axes.xaxis)
    axes.set_xlabel("\n".join(textwrap.wrap(_axis_name(data), 46)))
    axes.legend(handles=list(_end_handles()), loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3,
                handlelength=1.0, columnspacing=1.0, borderaxespad=0.2)


def _end_handles() -> Iterator[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    yield Patch(color=SKY, label="low end")
    yield Patch(color=ORANGE, label="high end")
    yield Line2D([], [], color=BLACK, linewidth=0.7, label="base")


def _draw_indices(axes: Axes, data: Tornado) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    for row, bar in enumerate(data.bars):
        axes.barh(row, bar.total, 0.62, color="#D9D9D9", linewidth=0.0, zorder=2.0)
        axes.errorbar([bar.total], [row], xerr=[bar.total_error], color=GREY, elinewidth=0.8, capsize=1.5, zorder=3.0)
        axes.plot([max(0.0, bar.first)], [row], marker="D", color=BLUE, markersize=3.0, zorder=4.0, clip_on=False)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("Sobol index: share of the variance")
    handles = [Patch(color="#D9D9D9", label="total ± standard error"),
               Line2D([], [], color=BLUE, marker="D", markersize=3.0, linestyle="none", label="first order")]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, handlelength=1.0,
                columnspacing=1.0, borderaxespad=0.2)


def _factor(data: Tornado) -> float:
    if data.quantity == "optimum" and data.along:
        return quantity(data.along).factor
    return quantity(data.quantity).factor if data.quantity in QUANTITIES else 1.0


def _axis_name(data: Tornado) -> str:
    axis = axis_label(data.along) if data.along and data.quantity == "optimum" else (
        quantity(data.along).name if data.along else "")
    if data.quantity in DERIVED:
        return DERIVED[data.quantity].format(axis=axis, technique=option_name(data.technique),
                                             objective=f"Best {uncapital(quantity(data.objective).name)}")
    return f"{axis_label(data.quantity)}, {option_name(data.technique)}"
