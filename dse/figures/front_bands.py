"""The Pareto front with percentile bands, without and with technique, and how probable each design is on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dse.figures.faceting import situations
from dse.figures.labels import option_name, quantity, setting_text
from dse.figures.style import (
    COLUMN_INCHES,
    GREY,
    LOOK,
    PAGE_INCHES,
    CurveStyle,
    curve_styles,
    label,
    look,
    panels,
    show_note,
    show_numbers,
    shown,
    wrapped,
)
from dse.figures.table import Columns, Flags, Floats, Value, column, numbers, techniques
from dse.uncertainty.tables import percentile_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PRICE, THROUGHPUT = "group_usd", "throughput_tokens_per_s"
MOST_PANELS = 4
SHADE = 0.22
WIDE = 5.0  # ratio of the dearest to the cheapest price beyond which they are shown on a logarithmic axis
LARGEST_POINTS2 = 30.0  # area of the mark of a design that is on the front in every draw
DOTTED = (0.0, (1.0, 1.2))
SELDOM = 0.05  # designs that are on the front in fewer draws, and not at base, have no mark
LEGEND_SHARES = (0.1, 0.5, 1.0)
ROOM = 0.9  # the axis begins at this share of the least throughput that is shown


class Marks(NamedTuple):
    """Designs at base: price, throughput, share of the draws in which each is on the front, and whether at base."""

    price: Floats
    throughput: Floats
    probability: Floats
    at_base: Flags


class FrontCurve(NamedTuple):
    """One technique: percentiles of the throughput reached at each price (percentiles, prices), NaN where none is.

    `marks`: the designs of the front, by ascending price.
    """

    technique: str
    price: Floats
    percentiles: Floats
    marks: Marks


class FrontPanel(NamedTuple):
    """Curves of one situation: what is given, as (key, value) pairs."""

    situation: tuple[tuple[str, Value], ...]
    curves: tuple[FrontCurve, ...]


class FrontBands(NamedTuple):
    """All that the figure shows, in the tables' own units; the reference first in each panel."""

    percentiles: tuple[float, ...]
    panels: tuple[FrontPanel, ...]


def front_bands_data(fronts: Columns, designs: Columns, percentiles: Sequence[float], given: Sequence[str] = ()) -> (
        FrontBands):
    """The curves of a table of fronts and the designs of a table of bands, a panel for each situation.

    InputError where there are more than MOST_PANELS situations.
    """
    made = []
    for situation in situations(fronts, given, MOST_PANELS):
        pairs = tuple(zip(given, situation, strict=True))
        made.append(FrontPanel(pairs, _curves(_those(fronts, pairs), _those(designs, pairs), percentiles)))
    return FrontBands(tuple(percentiles), tuple(made))


def _those(columns: Columns, pairs: Sequence[tuple[str, Value]]) -> Columns:
    here = np.ones(len(next(iter(columns.values()))), dtype=bool)
    for key, value in pairs:
        here &= column(columns, key) == value
    return {key: np.asarray(values)[here] for key, values in columns.items()}


def _curves(fronts: Columns, designs: Columns, percentiles: Sequence[float]) -> tuple[FrontCurve, ...]:
    named, found = techniques(fronts), []
    for place, technique in enumerate(named.values):
        rows = np.flatnonzero(named.codes == place)
        rows = rows[np.argsort(numbers(fronts, PRICE)[rows])]
        bands = np.array([numbers(fronts, f"{THROUGHPUT}_{percentile_name(one)}")[rows] for one in percentiles])
        own = _those(designs, (("technique", str(technique)),))
        found.append(FrontCurve(str(technique), numbers(fronts, PRICE)[rows], bands, _marks(own)))
    return tuple(found)


def _marks(designs: Columns) -> Marks:
    price, throughput, probability = (numbers(designs, key) for key in (PRICE, THROUGHPUT, "probability_on_front"))
    at_base = numbers(designs, "on_front_at_base") > 0.0
    kept = np.flatnonzero(at_base | (probability >= SELDOM))
    kept = kept[np.argsort(price[kept], kind="stable")]
    return Marks(price[kept], throughput[kept], probability[kept], at_base[kept])


def draw_front_bands(data: FrontBands, title: str = "") -> Figure:
    """The figure: the front at base as steps, bands of what the fronts of the draws reach, designs by probability."""
    with look():
        count = len(data.panels)
        names = list(dict.fromkeys(curve.technique for panel in data.panels for curve in panel.curves))
        styles = curve_styles(names)
        rows, columns = (1, count) if count < MOST_PANELS else (2, 2)
        size = (COLUMN_INCHES if count == 1 else PAGE_INCHES, 1.25 + 2.6 * rows)
        figure, axes = panels(rows, columns, size)
        for panel, place in zip(data.panels, [one for row in axes for one in row], strict=True):
            _draw_panel(place, data, panel, styles)
        for row in axes:
            label(row[0].yaxis, THROUGHPUT)
        for place in axes[-1]:
            label(place.xaxis, PRICE)
        legend = figure.legend(handles=_in_two_columns(list(_lines(data, styles)), list(_points())), ncols=2,
                               loc="outside upper center", title=wrapped(figure, title, LOOK["font.size"]) or None)
        legend.get_title().set_multialignment("center")
        show_note(figure, "bands: the throughput that the fronts of the draws reach at a price; marks: designs at base")
    return figure


