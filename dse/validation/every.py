"""All figures, the means with a tolerance and the notes: what `dse validate` and the page are made from."""

from __future__ import annotations

from dse.validation.figure import Figure
from dse.validation.latency_figures import NOTES as LATENCY_NOTES
from dse.validation.latency_figures import latency_figures
from dse.validation.preserve_figures import NOTES as PREFETCH_NOTES
from dse.validation.preserve_figures import preserve_figures
from dse.validation.serving_figures import MEANS, NOTES, serving_figures
from dse.validation.silicon_figures import NOTES as SILICON_NOTES
from dse.validation.silicon_figures import silicon_figures

SECTION_MEANS = MEANS
SECTION_NOTES = {**LATENCY_NOTES, **NOTES, **SILICON_NOTES, **PREFETCH_NOTES}


def every_figure() -> tuple[Figure, ...]:
    """The figures in the order of the page."""
    return (*latency_figures(), *serving_figures(), *silicon_figures(), *preserve_figures())
