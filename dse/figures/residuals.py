"""Residuals of a calibration: predicted over measured against the measured time, a panel for each table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dse.calibration.study import Calibration
from dse.figures.style import BLUE, GREY, PAGE_INCHES, look, panels, show_numbers
from dse.figures.table import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3
PANEL_INCHES = 1.7
MOST_POINTS = 2000
FURTHEST = 4.0
MICRO = 1e-6


class ResidualPanel(NamedTuple):
    """One table: its name, the measured times in us, and predicted over measured."""

    name: str
    measured_us: Floats
    ratio: Floats
    mean_absolute: float


def residuals_data(found: Calibration) -> tuple[ResidualPanel, ...]:
    """The panels, in the order of the tables' names; of long tables evenly picked rows."""
    made = []
    for (system, framework, kind, number_format), (rows, errors) in sorted(found.residuals.items()):
        places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_POINTS)).astype(int))
        times = np.array([rows[place].time_s / MICRO for place in places])
        made.append(ResidualPanel(f"{kind}, {number_format}\n{system}, {framework}", times, 1.0 + errors[places],
                                  float(np.mean(np.abs(errors)))))
    return tuple(made)


def draw_residuals(data: tuple[ResidualPanel, ...]) -> Figure:
    """The figure."""
    down = -(-len(data) // ACROSS)
    with look():
        figure, grid = panels(down, ACROSS, (PAGE_INCHES, PANEL_INCHES * down), sharey=True)
        every = [axes for row in grid for axes in row]
        for axes, panel in zip(every, data, strict=False):
            _draw_panel(axes, panel)
        for axes in every[len(data):]:
            axes.set_visible(False)
        for row in grid:
            row[0].set_ylabel("Predicted / measured")
        for axes in grid[-1]:
            axes.set_xlabel("Measured (µs)")
    return figure


def _draw_panel(axes: Axes, panel: ResidualPanel) -> None:
    axes.axhline(1.0, color=GREY, linewidth=0.6)
    axes.plot(panel.measured_us, np.clip(panel.ratio, 1.0 / FURTHEST, FURTHEST), linestyle="none", marker=".",
              markersize=1.5, color=BLUE, alpha=0.4, rasterized=True)
    axes.set_xscale("log")
    axes.set_yscale("log", base=2)
    axes.set_ylim(1.0 / FURTHEST, FURTHEST)
    show_numbers(axes.yaxis)
    axes.set_title(f"{panel.name}: {panel.mean_absolute:.1%}")
