"""Time of prefill and decode by operator, without and with a technique: what is hidden, and what bounds the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dse.errors import InputError
from dse.figures.labels import (
    ATTENTION,
    ATTENTION_PROJECTIONS,
    BOUNDS,
    COLLECTIVES,
    ELEMENTWISE,
    FEED_FORWARD,
    LOGITS,
    OTHER,
    capital,
    number,
    operator_kind,
    operator_name,
    option_name,
)
from dse.figures.stacks import BAR_INCHES, HATCH, Segment, draw_stacks
from dse.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    ORANGE,
    PAGE_INCHES,
    SKY,
    VERMILION,
    look,
    panels,
    show_legend,
    show_note,
)
from dse.figures.table import REFERENCE
from dse.units import MILLI

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {ELEMENTWISE: FAINT, ATTENTION_PROJECTIONS: SKY, ATTENTION: BLUE, FEED_FORWARD: ORANGE,
           COLLECTIVES: VERMILION, LOGITS: GREEN, OTHER: GREY}
PHASES = {"prefill": "prefill of the batch", "decode": "decode, one token of each sequence"}
NEEDED = ("phase", "name", "time_s", "bound", "hidden_s")


class Part(NamedTuple):
    """One operator of a bar: its time in all layers, the time that a technique took off it, and what bounds it."""

    name: str
    kind: str
    time_s: float
    hidden_s: float
    bound: str


class Bar(NamedTuple):
    """The operators of one phase with one technique, in their order; those that take no time are left out."""

    technique: str
    parts: tuple[Part, ...]
    time_s: float
    hidden_s: float


class LatencyBreakdown(NamedTuple):
    """For each phase the bars without and with the technique."""

    phases: Mapping[str, tuple[Bar, ...]]


def latency_breakdown_data(operators: Mapping[str, Sequence[Mapping[str, Any]]]) -> LatencyBreakdown:
    """Bars from the lists `operators` of an evaluation, one list for each technique ("none" first).

    InputError where an entry lacks a key, or the techniques have different phases.
    """
    bars: dict[str, list[Bar]] = {}
    for technique, entries in operators.items():
        for entry in entries:
            missing = [key for key in NEEDED if key not in entry]
            if missing:
                raise InputError(f"an operator of {technique} lacks {', '.join(missing)}: it needs {', '.join(NEEDED)}")
        for phase in dict.fromkeys(str(entry["phase"]) for entry in entries):
            bars.setdefault(phase, []).append(_bar(technique, [one for one in entries if one["phase"] == phase]))
    short = [phase for phase, found in bars.items() if len(found) != len(operators)]
    if short or not bars:
        raise InputError(f"operators of {', '.join(operators) or 'no technique'} must have the same phases, at least "
                         f"one: {', '.join(short) or 'there is none'} is not in all")
    return LatencyBreakdown({phase: tuple(found) for phase, found in bars.items()})


def _bar(technique: str, entries: Sequence[Mapping[str, Any]]) -> Bar:
    parts = tuple(Part(str(one["name"]), operator_kind(one["name"]), float(one["time_s"]),
                       float(one["hidden_s"]), str(one["bound"])) for one in entries
                  if one["time_s"] > 0.0 or one["hidden_s"] > 0.0)
    return Bar(technique, parts, sum(part.time_s for part in parts), sum(part.hidden_s for part in parts))


def draw_latency_breakdown(data: LatencyBreakdown, title: str = "") -> Figure:
    """The figure: a panel for each phase, a bar for each technique; hidden time is hatched at the bar's end."""
    with look():
        heights = [len(found) for found in data.phases.values()]
        size = (PAGE_INCHES, 0.85 + 0.5 * len(heights) + BAR_INCHES * sum(heights))
        figure, grid = panels(len(heights), 1, size, height_ratios=heights)
        for [axes], (phase, found) in zip(grid, data.phases.items(), strict=True):
            _draw_phase(axes, phase, found)
        _draw_legend(figure, data, title)
    return figure


def _draw_phase(axes: Axes, phase: str, bars: Sequence[Bar]) -> None:
    longest = max(bar.time_s + bar.hidden_s for bar in bars)
    unit, factor = ("s", 1.0) if longest >= 1.0 else ("ms", 1.0 / MILLI)
    names = [option_name(bar.technique) for bar in bars]
    draw_stacks(axes, names, [_segments(bar, factor) for bar in bars], [_total(bar, factor, unit) for bar in bars])
    axes.set_xlabel(f"{capital(PHASES.get(phase, phase))} ({unit})")


def _segments(bar: Bar, factor: float) -> list[Segment]:
    shown = [Segment(factor * part.time_s, operator_name(part.name), BOUNDS.get(part.bound, ("", ""))[0],
                     COLOURS[part.kind]) for part in bar.parts]
    return shown + [Segment(factor * part.hidden_s, "", "", COLOURS[part.kind], True) for part in bar.parts]


def _total(bar: Bar, factor: float, unit: str) -> str:
    text = f"{number(bar.time_s * factor)} {unit}"
    if bar.technique == REFERENCE:
        return text
    return f"{text},\n" + (f"{number(bar.hidden_s * factor)} {unit} hidden" if bar.hidden_s > 0.0 else "nothing hidden")


def _draw_legend(figure: Figure, data: LatencyBreakdown, title: str) -> None:
    from matplotlib.patches import Patch

    parts = [part for bars in data.phases.values() for bar in bars for part in bar.parts]
    kinds = {part.kind for part in parts}
    handles = [Patch(color=colour, label=kind) for kind, colour in COLOURS.items() if kind in kinds]
    if any(part.hidden_s > 0.0 for part in parts):
        handles.append(Patch(facecolor="white", edgecolor=GREY, hatch=HATCH, linewidth=0.0,
                             label="hidden by the technique"))
    show_legend(figure, handles, title, 4)
    found = {part.bound for part in parts}
    bounds = ", ".join(f"{letter} {name}" for bound, (letter, name) in BOUNDS.items() if bound in found)
    show_note(figure, f"bound by: {bounds}")
