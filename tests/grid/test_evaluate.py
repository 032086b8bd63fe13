"""The compiled model gives the bits of the plain one, for any grid and any independent designs."""

from __future__ import annotations

import numpy as np
import pytest
from grid.cases import BATCH, CORES, HBM, HBM_BANDWIDTH, L2, LINK, TENSOR_PARALLEL, base_row, case, cases
from hypothesis import given
from hypothesis import strategies as st

from dse.case import row
from dse.errors import InputError
from dse.grid.evaluate import FEWEST_COMPILED, Engine, evaluate, evaluate_columns, evaluate_rows
from dse.grid.grid import Axis, Grid
from dse.grid.plain import case_of
from dse.objective import Case, Metrics, metrics


def axis(slot: int, base: tuple[float, ...], count: int) -> Axis:
    return Axis(slot, tuple(base[slot] * factor for factor in np.linspace(0.3, 2.0, count).tolist()))


@given(st.lists(cases(), min_size=1, max_size=6))
def test_compiled_rows_have_the_bits_of_plain_python(designs: list[Case]) -> None:
    rows = np.array([row(design) for design in designs]).T
    assert evaluate_rows(rows, "compiled").tobytes() == evaluate_rows(rows, "plain").tobytes()


@given(case_=cases(), counts=st.lists(st.integers(1, 9), min_size=4, max_size=4))
def test_compiled_grid_has_the_bits_of_plain_python(case_: Case, counts: list[int]) -> None:
    base = row(case_)
    slots = (LINK, HBM, HBM_BANDWIDTH, L2)
    grid = Grid(base, tuple(axis(slot, base, count) for slot, count in zip(slots, counts, strict=True)))
    found = evaluate(grid, "compiled")
    for place in {0, grid.size // 3, grid.size - 1}:
        assert found[:, place].tobytes() == np.array(metrics(case_of(grid.design(place)))).tobytes()


@pytest.mark.parametrize("shape", [(), (1,), (3,), (7, 3), (2, 9), (13, 11, 1), (5, 1500), (3, 3000, 2), (2, 70000),
                                   (40, 60, 90)])
def test_every_shape_of_grid(shape: tuple[int, ...]) -> None:
    base = base_row()
    slots = (L2, LINK, HBM_BANDWIDTH)
    grid = Grid(base, tuple(axis(slot, base, count) for slot, count in zip(slots, shape, strict=False)))
    found = evaluate(grid, "compiled")
    assert found.shape == (len(Metrics._fields), grid.size)
    for place in np.unique(np.linspace(0, grid.size - 1, 25).astype(int)).tolist():
        assert found[:, place].tobytes() == np.array(metrics(case_of(grid.design(place)))).tobytes()


@pytest.mark.parametrize("engine", ["plain", "compiled", "auto"])
def test_designs_are_in_c_order(engine: Engine) -> None:
    base = base_row()
    grid = Grid(base, (Axis(BATCH, (2.0, 4.0)), Axis(TENSOR_PARALLEL, (2.0, 4.0, 8.0))))
    batch = evaluate(grid, engine)[Metrics._fields.index("batch")]
    assert batch.tolist() == [2.0, 2.0, 2.0, 4.0, 4.0, 4.0]
    assert grid.design(4) == tuple({BATCH: 4.0, TENSOR_PARALLEL: 4.0}.get(place, number)
                                   for place, number in enumerate(base))


def test_auto_is_the_same_on_both_sides_of_its_switch() -> None:
    base = base_row(technique="preserve")
    grid = Grid(base, (axis(L2, base, FEWEST_COMPILED),))
    fewer = Grid(base, (Axis(L2, grid.axes[0].values[:-1]),))
    assert evaluate(grid)[:, :-1].tobytes() == evaluate(fewer).tobytes()


def test_columns_replace_slots_of_the_base() -> None:
    base = base_row("h100", number_format="bf16")
    values = np.array([[base[CORES], base[CORES] / 2.0], [base[L2], base[L2] * 3.0]])
    found = evaluate_columns(base, (CORES, L2), values)
    at = case("h100", number_format="bf16")
    device = at.setting.device._replace(cores=base[CORES] / 2.0, l2_bytes=base[L2] * 3.0)
    assert found[:, 0].tolist() == list(metrics(at))
    assert found[:, 1].tolist() == list(metrics(at._replace(setting=at.setting._replace(device=device))))


def test_no_designs() -> None:
    assert evaluate_columns(base_row(), (L2,), np.empty((1, 0))).shape == (len(Metrics._fields), 0)
    assert evaluate_rows(np.empty((len(base_row()), 0))).shape == (len(Metrics._fields), 0)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(InputError, match="engine=gpu is not allowed: choose one of auto, plain, compiled"):
        evaluate(Grid(base_row()), "gpu")  # type: ignore[arg-type]


@pytest.mark.parametrize(("axes", "sentence"), [
    ((Axis(999, (1.0,)),), "slot 999 is not allowed"),
    ((Axis(3, (1.0,)), Axis(3, (2.0,))), "slot 3 is there twice"),
])
def test_a_grid_that_cannot_be_is_refused(axes: tuple[Axis, ...], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Grid(base_row(), axes)


@pytest.mark.parametrize("values", [(), (1.0, float("nan"))])
def test_an_axis_that_cannot_be_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="the axis of slot 3"):
        Axis(3, values)
