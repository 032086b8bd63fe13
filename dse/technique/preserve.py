"""PRESERVE: read weights and KV-cache from HBM into L2 while a collective runs.

Yuezueguler, Zhuang and Cavigelli, arXiv 2501.08192. The equations here are our own: only the idea and the published
results are the paper's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dse.fields import Field, Table
from dse.technique.terms import OFF, TechniqueTerms
from dse.units import MEBI

PARAMETERS = Table(
    "technique",
    TechniqueTerms,
    (
        Field("weights", "prefetch_weights", "read weights ahead", boolean=True),
        Field("kv_cache", "prefetch_kv_cache", "read KV-cache ahead", boolean=True),
        Field("limit_mib", "prefetch_limit_bytes", "most that one window reads", MEBI, closed=True, unit="MiB"),
        Field("managed_l2", "managed_l2", "a limit above the free L2 is cut down to it", boolean=True, default=0.0),
        Field("known_routing", "known_routing", "experts are known before they are read ahead", boolean=True,
              default=0.0),
    ),
    choices=("name", "method"),
)


def terms(raw: Mapping[str, Any]) -> TechniqueTerms:
    """The technique's answers: what may be read ahead, and the limit (null: as much as is free)."""
    given = {"prefetch_limit_bytes": math.inf} if raw.get("limit_mib") is None else {}
    words = {key: value for key, value in raw.items() if key != "limit_mib" or value is not None}
    return OFF._replace(**PARAMETERS.values(words, given))
