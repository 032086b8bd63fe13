"""Which dimensions of a space set the best trials of a study apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dse.figures.labels import quantity, uncapital
from dse.figures.style import BLUE, COLUMN_INCHES, look, panels, show_note

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_INCHES = 0.22


def draw_study_importance(shares: Mapping[str, float], mark: str, title: str = "") -> Figure:
    """The figure: a bar for each dimension, the most important first; `shares` are those of dse.search.importance."""
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    with look():
        figure, [[axes]] = panels(1, 1, (COLUMN_INCHES, 1.0 + ROW_INCHES * len(ordered)))
        places = range(len(ordered))
        axes.barh(places, [share for _, share in ordered], 0.62, color=BLUE, linewidth=0.0, zorder=2.0)
        for place, (_, share) in zip(places, ordered, strict=True):
            axes.text(share, place, f" {share:.0%}", va="center", fontsize=6.5)
        axes.set_yticks(places, [quantity(key).name for key, _ in ordered])
        axes.set_ylim(len(ordered) - 0.4, -0.6)
        axes.set_xlim(0.0, 1.12 * max(share for _, share in ordered))
        axes.tick_params(axis="y", length=0.0)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("Importance (PED-ANOVA), share of all")
        figure.suptitle(title, fontsize=7.0)
        show_note(figure, f"what tells the best tenth by {uncapital(quantity(mark).name)} from the other trials")
    return figure
