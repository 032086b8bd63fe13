"""The parameters of PRESERVE as its terms."""

from __future__ import annotations

import math

import pytest
from builders import option

from dse.errors import InputError
from dse.technique.registry import technique_terms
from dse.technique.terms import TechniqueTerms

MIB = 2.0**20


@pytest.mark.parametrize(("name", "weights", "cache"), [
    ("preserve", 1.0, 1.0), ("preserve_weights", 1.0, 0.0), ("preserve_kv", 0.0, 1.0)])
def test_options_say_what_is_read(name: str, weights: float, cache: float) -> None:
    assert technique_terms(option("technique", name)) == TechniqueTerms(weights, cache, math.inf)


def test_a_limit_is_in_mib_and_may_be_zero() -> None:
    assert technique_terms(option("technique", "preserve", limit_mib=100)).prefetch_limit_bytes == 100.0 * MIB
    assert technique_terms(option("technique", "preserve", limit_mib=0)).prefetch_limit_bytes == 0.0


@pytest.mark.parametrize("limit", [-1, math.inf, math.nan, True])
def test_an_impossible_limit_is_refused(limit: float) -> None:
    with pytest.raises(InputError, match=r"^technique\.limit_mib=\S+ is not allowed: .* >= 0 and <= 1e\+09 in MiB$"):
        technique_terms(option("technique", "preserve", limit_mib=limit))


def test_a_missing_parameter_is_named() -> None:
    raw = option("technique", "preserve")
    del raw["weights"]
    with pytest.raises(InputError, match=r"^technique\.weights is missing: it takes true or false$"):
        technique_terms(raw)
