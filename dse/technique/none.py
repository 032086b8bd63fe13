"""No technique: the reference that every other is set against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dse.fields import Table
from dse.technique.terms import OFF, TechniqueTerms

PARAMETERS = Table("technique", TechniqueTerms, (), choices=("name", "method"))


def terms(raw: Mapping[str, Any]) -> TechniqueTerms:
    """All answers are "off"; InputError for any parameter, since there is nothing to set."""
    PARAMETERS.refuse_unknown(raw)
    return OFF
