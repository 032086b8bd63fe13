"""Time by operator: sums, hidden time, and what is drawn."""

from __future__ import annotations

from typing import Any

import pytest
from figure_tables import clipped, overlapping, words
from matplotlib.colors import to_rgba

from dse.errors import InputError
from dse.figures.labels import COLLECTIVES, FEED_FORWARD, OTHER
from dse.figures.latency_breakdown import COLOURS, draw_latency_breakdown, latency_breakdown_data
from dse.figures.stacks import fitting_text


def operator(phase: str, name: str, time_s: float, bound: str, hidden_s: float = 0.0) -> dict[str, Any]:
    return {"phase": phase, "name": name, "count": 80.0, "time_s": time_s, "bound": bound, "hidden_s": hidden_s,
            "hbm_bytes": 0.0}


WITHOUT = [operator("prefill", "gate_up", 2.0, "compute"), operator("prefill", "mlp_reduce", 1.0, "link"),
           operator("decode", "gate_up", 0.006, "hbm"), operator("decode", "mlp_reduce", 0.003, "floor"),
           operator("decode", "logits_all_gather", 0.0, "none")]
WITH_IT = [*WITHOUT[:2], operator("decode", "gate_up", 0.004, "hbm", 0.002), *WITHOUT[3:]]
BOTH = {"none": WITHOUT, "preserve": WITH_IT}


def test_bars_hold_the_operators_in_order_and_their_sums() -> None:
    data = latency_breakdown_data(BOTH)
    assert list(data.phases) == ["prefill", "decode"]
    without, with_it = data.phases["decode"]
    assert [(part.name, part.kind, part.bound) for part in without.parts] == [
        ("gate_up", FEED_FORWARD, "hbm"), ("mlp_reduce", COLLECTIVES, "floor")]
    assert without.time_s == pytest.approx(0.009)
    assert (with_it.time_s, with_it.hidden_s) == (pytest.approx(0.007), 0.002)


def test_an_operator_that_is_not_known_is_shown_under_its_own_name() -> None:
    data = latency_breakdown_data({"none": [operator("decode", "state_space_scan", 0.009, "l2")]})
    assert data.phases["decode"][0].parts[0].kind == OTHER
    assert "state space scan\nL" in words(draw_latency_breakdown(data))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="an operator of none lacks hidden_s: it needs phase, name"):
        latency_breakdown_data({"none": [{"phase": "decode", "name": "qkv", "time_s": 1.0, "bound": "hbm"}]})
    with pytest.raises(InputError, match="must have the same phases, at least one: prefill is not in all"):
        latency_breakdown_data({"none": WITHOUT, "preserve": WITH_IT[2:]})
    with pytest.raises(InputError, match="no technique must have the same phases"):
        latency_breakdown_data({})


def test_a_bar_shows_time_by_operator_and_hidden_time_hatched_at_its_end() -> None:
    figure = draw_latency_breakdown(latency_breakdown_data(BOTH), "A title")
    prefill, decode = figure.axes
    assert "(s)" in prefill.get_xlabel()
    assert "(ms)" in decode.get_xlabel()
    second = [bar for bar in decode.patches if round(bar.get_y() + 0.4) == 1]
    assert [(round(bar.get_x(), 9), round(bar.get_width(), 9)) for bar in second if not bar.get_hatch()] == [
        (0.0, 4.0), (4.0, 3.0)]
    hatched = [bar for bar in second if bar.get_hatch() and bar.get_width() > 0.0]
    assert [(round(bar.get_x(), 9), round(bar.get_width(), 9)) for bar in hatched] == [(7.0, 2.0)]
    assert hatched[0].get_edgecolor() == to_rgba(COLOURS[FEED_FORWARD])
    written = words(figure)
    for text in ("gate, up\nM", "reduce\nF", "9.00 ms", "7.00 ms,\n2.00 ms hidden", "3.00 s,\nnothing hidden",
                 "A title", "bound by: C compute, M HBM, N links, F floor (launch, start-up)",
                 "hidden by the technique"):
        assert text in written
    assert clipped(figure) == []
    assert overlapping(figure) == []


def test_text_is_level_where_it_fits_else_upright_else_its_letter_else_nothing() -> None:
    assert fitting_text("attention", "M", 0.6) == ("attention\nM", 0.0)
    assert fitting_text("output", "M", 0.25) == ("output\nM", 90.0)
    assert fitting_text("attention norm", "M", 0.25) == ("M", 0.0)
    assert fitting_text("output", "M", 0.02) == ("", 0.0)
