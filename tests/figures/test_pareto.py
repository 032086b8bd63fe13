"""Pareto fronts by technique, and how they are drawn."""

from __future__ import annotations

import moocore
import numpy as np
import pytest
from figure_tables import clipped, l2_sweep, overlapping, table, words

from dse.errors import InputError
from dse.figures.pareto import SCATTER_MOST, draw_pareto, pareto_data, steps

USD, RATE, OBJECTIVE = "group_usd", "throughput_tokens_per_s", "tokens_per_s_per_usd"


def designs(points: list[tuple[float, float, str, float]]) -> dict[str, np.ndarray]:
    """A table of (USD, tokens/s, technique, feasible)."""
    return table([{"technique": technique, USD: usd, RATE: rate, OBJECTIVE: rate / usd, "feasible": fine}
                  for usd, rate, technique, fine in points])


HAND = designs([
    (10.0, 5.0, "none", 1.0), (20.0, 8.0, "none", 1.0), (20.0, 7.0, "none", 1.0), (30.0, 8.0, "none", 1.0),
    (40.0, 9.0, "none", 1.0), (10.0, 5.0, "none", 1.0), (5.0, 99.0, "none", 0.0), (8.0, np.nan, "none", 1.0),
    (12.0, 6.0, "preserve", 1.0), (24.0, 15.0, "preserve", 1.0), (30.0, 1.0, "preserve", 1.0)])


def test_fronts_and_best_designs_are_those_worked_out_by_hand() -> None:
    data = pareto_data(HAND)
    without, with_it = data.fronts
    assert without.rows.tolist() == [0, 1, 4]
    assert (without.x.tolist(), without.y.tolist()) == ([10.0, 20.0, 40.0], [5.0, 8.0, 9.0])
    assert (without.best_row, without.best_value) == (0, 0.5)
    assert with_it.rows.tolist() == [8, 9]
    assert (with_it.best_x, with_it.best_y, with_it.best_value) == (24.0, 15.0, 0.625)
    assert (data.x.size, data.infeasible) == (9, 2)


@pytest.mark.parametrize(("x_key", "y_key", "signs"), [
    (USD, RATE, (1.0, -1.0)), ("request_s", USD, (1.0, 1.0)), (RATE, "tokens_per_j", (-1.0, -1.0))])
def test_a_front_is_that_of_an_independent_library(x_key: str, y_key: str, signs: tuple[float, float]) -> None:
    random = np.random.default_rng(1)
    columns = {"technique": np.array(["none", "preserve"] * 500), "feasible": np.ones(1000), OBJECTIVE: np.ones(1000),
               x_key: random.integers(1, 60, 1000).astype(float), y_key: random.integers(1, 60, 1000).astype(float)}
    for front in pareto_data(columns, x_key, y_key).fronts:
        own = columns["technique"] == front.technique
        points = np.stack([signs[0] * columns[x_key][own], signs[1] * columns[y_key][own]], axis=1)
        best = moocore.filter_dominated(points)
        assert {(signs[0] * x, signs[1] * y) for x, y in zip(front.x, front.y, strict=True)} == set(map(tuple, best))
        assert np.all(np.diff(front.x) > 0.0)


def test_the_line_of_a_front_bounds_what_it_reaches() -> None:
    data = pareto_data(HAND)
    x, y = steps(data, data.fronts[0], (0.0, 0.05), (0.0, 20.0))
    # Up from the worst throughput at the cheapest design, and to the right to the dearest cost (thousand USD).
    assert x.tolist() == [0.01, 0.01, 0.02, 0.02, 0.04, 0.04, 0.05]
    assert y.tolist() == [0.0, 5.0, 5.0, 8.0, 8.0, 9.0, 9.0]
    other = pareto_data({**HAND, "tokens_per_j": HAND[USD]}, "tokens_per_j", RATE)
    x, y = steps(other, other.fronts[1], (0.0, 50.0), (0.0, 20.0))
    # More of both: (24, 15) and (30, 1). From the left at 15, down at 24, then at 1, down at 30.
    assert x.tolist() == [0.0, 24.0, 24.0, 30.0, 30.0]
    assert y.tolist() == [15.0, 15.0, 1.0, 1.0, 0.0]


def test_what_has_no_front_is_refused() -> None:
    with pytest.raises(InputError, match="none of the 11 designs is feasible"):
        pareto_data({**HAND, "feasible": np.zeros(11)})
    with pytest.raises(InputError, match="batch has no direction of its own"):
        pareto_data({**HAND, "batch": np.ones(11)}, "batch")
    assert pareto_data({**HAND, "batch": np.ones(11)}, "batch", better={"batch": 1.0}).x_better == 1.0
    with pytest.raises(InputError, match=r"model varies, and a front .* would mean nothing: fix it, as in model=a"):
        pareto_data({**HAND, "model": np.array(["a"] * 5 + ["b"] * 6)})


def test_axes_fronts_and_marks_are_drawn_and_nothing_overlaps() -> None:
    figure = draw_pareto(pareto_data(l2_sweep(hardware__hbm_gb_per_s=(500.0, 1000.0, 2000.0))), "A title")
    written = words(figure)
    for text in ("Cost of the group (thousand USD)", "Throughput of the group (tokens/s)", "no technique",
                 "PRESERVE", "feasible designs: 36", "lines: Pareto fronts; marked: best throughput per cost",
                 "A title"):
        assert text in written
    assert clipped(figure) == []
    assert overlapping(figure) == []
    [points] = figure.axes[0].collections
    assert len(points.get_offsets()) == 36
    assert points.get_rasterized()


def test_infeasible_designs_are_left_out_and_counted() -> None:
    assert "not shown: 2 infeasible designs" in words(draw_pareto(pareto_data(HAND))).replace("\n", " ")


def test_many_designs_become_a_density() -> None:
    random = np.random.default_rng(2)
    count = 20 * SCATTER_MOST
    usd, rate = np.exp(random.normal(8.0, 1.0, count)), np.exp(random.normal(5.0, 1.0, count))
    columns = {"technique": np.full(count, "none"), "feasible": np.ones(count), USD: usd, RATE: rate,
               OBJECTIVE: rate / usd}
    figure = draw_pareto(pareto_data(columns))
    [hexagons] = figure.axes[0].collections
    assert hexagons.get_rasterized()
    assert hexagons.get_array().size < SCATTER_MOST
    assert hexagons.get_array().sum() == count
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "log"


def test_a_single_design_has_a_figure() -> None:
    figure = draw_pareto(pareto_data(designs([(10.0, 5.0, "none", 1.0)])))
    assert "feasible designs: 1" in words(figure)
    assert clipped(figure) == []


def test_four_techniques_and_a_long_title_find_room() -> None:
    columns = l2_sweep(technique=("none", "preserve", "preserve_kv", "preserve_weights"))
    figure = draw_pareto(pareto_data(columns), "A long title of many words " * 4)
    assert clipped(figure) == []
    assert overlapping(figure) == []
