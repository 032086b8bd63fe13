"""The objective along an axis: best points, gains, gaps; what is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_tables import clipped, grid, l2_sweep, overlapping, table, words

from dse.errors import InputError
from dse.figures.objective_along import Chip, draw_objective_along, objective_along_data

MM2 = "tokens_per_s_per_mm2"
TITLE = "Llama3-70B, Ascend 910B, TP 8, INT8/BF16, batch 4, prompt 10,923 tokens, output 5,461 tokens"
CHIP = Chip("ascend_910b", {"hardware.l2_mib": 128.0, "hardware.hbm_gb_per_s": 1000.0})


def test_best_points_and_gains_are_those_worked_out_by_hand() -> None:
    data = objective_along_data(l2_sweep())
    [panel] = data.panels
    without, with_it = panel.curves
    assert (without.name.technique, with_it.name.technique) == ("none", "preserve")
    assert without.best is not None
    assert with_it.best is not None
    assert without.best[:3] == (8.0, 100.0 / 416.0, 1.0)
    assert (with_it.best.x, with_it.best.value) == (64.0, 150.0 / 528.0)
    # (150 / 528) / (100 / 416) = 62400 / 52800 = 1.1818
    assert with_it.best.gain == pytest.approx(62400.0 / 52800.0, rel=1e-15)
    assert panel.reference == 100.0 / 416.0
    assert with_it.x.tolist() == [8.0, 16.0, 32.0, 64.0, 128.0, 256.0]
    assert with_it.value[2] == 125.0 / 464.0
    assert with_it.best.row == 7  # rows alternate between the techniques: 64 MiB is the fourth size


def test_infeasible_designs_are_gaps_and_never_the_best() -> None:
    columns = l2_sweep()
    columns["feasible"] = np.where(columns["hardware.l2_mib"] == 64.0, 0.0, 1.0)
    curve = objective_along_data(columns).panels[0].curves[1]
    assert np.isnan(curve.value).tolist() == [False, False, False, True, False, False]
    assert curve.infeasible[3] == 150.0 / 528.0
    assert np.isnan(curve.infeasible[[0, 1, 2, 4, 5]]).all()
    # 125 / 464 = 0.26940 at 32 MiB is the best left: 150 / 656 = 0.22866 at 128 MiB
    assert curve.best is not None
    assert curve.best.x == 32.0


def test_values_that_are_not_finite_are_gaps() -> None:
    columns = l2_sweep()
    columns[MM2] = np.where(columns["hardware.l2_mib"] == 64.0, np.nan, columns[MM2])
    columns[MM2] = np.where(columns["hardware.l2_mib"] == 32.0, np.inf, columns[MM2])
    curve = objective_along_data(columns).panels[0].curves[1]
    assert np.isnan(curve.value).tolist() == [False, False, True, True, False, False]
    assert np.isnan(curve.infeasible).all()
    assert curve.best is not None
    assert curve.best.x == 16.0


def test_a_curve_without_a_feasible_design_has_no_best_point_and_gives_no_gain() -> None:
    columns = l2_sweep()
    columns["feasible"] = np.where(columns["technique"] == "none", 0.0, 1.0)
    panel = objective_along_data(columns).panels[0]
    without, with_it = panel.curves
    assert without.best is None
    assert np.isnan(panel.reference)
    assert with_it.best is not None
    assert np.isnan(with_it.best.gain)


def test_each_point_is_the_best_feasible_over_the_axes_that_are_not_shown() -> None:
    columns = l2_sweep(hardware__hbm_gb_per_s=(1000.0, 2000.0), hardware__link_gb_per_s=(1.0, 2.0),
                       hardware__cores=(24.0, 25.0))
    columns[MM2] = columns[MM2] * np.where(columns["hardware.cores"] == 25.0, 3.0, 1.0)
    columns["feasible"] = np.where((columns["hardware.cores"] == 25.0) & (columns["hardware.l2_mib"] > 8.0), 0.0, 1.0)
    data = objective_along_data(columns)
    assert (data.rows, data.columns) == (2, 2)
    assert data.notes == ("each point: the best of Cores 24 to 25",)
    without = data.panels[0].curves[0]
    assert without.value[:2].tolist() == [3.0 * (100.0 / 416.0), 100.0 / 432.0]
    assert np.isnan(without.infeasible).all()
    assert columns["hardware.cores"][without.rows].tolist() == [25.0] + [24.0] * 5


def test_of_equal_designs_the_first_row_and_the_smallest_l2_win() -> None:
    columns = l2_sweep(technique=("none",), hardware__cores=(2.0, 1.0), hardware__hbm_gb_per_s=(1.0, 2.0),
                       hardware__link_gb_per_s=(1.0, 2.0))
    columns[MM2] = np.ones_like(columns[MM2])
    best = objective_along_data(columns).panels[0].curves[0].best
    assert best is not None
    assert (best.x, best.row) == (8.0, 0)


def test_the_chip_is_marked_only_in_the_panel_that_has_what_it_has() -> None:
    columns = l2_sweep(hardware__hbm_gb_per_s=(1000.0, 2000.0))
    data = objective_along_data(columns, chip=CHIP)
    assert data.panels[0].chip == 100.0 / 656.0
    assert np.isnan(data.panels[1].chip)
    off = Chip("mine", {"hardware.l2_mib": 100.0})
    assert np.isnan(objective_along_data(columns, chip=off).panels[0].chip)


def test_what_cannot_be_compared_is_refused() -> None:
    columns = l2_sweep()
    with pytest.raises(InputError, match="objective=feasible has no direction in which it is better"):
        objective_along_data(columns, "feasible")
    with pytest.raises(InputError, match="tokens_per_s_per_mm2 holds no finite number"):
        objective_along_data({**columns, MM2: np.full(12, np.nan)})
    with pytest.raises(InputError, match=r"no column hardware\.cores"):
        objective_along_data(columns, along="hardware.cores")
    infeasible = objective_along_data({**columns, "feasible": np.zeros(12)})
    with pytest.raises(InputError, match="no feasible design has technique=none"):
        draw_objective_along(infeasible, relative=True)


def test_the_best_is_the_least_where_less_is_better() -> None:
    """Request time 10 s, with the technique 10 / (1 + min(L2, 64) / 128): 6.667 s from 64 MiB on, 1.5 times better."""
    columns = l2_sweep()
    columns["request_s"] = columns["request_s"] + np.where(columns["hardware.l2_mib"] == 32.0, -0.5, 0.0)
    chip = Chip("ascend_910b", {"hardware.l2_mib": 32.0})
    [panel] = objective_along_data(columns, "request_s", chip).panels
    without, with_it = panel.curves
    assert without.best is not None
    assert with_it.best is not None
    assert without.best[:3] == (32.0, 9.5, 1.0)
    assert (with_it.best.x, with_it.best.value) == (64.0, 1000.0 / 150.0)
    assert with_it.best.gain == pytest.approx(9.5 * 150.0 / 1000.0, rel=1e-15)
    assert (panel.reference, panel.chip) == (9.5, 9.5)


def test_where_less_is_better_a_point_is_the_least_over_what_is_not_shown_and_the_room_is_below() -> None:
    columns = l2_sweep(parallelism__tensor_parallel=(1.0, 2.0), hardware__hbm_gb_per_s=(500.0, 1000.0),
                       hardware__link_gb_per_s=(1.0, 2.0))
    data = objective_along_data(columns, "request_s", panel_axes=("hardware.hbm_gb_per_s",))
    assert [panel.curves[0].value[0] for panel in data.panels] == [10.0, 5.0]
    figure = draw_objective_along(objective_along_data(l2_sweep(), "request_s"))
    low, high = figure.axes[0].get_ylim()
    assert 1000.0 / 150.0 - low > high - 10.0
    assert "less is better" in words(figure)


def limit_sweep(**axes: Any) -> dict[str, np.ndarray]:
    """Limits 0 to 96 MiB without and with a technique: 1 s, and 1 / (1 + limit / 128), unmanaged 1 from 64 MiB on."""
    rows = grid(**axes, technique__limit_mib=(0.0, 32.0, 64.0, 96.0), technique__managed_l2=(False, True),
                technique=("none", "preserve"))
    for row in rows:
        limit = min(row["technique.limit_mib"], 64.0) if row["technique.managed_l2"] else row["technique.limit_mib"]
        gain = 1.0 + (limit if limit <= 64.0 else 0.0) / 128.0
        row["request_s"] = 1.0 / gain if row["technique"] == "preserve" else 1.0
        row["feasible"] = 1.0
    return table(rows)


def test_what_is_set_about_a_technique_makes_curves_and_the_reference_is_one_level_line() -> None:
    data = objective_along_data(limit_sweep(), "request_s", along="technique.limit_mib")
    [panel] = data.panels
    assert [curve.name.key() for curve in panel.curves] == [
        "none", "preserve, technique.managed_l2=0.0", "preserve, technique.managed_l2=1.0"]
    assert [curve.value.tolist() for curve in panel.curves] == [
        [1.0, 1.0, 1.0, 1.0], [1.0, 0.8, 1.0 / 1.5, 1.0], [1.0, 0.8, 1.0 / 1.5, 1.0 / 1.5]]
    assert [curve.best.x for curve in panel.curves if curve.best] == [0.0, 64.0, 64.0]
    figure = draw_objective_along(data, title="A title")
    written = words(figure)
    for text in ("no technique", "PRESERVE, limit obeyed", "PRESERVE, limit cut to free L2", "64 MiB\n0.667 (1.50×)",
                 "Prefetch limit of a window (MiB)"):
        assert text in written
    assert "0 MiB" not in written.replace("100 MiB", "")
    points = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 1]
    assert [line.get_xdata()[0] for line in points] == [64.0, 64.0]
    assert clipped(figure) == []
    assert overlapping(figure) == []


@pytest.mark.parametrize(("key", "values", "scale", "text"), [
    ("hardware.link_gb_per_s", (25.0, 50.0, 100.0, 200.0), "log", "200 GB/s"),
    ("hardware.hbm_gb_per_s", (800.0, 1600.0, 2400.0), "linear", "2.4 TB/s"),
    ("hardware.hbm_gb_per_s", (800.0, 1600.0, 3200.0), "log", "3.2 TB/s"),
    ("parallelism.tensor_parallel", (1.0, 2.0, 4.0, 8.0), "log", "TP 8"),
    ("traffic.batch", (1.0, 4.0, 16.0), "log", "batch 16"),
    ("cost.l2.mm2_per_mib", (0.5, 0.6, 0.7), "linear", "0.7"),
])
def test_any_numeric_axis_is_drawn_in_its_own_unit_and_scale(key: str, values: tuple[float, ...], scale: str,
                                                             text: str) -> None:
    rows = grid(**{key: values}, technique=("none", "preserve"))
    columns = table([{**row, "throughput_tokens_per_s": row[key], "feasible": 1.0} for row in rows])
    figure = draw_objective_along(objective_along_data(columns, "throughput_tokens_per_s", along=key))
    assert figure.axes[0].get_xscale() == scale
    assert f"{text}\n" in words(figure)
    assert clipped(figure) == []


@pytest.mark.parametrize("relative", [False, True, None])
@pytest.mark.parametrize("axes", [
    {},
    {"hardware__hbm_gb_per_s": (1000.0, 2000.0), "hardware__link_gb_per_s": (1.0, 2.0, 3.0)},
    {"model": ("llama3_8b", "llama3_70b", "qwen2_7b", "qwen2_72b", "phi3_small")},
    {"technique": ("none", "preserve", "preserve_kv", "preserve_weights", "mine")},
    {"hardware__l2_mib": (32.0,)},
    {"hardware__l2_mib": tuple(8.0 * place for place in range(1, 33))},
], ids=["one", "two_axes", "wrapped", "techniques", "one_size", "many_sizes"])
def test_nothing_is_clipped_and_no_label_covers_another(axes: dict[str, Any], relative: bool | None) -> None:
    figure = draw_objective_along(objective_along_data(l2_sweep(**axes), chip=CHIP), relative, TITLE)
    assert clipped(figure) == []
    assert overlapping(figure) == []


def test_best_points_are_marked_and_labelled_with_units_on_the_axes() -> None:
    figure = draw_objective_along(objective_along_data(l2_sweep(), chip=CHIP), title="A title")
    written = words(figure)
    for text in ("8 MiB\n240", "64 MiB\n284 (1.18×)", "L2 size (MiB)", "tokens/s per 1000 mm²", "no technique",
                 "PRESERVE", "Ascend 910B, 128 MiB", "A title"):
        assert text in written
    assert "infeasible" not in written
    [axes] = figure.axes
    assert axes.get_xscale() == "log"
    points = [tuple(line.get_xydata()[0]) for line in axes.get_lines() if len(line.get_xdata()) == 1]
    assert np.array(points) == pytest.approx(np.array([
        (128.0, 1000.0 * 100.0 / 656.0), (8.0, 1000.0 * 100.0 / 416.0), (64.0, 1000.0 * 150.0 / 528.0)]))


def test_relative_values_are_over_the_best_without_a_technique() -> None:
    figure = draw_objective_along(objective_along_data(l2_sweep()), relative=True)
    assert "relative to the best without" in words(figure)
    assert "numbers: tokens/s per 1000 mm² (gain)" in words(figure)
    assert "64 MiB\n284 (1.18×)" in words(figure)
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 6]
    assert [np.nanmax(line.get_ydata()) for line in lines] == pytest.approx([1.0, 62400.0 / 52800.0])


def test_several_panels_are_relative_unless_asked_otherwise() -> None:
    data = objective_along_data(l2_sweep(hardware__hbm_gb_per_s=(1000.0, 2000.0)))
    for relative, tops in ((None, [1.0, 1.0]), (False, [1000.0 * 100.0 / 416.0, 2000.0 * 100.0 / 416.0])):
        figure = draw_objective_along(data, relative)
        lines = [next(line for line in axes.get_lines() if len(line.get_xdata()) == 6) for axes in figure.axes]
        assert [np.nanmax(line.get_ydata()) for line in lines] == pytest.approx(tops)


def test_infeasible_designs_are_hollow_and_said_to_be() -> None:
    columns = l2_sweep()
    columns["feasible"] = np.where(columns["hardware.l2_mib"] >= 64.0, 0.0, 1.0)
    figure = draw_objective_along(objective_along_data(columns))
    hollow = [line for line in figure.axes[0].get_lines() if line.get_markerfacecolor() == "white"]
    assert [np.isfinite(line.get_ydata()).sum() for line in hollow] == [3, 3]
    assert all(line.get_linestyle() == "None" for line in hollow)
    assert "infeasible" in words(figure)
    none = draw_objective_along(objective_along_data({**columns, "feasible": np.zeros(12)}))
    assert "no feasible design" in words(none)


def test_a_panel_without_a_reference_says_so() -> None:
    columns = l2_sweep(hardware__hbm_gb_per_s=(1000.0, 2000.0))
    fine = (columns["hardware.hbm_gb_per_s"] == 1000.0) | (columns["technique"] == "preserve")
    figure = draw_objective_along(objective_along_data({**columns, "feasible": fine}), relative=True)
    assert words(figure).count("no feasible design without technique") == 1