def _draw_panel(axes: Axes, data: FrontBands, panel: FrontPanel, styles: Mapping[str, CurveStyle]) -> None:
    every = np.concatenate([curve.price for curve in panel.curves])
    if every.max() > WIDE * every.min() > 0.0:
        axes.set_xscale("log")
    axes.set_title(", ".join(setting_text(key, value) for key, value in panel.situation))
    axes.set_xlim(float(shown(PRICE, every.min())), float(shown(PRICE, every.max())))
    for curve in panel.curves:
        _draw_curve(axes, data, curve, styles[curve.technique])
    axes.set_ylim(bottom=_bottom(panel))
    show_numbers(axes.xaxis)
    show_numbers(axes.yaxis)


def _bottom(panel: FrontPanel) -> float:
    """Where the axis of throughput begins: a little below the least that is reached; the bands fall from there to 0."""
    every = np.concatenate([one for curve in panel.curves for one in (curve.percentiles.ravel(),
                                                                      curve.marks.throughput)])
    return ROOM * quantity(THROUGHPUT).factor * float(np.nanmin(every)) if np.isfinite(every).any() else 0.0


def _draw_curve(axes: Axes, data: FrontBands, curve: FrontCurve, style: CurveStyle) -> None:
    price, factor = shown(PRICE, curve.price), quantity(THROUGHPUT).factor
    for place, (low, high) in enumerate(_pairs(data)):
        under, over = (_from_nothing(factor * curve.percentiles[one]) for one in (low, high))
        if place:
            axes.fill_between(price, under, over, step="post", color=style.colour, alpha=SHADE, linewidth=0.0,
                              zorder=2.0)
        else:
            for edge in (under, over):
                axes.step(price, edge, where="post", color=style.colour, linestyle=style.line, linewidth=0.6,
                          zorder=2.5)
    for middle in _middle(data):
        axes.step(price, _from_nothing(factor * curve.percentiles[middle]), where="post", color=style.colour,
                  linestyle=DOTTED, linewidth=0.9, zorder=2.7)
    marks = curve.marks
    if marks.at_base.any():
        end = float(price[-1])
        axes.step([*shown(PRICE, marks.price[marks.at_base]), end],
                  [*(factor * marks.throughput[marks.at_base]), factor * marks.throughput[marks.at_base][-1]],
                  where="post", color=style.colour, linestyle=style.line, zorder=3.0)
    for at_base, face in ((True, style.colour), (False, "white")):
        own = marks.at_base == at_base
        axes.scatter(shown(PRICE, marks.price[own]), factor * marks.throughput[own],
                     s=LARGEST_POINTS2 * marks.probability[own], marker=style.marker, facecolors=face,
                     edgecolors="white" if at_base else style.colour, linewidths=0.35 if at_base else 0.5,
                     zorder=4.0 + at_base)


def _from_nothing(values: Floats) -> Floats:
    """A band begins at no throughput, at the price below which none of the draws has a design."""
    return np.where(np.isnan(values), 0.0, values)


def _pairs(data: FrontBands) -> list[tuple[int, int]]:
    """Places of the lower and upper percentile of each band, from outside: the first is drawn as two thin lines."""
    count = len(data.percentiles)
    return [(place, count - 1 - place) for place in range(count // 2)]


def _middle(data: FrontBands) -> list[int]:
    """Place of the percentile in the middle, where their number is odd: a dotted line."""
    count = len(data.percentiles)
    return [count // 2] if count % 2 else []


def _in_two_columns(left: list[Any], right: list[Any]) -> list[Any]:
    """A legend's entries in the order of its columns, the shorter one filled up."""
    from matplotlib.lines import Line2D

    rows = max(len(left), len(right))
    return [entry for side in (left, right)
            for entry in (*side, *(Line2D([], [], linestyle="none", label=" ") for _ in range(rows - len(side))))]


def _lines(data: FrontBands, styles: Mapping[str, CurveStyle]) -> Iterator[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    for name, style in styles.items():
        yield Line2D([], [], color=style.colour, linestyle=style.line, marker=style.marker, markersize=3.5,
                     label=f"{option_name(name)}, front at base")
    for place, (low, high) in enumerate(_pairs(data)):
        name = f"{data.percentiles[low]:g} to {data.percentiles[high]:g} % of draws"
        yield (Patch(facecolor=GREY, alpha=0.45, linewidth=0.0, label=name) if place
               else Line2D([], [], color=GREY, linewidth=0.6, label=name))
    for middle in _middle(data):
        yield Line2D([], [], color=GREY, linestyle=DOTTED, linewidth=0.9,
                     label=f"in {100.0 - data.percentiles[middle]:g} % of draws at least")


def _points() -> Iterator[Any]:
    from matplotlib.lines import Line2D

    for share in LEGEND_SHARES:
        yield Line2D([], [], color=GREY, marker="o", linestyle="none", markeredgewidth=0.0,
                     markersize=(LARGEST_POINTS2 * share)**0.5, label=f"on the front in {100.0 * share:g} %")
    yield Line2D([], [], color=GREY, marker="o", linestyle="none", markerfacecolor="white", markeredgewidth=0.6,
                 markersize=3.5, label="not on the front at base")
