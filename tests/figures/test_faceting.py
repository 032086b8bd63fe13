"""Axes as panels, as their best, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from figure_tables import grid, table

from dse.errors import InputError
from dse.figures.faceting import facets

LEFT_OUT = ("hardware.l2_mib", "technique")
HBM, LINK, SPLIT = "hardware.hbm_gb_per_s", "hardware.link_gb_per_s", "parallelism.tensor_parallel"


def test_without_further_axes_there_is_one_panel_with_all_rows() -> None:
    found = facets(table(grid(hardware__l2_mib=(8.0, 16.0), technique=("none", "preserve"))), LEFT_OUT)
    assert (found.rows, found.columns, found.settings, found.notes) == (1, 1, ((),), ())
    assert found.codes.tolist() == [0, 0, 0, 0]


def test_hbm_bandwidth_goes_across_and_link_bandwidth_down_and_the_rest_is_reduced() -> None:
    columns = table(grid(parallelism__tensor_parallel=(4.0, 8.0), hardware__link_gb_per_s=(100.0, 200.0),
                         hardware__hbm_gb_per_s=(1600.0, 3200.0, 4800.0)))
    found = facets(columns, LEFT_OUT)
    assert (found.rows, found.columns) == (2, 3)
    assert found.settings[1] == ((LINK, 100.0), (HBM, 3200.0))
    assert found.settings[3] == ((LINK, 200.0), (HBM, 1600.0))
    assert found.codes.tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert found.notes == ("each point: the best of TP 4 to 8",)


def test_what_no_designer_chooses_becomes_a_panel_before_anything_else() -> None:
    columns = table(grid(hardware__hbm_gb_per_s=(1600.0, 3200.0), hardware__link_gb_per_s=(100.0, 200.0),
                         model=("llama3_70b", "llama3_8b")))
    found = facets(columns, LEFT_OUT)
    assert (found.rows, found.columns) == (2, 2)
    assert found.settings[2] == (("model", "llama3_8b"), (HBM, 1600.0))
    assert found.notes == ("each point: the best of links 100 GB/s to 200 GB/s",)


def test_a_best_over_three_workload_axes_is_refused() -> None:
    columns = table(grid(model=("a", "b"), precision=("int8", "fp8"), traffic__prompt_tokens=(100.0, 200.0)))
    with pytest.raises(InputError, match=r"traffic\.prompt_tokens varies and the best over it would mean nothing.*"
                                         r"as in traffic\.prompt_tokens=100\.0"):
        facets(columns, LEFT_OUT)


def test_panel_axes_can_be_chosen() -> None:
    columns = table(grid(parallelism__tensor_parallel=(4.0, 8.0), hardware__hbm_gb_per_s=(1600.0, 3200.0),
                         model=("a", "b")))
    found = facets(columns, LEFT_OUT, ("model", SPLIT))
    assert found.settings[1] == (("model", "a"), (SPLIT, 8.0))
    assert found.notes == ("each point: the best of HBM 1.6 TB/s to 3.2 TB/s",)
    with pytest.raises(InputError, match="model varies and the best over it would mean nothing"):
        facets(columns, LEFT_OUT, (SPLIT,))
    with pytest.raises(InputError, match="names 3 axes: at most two"):
        facets(columns, LEFT_OUT, ("model", SPLIT, HBM))


def test_one_axis_is_wrapped_and_a_long_one_is_thinned_and_says_so() -> None:
    assert facets(table(grid(hardware__hbm_gb_per_s=tuple(range(5)))), LEFT_OUT)[:2] == (2, 3)
    assert facets(table(grid(hardware__hbm_gb_per_s=tuple(range(4)))), LEFT_OUT)[:2] == (2, 2)
    found = facets(table(grid(hardware__hbm_gb_per_s=tuple(1000.0 * place for place in range(16)))), LEFT_OUT)
    assert (found.rows, found.columns) == (2, 3)
    assert [setting[0][1] for setting in found.settings] == [3000.0 * place for place in range(6)]
    assert found.codes.tolist() == [place // 3 if place % 3 == 0 else -1 for place in range(16)]
    assert found.notes == ("6 of 16 values of HBM bandwidth shown",)


def test_too_many_options_are_refused_by_name() -> None:
    columns = table(grid(model=tuple(f"model_{place}" for place in range(12))))
    with pytest.raises(InputError, match=r"model has 12 values and there is room for 9 panels: .* model=model_0"):
        facets(columns, LEFT_OUT)


def test_rows_outside_the_panels_shown_belong_to_none_in_two_axes_too() -> None:
    columns = table(grid(hardware__hbm_gb_per_s=tuple(1.0 + place for place in range(7)),
                         hardware__link_gb_per_s=(1.0, 2.0)))
    found = facets(columns, LEFT_OUT)
    shown = np.array([[setting[1][1], setting[0][1]] for setting in found.settings])
    inside = found.codes >= 0
    rows = np.stack([columns[HBM], columns[LINK]], axis=1)
    assert np.array_equal(rows[inside], shown[found.codes[inside]])
    assert sorted(set(columns[HBM][inside])) == [1.0, 3.0, 5.0, 7.0]


def test_a_switch_that_is_not_shown_is_named_by_what_it_does() -> None:
    columns = table(grid(parallelism__sequence_parallel=(False, True), hardware__hbm_gb_per_s=(1.0, 2.0),
                         hardware__link_gb_per_s=(1.0, 2.0)))
    assert facets(columns, LEFT_OUT).notes == ("each point: the better of all-reduce and sequence-parallel",)
