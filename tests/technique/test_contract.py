"""What every technique owes the schedule, whichever it is. A new method is added in one line, the list here."""

from __future__ import annotations

import importlib
import math

import pytest
from builders import CONF, option, setting

from dse.errors import InputError
from dse.fields import Table
from dse.latency.phases import decode_s, prefill_s
from dse.technique.registry import methods, parameters, technique_terms
from dse.technique.terms import OFF, TechniqueTerms

METHODS = ("none", "overlap", "preserve")
OPTIONS = sorted(path.stem for path in (CONF / "technique").glob("*.yaml"))
SHARES = ("prefetch_weights", "prefetch_kv_cache", "overlap_share")
SOURCES = ("arXiv", "doi", "http")


def options_of(method: str) -> list[str]:
    return [name for name in OPTIONS if option("technique", name)["method"] == method]


def test_the_list_is_complete() -> None:
    assert methods() == METHODS


@pytest.mark.parametrize("method", METHODS)
def test_a_method_has_an_option_that_bears_its_name(method: str) -> None:
    assert method in options_of(method)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_says_its_name_and_a_known_method(name: str) -> None:
    raw = option("technique", name)
    assert raw["name"] == name
    assert raw["method"] in METHODS


@pytest.mark.parametrize("name", OPTIONS)
def test_terms_are_numbers_in_their_range(name: str) -> None:
    """Floats, none of them NaN or negative; shares from 0 to 1; a limit may be infinite."""
    terms = technique_terms(option("technique", name))
    assert isinstance(terms, TechniqueTerms)
    assert all(isinstance(term, float) and term >= 0.0 for term in terms)
    assert all(getattr(terms, share) <= 1.0 for share in SHARES)
    assert all(math.isfinite(term) for field, term in terms._asdict().items() if field != "prefetch_limit_bytes")
    assert not (terms.overlap_share and (terms.prefetch_weights or terms.prefetch_kv_cache))  # one window, one use


@pytest.mark.parametrize("name", OPTIONS)
def test_the_schedule_takes_them(name: str) -> None:
    """On the main workload, with no limit above the free L2, a technique is never slower than none."""
    at = setting(technique=name)
    off = at._replace(technique=OFF)
    assert 0.0 < decode_s(at, 4.0, 16384.0) <= decode_s(off, 4.0, 16384.0)
    assert 0.0 < prefill_s(at, 4.0) <= prefill_s(off, 4.0)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_unknown_parameter_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(InputError, match=r"^technique\.depth is unknown: technique has [a-z0-9_, ]+$"):
        technique_terms(option("technique", name, depth=2))


@pytest.mark.parametrize("method", METHODS)
def test_every_parameter_of_a_method_stands_in_its_options(method: str) -> None:
    """So that each can be set from the command line, and each option means all that it says."""
    for name in options_of(method):
        raw = option("technique", name)
        table = parameters(raw)
        assert isinstance(table, Table)
        assert set(raw) == {field.key for field in table.fields} | set(table.choices)


@pytest.mark.parametrize(("method", "key"), [(method, field.key) for method in METHODS
                                             for field in parameters(option("technique", method)).fields])
def test_an_impossible_parameter_is_refused_in_a_sentence(method: str, key: str) -> None:
    """Each parameter in turn is given a word, which none takes."""
    with pytest.raises(InputError, match=rf"^technique\.{key}=much is not allowed: .* takes .*$"):
        technique_terms(option("technique", method, **{key: "much"}))


@pytest.mark.parametrize("method", METHODS)
def test_a_method_cites_its_source(method: str) -> None:
    """`none` says that it is the reference; every other says where it comes from."""
    purpose = importlib.import_module(f"dse.technique.{method}").__doc__ or ""
    assert "reference" in purpose if method == "none" else any(source in purpose for source in SOURCES)


def test_none_is_off() -> None:
    assert technique_terms(option("technique", "none")) == OFF == TechniqueTerms(0.0, 0.0, math.inf)


def test_an_unknown_method_is_refused_in_a_sentence() -> None:
    message = f"^technique.method=magic is not allowed: choose one of {', '.join(METHODS)}$"
    with pytest.raises(InputError, match=message):
        technique_terms({"name": "magic", "method": "magic"})


def test_terms_of_nothing_are_off() -> None:
    """A technique that may read nothing is no technique, whatever its limit: the same bits."""
    at = setting()
    nothing = at._replace(technique=TechniqueTerms(0.0, 0.0, 0.0))
    assert decode_s(nothing, 4.0, 16384.0) == decode_s(at, 4.0, 16384.0)
