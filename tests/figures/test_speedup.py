"""Speed-up against one axis."""

from __future__ import annotations

import numpy as np
import pytest
from figure_tables import clipped, grid, l2_sweep, overlapping, table, words

from dse.errors import InputError
from dse.figures.speedup import Span, draw_speedup, speedup_data

SPLIT = "parallelism.tensor_parallel"


def six_models() -> dict[str, np.ndarray]:
    """Speed-up 1 + 0.05 log2(TP) times the model's place, on 1 to 8 devices."""
    models = ("llama3_8b", "llama3_70b", "qwen2_7b", "qwen2_72b", "phi3_small", "phi3_medium")
    rows = grid(model=models, parallelism__tensor_parallel=(1.0, 2.0, 4.0, 8.0), technique=("preserve", "none"))
    for row in rows:
        gain = 1.0 + 0.05 * np.log2(row[SPLIT]) * models.index(row["model"])
        row["request_s"] = 12.0 / (gain if row["technique"] == "preserve" else 1.0)
        row["throughput_tokens_per_s"] = 1.0 / row["request_s"]
        row["feasible"] = 1.0
    return table(rows)


def test_speed_up_is_the_ratio_of_the_same_design_without_and_with() -> None:
    data = speedup_data(six_models())
    assert [curve.name for curve in data.curves] == sorted(curve.name for curve in data.curves)
    curve = next(curve for curve in data.curves if curve.name == "phi3_medium")
    assert curve.x.tolist() == [1.0, 2.0, 4.0, 8.0]
    assert curve.value == pytest.approx([1.0, 1.25, 1.5, 1.75])
    assert data.largest == ("phi3_medium", 8.0, pytest.approx(1.75))
    rates = speedup_data(six_models(), metric="throughput_tokens_per_s")
    assert rates.curves[0].value == pytest.approx(data.curves[0].value)


def test_pairs_with_an_infeasible_design_are_not_counted() -> None:
    columns = six_models()
    columns["feasible"] = np.where((columns[SPLIT] == 8.0) & (columns["technique"] == "none"), 0.0, 1.0)
    data = speedup_data(columns)
    curve = next(curve for curve in data.curves if curve.name == "phi3_medium")
    assert np.isnan(curve.value).tolist() == [False, False, False, True]
    assert curve.infeasible[3] == pytest.approx(1.75)
    assert data.largest == ("phi3_medium", 4.0, pytest.approx(1.5))
    none = speedup_data({**columns, "feasible": np.zeros(48)})
    assert none.largest is None
    assert "infeasible" in words(draw_speedup(none))


def test_a_design_that_lacks_its_pair_or_its_time_is_left_out() -> None:
    columns = six_models()
    keep = ~((columns[SPLIT] == 2.0) & (columns["technique"] == "none"))
    columns = {key: values[keep] for key, values in columns.items()}
    columns["request_s"] = np.where(columns[SPLIT] == 4.0, np.nan, columns["request_s"])
    assert speedup_data(columns).curves[0].x.tolist() == [1.0, 8.0]


def test_a_table_of_one_model_has_one_curve() -> None:
    data = speedup_data(l2_sweep(), "hardware.l2_mib")
    assert [curve.name for curve in data.curves] == [""]
    assert data.curves[0].value == pytest.approx([1.0625, 1.125, 1.25, 1.5, 1.5, 1.5])
    figure = draw_speedup(data)
    assert "L2 size (MiB)" in words(figure)
    assert clipped(figure) == []


def test_each_technique_has_a_curve_of_its_own() -> None:
    rows = grid(traffic__batch=(1.0, 8.0, 64.0), technique=("overlap", "none", "preserve"))
    for row in rows:
        gain = {"none": 1.0, "preserve": 1.5 - row["traffic.batch"] / 160.0, "overlap": 1.2}[row["technique"]]
        row["request_s"], row["feasible"] = row["traffic.batch"] / gain, 1.0
    data = speedup_data(table(rows), "traffic.batch", curves="technique")
    assert {curve.name: curve.value.tolist() for curve in data.curves} == {
        "overlap": pytest.approx([1.2] * 3), "preserve": pytest.approx([1.49375, 1.45, 1.1])}
    assert data.largest == ("preserve", 1.0, pytest.approx(1.49375))
    figure = draw_speedup(data)
    assert all(text in words(figure) for text in ("PRESERVE", "overlap", "Speed-up\n(request time)"))
    assert clipped(figure) == []
    assert overlapping(figure) == []
    with pytest.raises(InputError, match="the results have no row with technique=none"):
        speedup_data(table([row for row in rows if row["technique"] != "none"]), "traffic.batch", curves="technique")


def test_what_is_no_speed_up_is_refused() -> None:
    columns = six_models()
    with pytest.raises(InputError, match=r"traffic\.batch varies beside parallelism\.tensor_parallel and model: "
                                         r"fix it, as in traffic\.batch=1\.0"):
        speedup_data({**columns, "traffic.batch": np.array([1.0, 2.0] * 24)})
    with pytest.raises(InputError, match="no row with technique=preserve_kv"):
        speedup_data(columns, technique="preserve_kv")
    with pytest.raises(InputError, match="batch has no direction in which it is better"):
        speedup_data({**columns, "batch": np.ones(48)}, metric="batch")


def test_curves_labels_and_the_published_range_are_drawn() -> None:
    figure = draw_speedup(speedup_data(six_models()), Span(1.09, 1.61, "published"), "A title")
    [axes] = figure.axes
    written = words(figure)
    for text in ("Llama3-70B", "Phi-3-medium", "1.75×", "Tensor-parallel devices",
                 "Speed-up by PRESERVE\n(request time)", "published, 1.09–1.61×", "A title"):
        assert text in written
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) == 4 and line.get_linestyle() != "None"]
    assert len(lines) == 6
    looks = {(line.get_color(), line.get_marker()) for line in lines}
    assert len(looks) == 6
    assert clipped(figure) == []
    assert overlapping(figure) == []
