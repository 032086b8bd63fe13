"""Silicon by block and dollars by item."""

from __future__ import annotations

from typing import Any

import pytest
from figure_tables import clipped, overlapping, words

from dse.errors import InputError
from dse.figures.cost_breakdown import AREA_COLOURS, ITEM_COLOURS, cost_breakdown_data, draw_cost_breakdown


def metrics(scale: float = 1.0) -> dict[str, Any]:
    blocks = {"cores": 300.0 * scale, "l2": 200.0 * scale, "other": 100.0 * scale}
    return {"area": {"die_mm2": 600.0 * scale, "blocks_mm2": blocks},
            "cost": {"items_usd": {"die": 300.0, "hbm": 1000.0 * scale, "network": 0.0}}}


def test_blocks_and_items_keep_their_order_and_add_up() -> None:
    [design] = cost_breakdown_data({"A": metrics()}).designs
    assert design.blocks_mm2 == (("cores", 300.0), ("l2", 200.0), ("other", 100.0))
    assert design.items_usd == (("die", 300.0), ("hbm", 1000.0))
    assert (design.die_mm2, design.total_usd) == (600.0, 1300.0)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="no design"):
        cost_breakdown_data({})
    with pytest.raises(InputError, match=r"A has no cost\.items_usd"):
        cost_breakdown_data({"A": {"area": metrics()["area"]}})
    with pytest.raises(InputError, match=r"A has area\.blocks_mm2\.cores=-300\.0: it must be 0 or more"):
        cost_breakdown_data({"A": metrics(-1.0)})


@pytest.mark.parametrize("count", [1, 2, 5])
def test_bars_are_as_long_as_their_parts_and_every_total_is_written(count: int) -> None:
    designs = {f"chip {place}": metrics(1.0 + place) for place in range(count)}
    figure = draw_cost_breakdown(cost_breakdown_data(designs), "A title", "USD of 2025")
    area, cost = figure.axes
    assert [bar.get_width() for bar in area.patches[:3]] == [300.0, 200.0, 100.0]
    assert [bar.get_width() for bar in cost.patches[:2]] == [300.0, 1000.0]
    written = words(figure)
    for text in ("cores\n300", "600 mm²", "1,300 USD", "mm²)", "(USD of 2025)", "A title", "chip 0"):
        assert text in written
    assert clipped(figure) == []
    assert overlapping(figure) == []


def test_each_block_and_item_has_a_colour_of_its_own() -> None:
    for colours in (AREA_COLOURS, ITEM_COLOURS):
        assert len(set(colours.values())) == len(colours)
