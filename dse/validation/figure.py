"""One figure to check, what comes of it, and the verdict on many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dse.case import case
from dse.objective import Case

# How independent a figure is: constants were fitted to it or to measurements of the same kind and machine; they were
# not; or it is another model's result, or measured where not all is stated, which ours may or may not agree with.
FITTED, HELD_OUT, CONSISTENCY = "fitted", "held out", "consistency"


class Figure(NamedTuple):
    """A published or measured figure, and how ours is worked out.

    `overrides` make the configuration; `ours` takes its case and answers in `unit`. `tolerance` is relative; none where
    a figure is only shown.
    """

    section: str
    name: str
    published: float
    unit: str
    kind: str
    tolerance: float | None
    source: str
    overrides: tuple[str, ...]
    ours: Callable[[Case], float]


class Checked(NamedTuple):
    """A figure with ours beside it; `error` is ours / published - 1."""

    figure: Figure
    ours: float
    error: float
    met: bool


class Mean(NamedTuple):
    """Mean absolute error of a section's figures, which has a tolerance of its own."""

    section: str
    figures: int
    error: float
    tolerance: float
    met: bool


Composed = Callable[[Sequence[str]], Mapping[str, Any]]


def checked(figures: Iterable[Figure], composed: Composed) -> list[Checked]:
    """Each figure beside ours; `composed` makes the configuration of a list of overrides."""
    cases: dict[tuple[str, ...], Case] = {}
    found = []
    for figure in figures:
        if figure.overrides not in cases:
            cases[figure.overrides] = case(composed(figure.overrides))
        ours = figure.ours(cases[figure.overrides])
        error = ours / figure.published - 1.0
        found.append(Checked(figure, ours, error, figure.tolerance is None or abs(error) <= figure.tolerance))
    return found


def means(found: Sequence[Checked], tolerances: Mapping[str, float]) -> list[Mean]:
    """The mean absolute error of each section that has a tolerance for it."""
    made = []
    for section, tolerance in tolerances.items():
        errors = [abs(one.error) for one in found if one.figure.section == section]
        mean = sum(errors) / len(errors)
        made.append(Mean(section, len(errors), mean, tolerance, mean <= tolerance))
    return made


def missed(found: Iterable[Checked], averages: Iterable[Mean]) -> list[str]:
    """Names of the figures and means that miss their tolerance."""
    figures = [f"{one.figure.section}: {one.figure.name}" for one in found if not one.met]
    return figures + [f"{one.section}: mean" for one in averages if not one.met]
