"""From a configuration's values to a record in SI, and what is refused on the way."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.constants import KEYS, MARKS, read_constant
from dse.errors import InputError
from dse.fields import Field, Table, count
from dse.hardware import ACCELERATOR, accelerator
from dse.units import GIGA, MEBI


class Cache(NamedTuple):
    """A record to read."""

    size_bytes: float
    ways: float
    exclusive: float
    usd: float


TABLE = Table("cache", Cache, (
    Field("size_mib", "size_bytes", "size", MEBI, unit="MiB"),
    Field("ways", "ways", "ways", 1.0, 1.0, closed=True, maximum=64.0, integer=True),
    Field("exclusive", "exclusive", "exclusive", boolean=True),
    Field("usd", "usd", "price", constant=True, unit="USD"),
), choices=("name",)).checked()
PRICE = {"low": 1.0, "base": 2.0, "high": 4.0, "unit": "USD", "date": 2025, "mark": "estimate", "source": "a test"}
SIZES = "a number >= 1e-09 and <= 1e+09 in MiB"
RAW = {"name": "l2", "size_mib": 1.5, "ways": 8, "exclusive": True, "usd": PRICE}


def test_values_are_converted_once_to_si() -> None:
    assert TABLE.read(RAW) == Cache(1.5 * 2**20, 8.0, 1.0, 2.0)
    assert TABLE.read({**RAW, "usd": 3}).usd == 3.0


@pytest.mark.parametrize(("change", "sentence"), [
    ({"size_mib": 0}, "cache.size_mib=0 is not allowed: cache.size_mib takes " + SIZES),
    ({"size_mib": -1.5}, "cache.size_mib=-1.5 is not allowed: cache.size_mib takes " + SIZES),
    ({"size_mib": "big"}, "cache.size_mib=big is not allowed: cache.size_mib takes " + SIZES),
    ({"size_mib": True}, "cache.size_mib=True is not allowed: cache.size_mib takes " + SIZES),
    ({"size_mib": float("nan")}, "cache.size_mib=nan is not allowed: cache.size_mib takes " + SIZES),
    ({"size_mib": None}, "cache.size_mib is missing: it takes " + SIZES),
    ({"ways": 2.5}, "cache.ways=2.5 is not allowed: cache.ways takes a whole number >= 1 and <= 64"),
    ({"ways": 65}, "cache.ways=65 is not allowed: cache.ways takes a whole number >= 1 and <= 64"),
    ({"exclusive": 1}, "cache.exclusive=1 is not allowed: cache.exclusive takes true or false"),
    ({"colour": "red"}, "cache.colour is unknown: cache has exclusive, name, size_mib, usd, ways"),
    ({"usd": {**PRICE, "base": 5.0}}, "cache.usd has low=1, base=5, high=4: low <= base <= high is required"),
    ({"usd": {**PRICE, "low": -1.0}},
     "cache.usd=-1.0 is not allowed: cache.usd takes a number >= 1e-09 and <= 1e+09 in USD"),
    ({"size_mib": 1e300}, "cache.size_mib=1e+300 is not allowed: cache.size_mib takes " + SIZES),
    ({"size_mib": 1e-300}, "cache.size_mib=1e-300 is not allowed: cache.size_mib takes " + SIZES),
    ({"usd": 1e10}, "cache.usd=10000000000.0 is not allowed: cache.usd takes a number >= 1e-09 and <= 1e+09 in USD"),
])
def test_bad_values_are_one_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        TABLE.read({**RAW, **change})
    assert str(refused.value) == sentence


@given(st.floats(1e-6, 1e9), st.integers(1, 64), st.booleans())
def test_what_is_allowed_is_read_exactly(size: float, ways: int, exclusive: bool) -> None:
    read = TABLE.read({**RAW, "size_mib": size, "ways": ways, "exclusive": exclusive})
    assert read == Cache(size * MEBI, float(ways), float(exclusive), 2.0)


def test_a_table_must_match_its_record() -> None:
    with pytest.raises(ValueError, match="do not match Cache"):
        Table("cache", Cache, TABLE.fields[1:]).checked()


def test_constants_are_listed_with_interval_and_source() -> None:
    assert TABLE.constants(RAW)["cache.usd"].high == 4.0
    assert TABLE.constants({**RAW, "usd": 7})["cache.usd"].mark == "user"


def test_whole_numbers_end_where_floats_still_count_them() -> None:
    field = count("ways", "ways", "ways")
    assert field.allowed() == "a whole number >= 1 and <= 1e+12"
    assert field.si("ways", 10**12) == 1e12
    for value in (10**12 + 1, 10**400):
        with pytest.raises(InputError, match=f"^ways={value} is not allowed: "):
            field.si("ways", value)


@pytest.mark.parametrize("part", KEYS)
def test_a_constant_lacks_nothing(part: str) -> None:
    with pytest.raises(InputError, match=f"usd lacks {part}: a constant is a mapping with"):
        read_constant("usd", {key: value for key, value in PRICE.items() if key != part}, "USD")


@pytest.mark.parametrize(("change", "words"), [
    ({"unit": "EUR"}, "usd.unit='EUR' is not allowed: this constant is in 'USD'"),
    ({"mark": "guess"}, "usd.mark='guess' is not allowed: choose one of " + ", ".join(MARKS)),
    ({"colour": "red"}, "usd has the unknown part colour"),
    ({"base": "two"}, "usd.base='two' is not allowed: give a finite number"),
    ({"high": float("inf")}, "usd.high=inf is not allowed: give a finite number"),
    ({"high": 10**400}, f"usd.high={10**400} is not allowed: give a finite number"),
])
def test_a_wrong_constant_is_one_sentence(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refused:
        read_constant("usd", {**PRICE, **change}, "USD")
    assert str(refused.value).startswith(words)


def test_a_topology_is_a_word_and_only_a_switch_adds() -> None:
    raw = {field.key: 1 for field in ACCELERATOR.fields} | {"topology": "switch", "in_switch_reduction": True}
    assert accelerator(raw).link_bytes_per_s == GIGA
    with pytest.raises(InputError, match=r"topology=star is not allowed: choose one of full_mesh, switch, torus"):
        accelerator({**raw, "topology": "star"})
    with pytest.raises(InputError, match="only a switch can add"):
        accelerator({**raw, "topology": "torus"})
