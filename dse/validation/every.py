"""All figures, the means with a tolerance and the notes: what `dse validate` and the page are made from."""

from __future__ import annotations

from dse.validation.figure import Figure
from dse.validation.latency_figures import NOTES as LATENCY_NOTES
from dse.validation.latency_figures import latency_figures
from dse.validation.moe_figures import MEANS as MOE_MEANS
from dse.validation.moe_figures import NOTES as MOE_NOTES
from dse.validation.moe_figures import moe_figures
from dse.validation.preserve_figures import NOTES as PREFETCH_NOTES
from dse.validation.preserve_figures import preserve_figures
from dse.validation.serving_figures import MEANS, NOTES, serving_figures
from dse.validation.silicon_figures import NOTES as SILICON_NOTES
from dse.validation.silicon_figures import silicon_figures

SECTION_MEANS = {**MEANS, **MOE_MEANS}
SECTION_NOTES = {**LATENCY_NOTES, **NOTES, **MOE_NOTES, **SILICON_NOTES, **PREFETCH_NOTES}


def every_figure() -> tuple[Figure, ...]:
    """The figures in the order of the page."""
    return (*latency_figures(), *serving_figures(), *moe_figures(), *silicon_figures(), *preserve_figures())
