"""What is compiled apart for each choice, and where compiled code looks for its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from grid.cases import SLOTS, base_row

from dse.grid.compiled import blocks, choice_slots, choices, grid_levels, model_graph
from dse.grid.evaluate import evaluate_columns
from dse.grid.graph import COMPARISONS, CONSTANT, INPUT
from dse.grid.grid import Axis, Grid
from dse.grid.plain import case_of
from dse.grid.reader import leaves
from dse.objective import Metrics, metrics


def test_choices_are_the_slots_that_the_equations_compare_with_a_number() -> None:
    """All that are equal to a number or not, and of those above one or not the switches of whole parts of the model."""
    graph, found = model_graph()
    equal, compared = set(), set()
    for node in graph.live(leaves(found)):
        operands = [graph.nodes[one] for one in graph.nodes[node].operands]
        if graph.nodes[node].operation in COMPARISONS and any(one.operation == CONSTANT for one in operands):
            compared |= {one.place for one in operands if one.operation == INPUT}
            equal |= {one.place for one in operands if one.operation == INPUT
                      and graph.nodes[node].operation in ("eq", "ne")}
    assert equal <= set(choice_slots()) <= compared
    assert {SLOTS[f"setting.model.{name}"] for name in ("experts", "kv_latent_width")} <= set(choice_slots())


def test_a_choice_that_varies_is_not_compiled_in() -> None:
    base, law = base_row(), SLOTS["cost.die_yield.law"]
    assert law in dict(choices(base, ()))
    assert law not in dict(choices(base, (law,)))


@pytest.mark.parametrize("path", ["cost.die_yield.law", "setting.device.topology",
                                  "setting.parallelism.pipeline_parallel"])
def test_a_choice_may_be_an_axis(path: str) -> None:
    base, slot = base_row(), SLOTS[path]
    values = np.array([[1.0, 2.0, 1.0, 2.0]])
    found = evaluate_columns(base, (slot,), values)
    for place, value in enumerate(values[0].tolist()):
        numbers = list(base)
        numbers[slot] = value
        assert found[:, place].tolist() == list(metrics(case_of(numbers)))


@pytest.mark.parametrize("shape", [(5,), (3000,), (3, 5), (70, 80, 90), (2, 2, 2, 2, 2, 2000)])
def test_blocks_hold_every_design_once(shape: tuple[int, ...]) -> None:
    grid = Grid(base_row(), tuple(Axis(slot, tuple(float(value) for value in range(count)))
                                  for slot, count in enumerate(shape)))
    seen = np.zeros(grid.size, dtype=int)
    for block in blocks(grid_levels(grid), 1000):
        places = np.zeros(1, dtype=int)
        for level in block.levels:
            places = (places[:, None] + level.places[None, :]).ravel()
        seen[places] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize("count", [0, 3, 50])
def test_metrics_are_written_where_they_are_wanted(count: int) -> None:
    base, slot = base_row(), SLOTS["setting.device.l2_bytes"]
    values = np.linspace(1e6, 2e8, count)[None, :]
    out = np.zeros((len(Metrics._fields), count))
    assert evaluate_columns(base, (slot,), values, out) is out
    assert out.tobytes() == evaluate_columns(base, (slot,), values).tobytes()
