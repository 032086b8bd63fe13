"""Overlap: a collective runs tile by tile beside the matrix multiplication that makes what it sends or takes it.

Flux, arXiv 2406.06858; of the same kind are FlashOverlap, arXiv 2504.19519, and for experts Comet, arXiv 2502.19811.
The equations here are our own: only the idea and the share are the papers'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dse.fields import Field, Table
from dse.technique.terms import OFF, TechniqueTerms

PARAMETERS = Table(
    "technique",
    TechniqueTerms,
    (Field("share", "overlap_share", "most that is hidden of a collective, and that hides of a multiplication",
           closed=True, maximum=1.0),),
    choices=("name", "method"),
)


def terms(raw: Mapping[str, Any]) -> TechniqueTerms:
    """The technique's answers: nothing is read ahead, and collectives overlap as far as `share`."""
    return OFF._replace(**PARAMETERS.values(raw))
