"""Percentile bands along an axis, and where the best lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_tables import clipped, table, words

from dse.errors import InputError
from dse.figures.bands import bands_data, draw_bands

L2, OBJECTIVE = "hardware.l2_mib", "tokens_per_s_per_mm2"
PERCENTILES = (5.0, 25.0, 75.0, 95.0)
SHARES = {"none": (0.9, 0.1, 0.0), "preserve": (0.1, 0.6, 0.3)}


def optimum(models: tuple[str, ...] = ("llama3_70b",)) -> dict[str, np.ndarray]:
    """Bands 10, 20, 30 and 40 % about a base of 0.05, a row of each size of 8, 32, 128 MiB and technique."""
    rows: list[dict[str, Any]] = []
    for model in models:
        for technique, shares in SHARES.items():
            for place, size in reversed(list(enumerate((8.0, 32.0, 128.0)))):
                base = 0.05 - 0.005 * place + (0.01 if (technique, size) == ("preserve", 32.0) else 0.0)
                rows.append({"model": model, "technique": technique, "axis": L2, "value": size,
                             "probability": shares[place], "best_at_base": 0.0, "probability_feasible": 1.0,
                             OBJECTIVE: base, **{f"{OBJECTIVE}_p{one:02.0f}": base * (0.6 + 0.2 * step)
                                                 for step, one in enumerate(PERCENTILES)}})
    return table(rows)


def test_curves_are_the_rows_of_each_technique_in_the_order_of_the_axis() -> None:
    data = bands_data(optimum(), L2, OBJECTIVE, PERCENTILES)
    (panel,) = data.panels
    without, with_it = panel.curves
    assert (without.technique, with_it.technique) == ("none", "preserve")
    assert without.x.tolist() == [8.0, 32.0, 128.0]
    assert with_it.base == pytest.approx([0.05, 0.055, 0.04])
    assert with_it.percentiles[:, 1] == pytest.approx([0.033, 0.044, 0.055, 0.066])
    assert with_it.probability.tolist() == [0.1, 0.6, 0.3]


def test_rows_of_other_axes_are_left_out_and_the_figure_says_that_they_vary() -> None:
    columns = optimum()
    other = {key: values.copy() for key, values in columns.items()}
    other["axis"] = np.full(6, "hardware.hbm_gb_per_s")
    both = {key: np.concatenate([columns[key], other[key]]) for key in columns}
    data = bands_data(both, L2, OBJECTIVE, PERCENTILES, chosen=(L2, "hardware.hbm_gb_per_s"))
    assert data.panels[0].curves[0].x.size == 3
    assert "the best over HBM bandwidth" in words(draw_bands(data))


def test_each_situation_is_a_panel_and_too_many_are_refused() -> None:
    data = bands_data(optimum(("llama3_8b", "llama3_70b")), L2, OBJECTIVE, PERCENTILES, ("model",))
    assert [panel.situation for panel in data.panels] == [(("model", "llama3_8b"),), (("model", "llama3_70b"),)]
    text = words(draw_bands(data))
    assert "Llama3-8B" in text
    assert "Llama3-70B" in text
    with pytest.raises(InputError, match=r"model have 5 combinations .* fix one, as in model=a"):
        bands_data(optimum(("a", "b", "c", "d", "e")), L2, OBJECTIVE, PERCENTILES, ("model",))
    with pytest.raises(InputError, match=r"no axis hardware\.cores"):
        bands_data(optimum(), "hardware.cores", OBJECTIVE, PERCENTILES)


def test_the_drawing_names_what_it_shows_and_is_not_cut_off() -> None:
    figure = draw_bands(bands_data(optimum(), L2, OBJECTIVE, PERCENTILES), "Llama3-70B")
    text = words(figure)
    for said in ("Llama3-70B", "no technique", "PRESERVE", "5 to 95 % of draws", "25 to 75 % of draws", "best at base",
                 "L2 size (MiB)"):
        assert said in text
    assert not clipped(figure)


def test_heights_of_the_strips_are_the_shares_in_per_cent() -> None:
    figure = draw_bands(bands_data(optimum(), L2, OBJECTIVE, PERCENTILES))
    for axes, shares in zip(figure.axes[1:], SHARES.values(), strict=True):
        assert [bar.get_height() for bar in axes.patches] == pytest.approx([100.0 * share for share in shares])
