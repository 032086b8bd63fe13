"""The Pareto front with percentile bands, and the designs on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_tables import clipped, table, words
from matplotlib.collections import PathCollection

from dse.errors import InputError
from dse.figures.front_bands import LARGEST_POINTS2, draw_front_bands, front_bands_data

USD, RATE = "group_usd", "throughput_tokens_per_s"
PERCENTILES = (5.0, 25.0, 50.0, 75.0, 95.0)
FACTORS = {"none": 1.0, "preserve": 1.2}


def fronts(models: tuple[str, ...] = ("llama3_70b",)) -> dict[str, np.ndarray]:
    """At 10 to 40 thousand USD, dearest first: nothing for the least in the lowest percentile."""
    rows: list[dict[str, Any]] = []
    for model in models:
        for technique, factor in FACTORS.items():
            for price in (40e3, 30e3, 20e3, 10e3):
                reached = [factor * (0.5 + 0.01 * one) * price / 100.0 for one in PERCENTILES]
                reached[0] = np.nan if price == 10e3 else reached[0]
                bands = {f"{RATE}_p{one:02.0f}": value for one, value in zip(PERCENTILES, reached, strict=True)}
                rows.append({"model": model, "technique": technique, USD: price, "probability_feasible": 1.0,
                             RATE: factor * price / 100.0, **bands})
    return table(rows)


def designs(models: tuple[str, ...] = ("llama3_70b",)) -> dict[str, np.ndarray]:
    """Of each technique: two on the front at base, one that is there in half of the draws, one hardly ever."""
    rows: list[dict[str, Any]] = []
    for model in models:
        for technique, factor in FACTORS.items():
            for price, rate, probability, at_base in ((30e3, 300.0, 0.9, 1.0), (20e3, 200.0, 1.0, 1.0),
                                                      (25e3, 190.0, 0.5, 0.0), (35e3, 100.0, 0.01, 0.0)):
                rows.append({"model": model, "technique": technique, USD: price, RATE: factor * rate,
                             "probability_on_front": probability, "on_front_at_base": at_base})
    return table(rows)


def test_curves_and_marks_are_the_rows_of_each_technique_by_price() -> None:
    data = front_bands_data(fronts(), designs(), PERCENTILES)
    (panel,) = data.panels
    without, with_it = panel.curves
    assert (without.technique, with_it.technique) == ("none", "preserve")
    assert without.price.tolist() == [10e3, 20e3, 30e3, 40e3]
    assert without.percentiles[2].tolist() == [100.0, 200.0, 300.0, 400.0]
    assert np.isnan(with_it.percentiles[0, 0])
    assert with_it.percentiles[1, 1] == pytest.approx(1.2 * 0.75 * 200.0)
    assert without.marks.price.tolist() == [20e3, 25e3, 30e3]
    assert without.marks.probability.tolist() == [1.0, 0.5, 0.9]
    assert without.marks.at_base.tolist() == [True, False, True]


def test_marks_are_as_large_as_they_are_probable_and_hollow_off_the_front_at_base() -> None:
    figure = draw_front_bands(front_bands_data(fronts(), designs(), PERCENTILES))
    filled, hollow = (one for one in figure.axes[0].collections[:4] if isinstance(one, PathCollection))
    assert np.asarray(filled.get_offsets()).tolist() == [[20.0, 200.0], [30.0, 300.0]]
    assert filled.get_sizes() == pytest.approx([LARGEST_POINTS2, 0.9 * LARGEST_POINTS2])
    assert np.asarray(hollow.get_offsets()).tolist() == [[25.0, 190.0]]
    assert hollow.get_sizes() == pytest.approx([0.5 * LARGEST_POINTS2])
    assert np.asarray(hollow.get_facecolor()).tolist() == [[1.0, 1.0, 1.0, 1.0]]


def test_the_front_at_base_is_a_step_through_its_designs_to_the_edge() -> None:
    figure = draw_front_bands(front_bands_data(fronts(), designs(), PERCENTILES))
    (line,) = [one for one in figure.axes[0].lines if one.get_linewidth() > 1.0 and one.get_ydata()[0] == 200.0]
    assert np.asarray(line.get_xdata()).tolist() == [20.0, 30.0, 40.0]
    assert np.asarray(line.get_ydata()).tolist() == [200.0, 300.0, 300.0]
    assert line.get_drawstyle() == "steps-post"


def test_the_drawing_names_what_it_shows_and_is_not_cut_off() -> None:
    figure = draw_front_bands(front_bands_data(fronts(), designs(), PERCENTILES), "Llama3-70B, nominal USD of 2018")
    text = words(figure)
    for said in ("nominal USD of 2018", "no technique, front at base", "PRESERVE, front at base", "5 to 95 % of draws",
                 "25 to 75 % of draws", "in 50 % of draws at least", "on the front in 50 %", "not on the front at base",
                 "Cost of the group (thousand USD)", "Throughput of the group (tokens/s)"):
        assert said in text
    assert not clipped(figure)


def test_each_situation_is_a_panel_and_too_many_are_refused() -> None:
    models = ("llama3_8b", "llama3_70b")
    data = front_bands_data(fronts(models), designs(models), PERCENTILES, ("model",))
    assert [panel.situation for panel in data.panels] == [(("model", "llama3_8b"),), (("model", "llama3_70b"),)]
    assert "Llama3-8B" in words(draw_front_bands(data))
    many = ("a", "b", "c", "d", "e")
    with pytest.raises(InputError, match=r"model have 5 combinations .* fix one, as in model=a"):
        front_bands_data(fronts(many), designs(many), PERCENTILES, ("model",))
