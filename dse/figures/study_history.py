"""How a search came to its best: best so far against trials and against designs evaluated, the baseline beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dse.errors import InputError
from dse.figures.style import (
    BLACK,
    BLUE,
    GREY,
    PAGE_INCHES,
    SKY,
    label,
    look,
    panels,
    show_legend,
    show_numbers,
    shown,
)
from dse.figures.table import Flags, Floats

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES: tuple[tuple[str, tuple[float, tuple[float, ...]]], ...] = ((BLUE, (0, ())), (GREY, (0, (4, 1.5))))

MANY = 1000.0


class Trials(NamedTuple):
    """Complete trials of a study in order: the mark of each, whether it is feasible, and designs evaluated for it."""

    name: str
    marks: Floats
    feasible: Flags
    designs: Floats


class Course(NamedTuple):
    """The best so far after each trial, NaN before the first feasible one, and all designs evaluated by then."""

    name: str
    best: Floats
    designs: Floats


class StudyHistory(NamedTuple):
    """What the figure shows, in the metric's own unit; `exact` is the exact optimum of a grid, None where not known."""

    mark: str
    courses: tuple[Course, ...]
    marks: Floats
    feasible: Flags
    exact: float | None


def study_history_data(studies: tuple[Trials, ...], mark: str, better: float, exact: float | None) -> StudyHistory:
    """The course of each study, the first being the one whose single trials are shown.

    `better` is 1 where more of `mark` is better, -1 where less is. InputError where no trial of the first is feasible.
    """
    first = studies[0]
    if not first.feasible.any():
        raise InputError(f"no design of study {first.name} is feasible, so that there is no best so far")
    return StudyHistory(mark, tuple(_course(study, better) for study in studies), first.marks, first.feasible, exact)


def _course(study: Trials, better: float) -> Course:
    known = np.where(study.feasible, better * study.marks, -np.inf)
    best = better * np.maximum.accumulate(known)
    return Course(study.name, np.where(np.isfinite(best), best, np.nan), np.cumsum(study.designs))


def draw_study_history(data: StudyHistory, title: str = "") -> Figure:
    """The figure: left against trials, with each feasible one; right against designs evaluated, logarithmic."""
    with look():
        figure, ((left, right),) = panels(1, 2, (PAGE_INCHES, 2.7), sharey=True)
        places = np.flatnonzero(data.feasible)
        left.scatter(places + 1, shown(data.mark, data.marks[places]), s=6.0, color=SKY, alpha=0.6, linewidths=0.0,
                     rasterized=True, zorder=1.0)
        for course, (colour, line) in zip(data.courses, LINES, strict=False):
            best = shown(data.mark, course.best)
            left.step(np.arange(1, len(best) + 1), best, where="post", color=colour, linestyle=line, zorder=3.0)
            right.step(course.designs, best, where="post", color=colour, linestyle=line, zorder=3.0)
        for axes in (left, right):
            _finish(axes, data)
        _show_designs(right, data)
        left.set_xlabel("Trials")
        right.set_xlabel("Designs evaluated, in screens and sweeps too")
        label(left.yaxis, data.mark)
        show_numbers(left.yaxis)
        show_numbers(left.xaxis)
        show_legend(figure, _handles(data), title, 4)
    return figure


def _show_designs(axes: Axes, data: StudyHistory) -> None:
    """The logarithmic axis of designs: labelled at 1, 2 and 5, or at decades alone where there are many of them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    low = min(float(course.designs[0]) for course in data.courses)
    high = max(float(course.designs[-1]) for course in data.courses)
    if high < MANY * low:
        show_numbers(axes.xaxis)
        return
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _finish(axes: Axes, data: StudyHistory) -> None:
    if data.exact is not None:
        axes.axhline(float(shown(data.mark, data.exact)), color=BLACK, linewidth=0.7, linestyle=(0, (1, 1)), zorder=2.0)


def _handles(data: StudyHistory) -> list[Artist]:
    from matplotlib.lines import Line2D

    found: list[Artist] = [
        Line2D([], [], color=colour, linestyle=line, label=f"best so far, {course.name}")
        for course, (colour, line) in zip(data.courses, LINES, strict=False)]
    found.append(Line2D([], [], color=SKY, marker="o", markersize=3.0, linestyle="none",
                        label=f"feasible trials of {data.courses[0].name}"))
    if data.exact is not None:
        found.append(Line2D([], [], color=BLACK, linewidth=0.7, linestyle=(0, (1, 1)), label="exact optimum of a grid"))
    return found
