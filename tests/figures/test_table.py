"""Reading a results table."""

from __future__ import annotations

import numpy as np
import pytest

from dse.errors import InputError
from dse.figures.table import axis, feasible, numbers, techniques, varying, where

TABLE = {
    "hardware.l2_mib": np.array([16, 8, 8, 16]),
    "model": np.array(["b", "a", "b", "a"], dtype=object),
    "precision": np.array(["int8"] * 4),
    "technique": np.array(["preserve", "none", "boost", "none"]),
    "request_s": np.array([1.0, 2.0, 3.0, 4.0]),
    "feasible": np.array([1.0, 0.0, np.nan, 1.0]),
}


def test_an_axis_holds_its_values_in_order_and_the_place_of_each_row() -> None:
    assert axis(TABLE, "hardware.l2_mib").values == (8.0, 16.0)
    assert axis(TABLE, "hardware.l2_mib").codes.tolist() == [1, 0, 0, 1]
    assert axis(TABLE, "model").values == ("a", "b")
    assert axis(TABLE, "model").codes.tolist() == [1, 0, 1, 0]


def test_an_axis_of_many_options_is_read_like_one_of_few() -> None:
    words = np.array([f"option_{number:03d}" for number in range(200)][::-1] * 2)
    found = axis({"model": words}, "model")
    assert found.values == tuple(sorted(set(words.tolist())))
    assert [found.values[code] for code in found.codes] == words.tolist()


def test_the_reference_comes_first_among_techniques() -> None:
    found = techniques(TABLE)
    assert found.values == ("none", "boost", "preserve")
    assert found.codes.tolist() == [2, 0, 1, 0]
    alone = techniques({"technique": np.array(["b", "a"])})
    assert (alone.values, alone.codes.tolist()) == (("a", "b"), [1, 0])


def test_axes_that_vary_are_found_by_their_group_and_metrics_are_not_axes() -> None:
    assert [found.key for found in varying(TABLE)] == ["hardware.l2_mib", "model", "technique"]
    assert [found.key for found in varying(TABLE, ("technique", "model"))] == ["hardware.l2_mib"]
    assert [found.key for found in varying({"cost/process@cost.process": np.array(["n5", "n7"])})] == [
        "cost/process@cost.process"]


def test_rows_are_chosen_by_value() -> None:
    found = where(TABLE, {"model": "b", "hardware.l2_mib": 8.0})
    assert found["request_s"].tolist() == [3.0]
    with pytest.raises(InputError, match=r"no row of the results has model=c"):
        where(TABLE, {"model": "c"})


def test_a_design_is_feasible_only_where_it_says_so() -> None:
    assert feasible(TABLE).tolist() == [True, False, False, True]


def test_columns_that_cannot_be_used_are_named() -> None:
    with pytest.raises(InputError, match=r"no column tpot_s: it must be one of feasible, hardware\.l2_mib"):
        numbers(TABLE, "tpot_s")
    with pytest.raises(InputError, match="column model holds b: the figure needs numbers"):
        numbers(TABLE, "model")
    with pytest.raises(InputError, match="no rows in column request_s"):
        numbers({"request_s": np.array([])}, "request_s")
