"""Figures of a study: its front, how it came to its best, which dimensions decide."""

from __future__ import annotations

import numpy as np
import pytest
from figure_tables import clipped, words

from dse.errors import InputError
from dse.figures.study_front import Designs, draw_study_front, study_front_data
from dse.figures.study_history import Trials, draw_study_history, study_history_data
from dse.figures.study_importance import draw_study_importance

OBJECTIVES = (("throughput_tokens_per_s", 1.0), ("group_usd", -1.0))
MARK = "tokens_per_s_per_usd"
DESIGNS = Designs(np.array([[100.0, 200.0, 150.0, 300.0, 90.0], [10e3, 30e3, 40e3, 5e3, 10e3]]),
                  np.array([True, True, True, False, True]))


def test_the_front_is_of_feasible_designs_with_cost_along_x() -> None:
    """300 tokens/s for 5,000 USD would beat all, and is infeasible; 150 and 90 are beaten by 200 and 100."""
    data = study_front_data(DESIGNS, OBJECTIVES, 0, (MARK, 0.01))
    assert data.keys == ("group_usd", "throughput_tokens_per_s")
    assert data.front.tolist() == [[10e3, 30e3], [100.0, 200.0]]
    assert data.best == (10e3, 100.0)
    figure = draw_study_front(data, "a study")
    said = words(figure)
    assert "Pareto front: 2" in said
    assert "feasible: 4" in said
    assert "infeasible: 1" in said
    assert "10.0 tokens/s" in said
    assert "not shown: 1 infeasible" in said.replace("\n", " ")
    assert not clipped(figure)


def test_a_baseline_has_its_own_front_and_further_objectives_are_said() -> None:
    other = Designs(np.array([[50.0, 80.0], [20e3, 15e3], [1.0, 2.0]]), np.array([True, True]))
    three = Designs(np.vstack([DESIGNS.values, np.ones(5)]), DESIGNS.feasible)
    data = study_front_data(three, (*OBJECTIVES, ("ttft_s", -1.0)), 0, (MARK, 0.01), ("base-random", other))
    assert data.other_front.tolist() == [[15e3], [80.0]]
    said = words(draw_study_front(data))
    assert "front of base-random" in said
    assert "not of time to first token" in said.replace("\n", " ")


def test_a_study_without_a_front_is_refused() -> None:
    with pytest.raises(InputError, match="single objective"):
        study_front_data(DESIGNS, OBJECTIVES[:1], 0, (MARK, 0.01))
    with pytest.raises(InputError, match="no design of the study is feasible"):
        study_front_data(DESIGNS._replace(feasible=np.zeros(5, dtype=bool)), OBJECTIVES, 0, (MARK, 0.01))


@pytest.mark.parametrize("better", [1.0, -1.0])
def test_the_best_so_far_is_of_feasible_trials_and_counts_all_designs(better: float) -> None:
    marks = better * np.array([9.0, 2.0, 5.0, 8.0, 3.0])
    feasible = np.array([False, True, True, False, True])
    trials = Trials("chip", marks, feasible, np.array([101.0, 1.0, 1.0, 51.0, 1.0]))
    data = study_history_data((trials, trials._replace(name="chip-random")), "ttft_s", better, better * 6.0)
    assert data.courses[0].best.tolist()[1:] == [better * 2.0, better * 5.0, better * 5.0, better * 5.0]
    assert np.isnan(data.courses[0].best[0])
    assert data.courses[0].designs.tolist() == [101.0, 102.0, 103.0, 154.0, 155.0]
    figure = draw_study_history(data, "a study")
    assert all(text in words(figure) for text in ("best so far, chip-random", "exact optimum of a grid"))
    assert not clipped(figure)
    with pytest.raises(InputError, match="no design of study chip is feasible"):
        study_history_data((trials._replace(feasible=np.zeros(5, dtype=bool)),), "ttft_s", better, None)


def test_the_most_important_dimension_stands_first() -> None:
    figure = draw_study_importance({"hardware.cores": 0.2, "hardware.l2_mib": 0.8}, MARK)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["L2 size", "Cores"]
    assert all(text in words(figure) for text in ("80%", "20%"))
    assert not clipped(figure)
