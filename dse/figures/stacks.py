"""Stacked horizontal bars, each part with as much text as fits into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dse.figures.style import BLACK, BLUE, GREEN, GREY, PAGE_INCHES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DARK = (BLUE, GREEN, GREY)
BAR_INCHES, SIDE_INCHES = 0.53, 1.2
CHARACTER_INCHES, LINE_INCHES = 0.047, 0.09
HATCH = "//////"
ROOM_FOR_TOTAL = 1.16


class Segment(NamedTuple):
    """One part of a bar: its length, a name and a short second line, its colour; hatched where it only might be."""

    length: float
    name: str
    second: str
    colour: str
    hatched: bool = False


def draw_stacks(axes: Axes, names: Sequence[str], bars: Sequence[Sequence[Segment]], totals: Sequence[str]) -> None:
    """One bar a name, from above downwards, each with a text for its total at its end."""
    longest = max(sum(segment.length for segment in bar) for bar in bars)
    axes.set_xlim(0.0, ROOM_FOR_TOTAL * longest)
    for row, (bar, total) in enumerate(zip(bars, totals, strict=True)):
        end = _draw_bar(axes, row, bar, (PAGE_INCHES - SIDE_INCHES) / (ROOM_FOR_TOTAL * longest))
        axes.annotate(total, (end, row), (4.0, 0.0), textcoords="offset points", va="center", fontsize=6.5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0.0)
    axes.grid(visible=False)


def _draw_bar(axes: Axes, row: int, bar: Sequence[Segment], inches: float) -> float:
    start = 0.0
    for part in bar:
        if part.hatched:
            axes.barh(row, part.length, 0.8, start, color="white", edgecolor=part.colour, hatch=HATCH, linewidth=0.0)
        else:
            axes.barh(row, part.length, 0.8, start, color=part.colour, edgecolor="white", linewidth=0.5)
            text, rotation = fitting_text(part.name, part.second, part.length * inches)
            axes.text(start + 0.5 * part.length, row, text, ha="center", va="center", rotation=rotation, fontsize=5.5,
                      linespacing=1.2, color="white" if part.colour in DARK else BLACK)
        start += part.length
    return start


def fitting_text(name: str, second: str, inches: float) -> tuple[str, float]:
    """Both lines, level or upright, or the second alone, or nothing: what fits a width; and its rotation in degrees."""
    longest = max(len(name), len(second))
    if inches > CHARACTER_INCHES * (longest + 1):
        return f"{name}\n{second}", 0.0
    if inches > 2.2 * LINE_INCHES and CHARACTER_INCHES * longest < 0.8 * BAR_INCHES:
        return f"{name}\n{second}", 90.0
    return (second, 0.0) if inches > CHARACTER_INCHES * (len(second) + 0.5) else ("", 0.0)
