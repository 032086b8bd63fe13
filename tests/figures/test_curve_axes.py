"""Which curves a table has."""

from __future__ import annotations

import numpy as np
from figure_tables import grid, table

from dse.figures.curve_axes import CurveName, curve_axes

L2, LIMIT, MANAGED = "hardware.l2_mib", "technique.limit_mib", "technique.managed_l2"


def test_techniques_alone_are_the_curves_and_the_reference_is_the_first() -> None:
    columns = table(grid(hardware__l2_mib=(8.0, 16.0), technique=("preserve", "none", "mine")))
    found = curve_axes(columns, (L2,))
    assert found.names == (CurveName("none"), CurveName("mine"), CurveName("preserve"))
    assert found.codes.tolist() == [2, 0, 1] * 2
    assert found.keys == ()


def test_each_value_of_a_techniques_own_axis_is_a_curve_and_the_reference_has_one() -> None:
    columns = table(grid(hardware__l2_mib=(8.0, 16.0), technique__managed_l2=(True, False),
                         technique=("none", "preserve")))
    found = curve_axes(columns, (L2,))
    assert found.keys == (MANAGED,)
    assert found.names == (CurveName("none"), CurveName("preserve", ((MANAGED, 0.0),)),
                           CurveName("preserve", ((MANAGED, 1.0),)))
    assert found.codes.tolist() == [0, 2, 0, 1] * 2
    assert [name.text() for name in found.names] == [
        "no technique", "PRESERVE, limit obeyed", "PRESERVE, limit cut to free L2"]


def test_the_axis_that_is_drawn_along_and_what_there_is_no_room_for_make_no_curves() -> None:
    columns = table(grid(technique__limit_mib=tuple(np.arange(7.0)), technique__managed_l2=(True, False),
                         technique=("none", "preserve")))
    assert curve_axes(columns, (LIMIT,)).keys == (MANAGED,)
    assert curve_axes(columns, (MANAGED,)).keys == ()
    two = table(grid(technique__limit_mib=(1.0, 2.0), technique__managed_l2=(True, False),
                     technique=("preserve", "mine")))
    assert curve_axes(two, ()).keys == (LIMIT,)  # two techniques x 2 limits; twice as many would be 8 curves
