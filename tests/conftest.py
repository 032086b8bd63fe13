"""Hypothesis draws the same examples in every run and on every machine, and a busy machine fails none of them.

`pytest --hypothesis-profile=explore` draws others instead.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("same")
