"""Many situations at once have the fronts and the bests that each has alone, however blocks cut them."""

from __future__ import annotations

import numpy as np
import pytest
from grid.cases import HBM_BANDWIDTH, L2, LINK, base_row

from dse.case import paths
from dse.grid import designs
from dse.grid.designs import SituationBlocks, best_of_situations, evaluate_places
from dse.grid.estimate import needed
from dse.grid.evaluate import Engine, evaluate
from dse.grid.front import Objective
from dse.grid.grid import Axis, Grid
from dse.grid.stream import streamed_front

FRONT = (Objective("throughput_tokens_per_s", True), Objective("group_usd"))
BEST = Objective("tokens_per_s_per_usd", True)
PROMPT = paths().index("setting.traffic.prompt_tokens")


def grid_of(prompts: int, *shape: int) -> Grid:
    base = base_row(technique="preserve")
    free = tuple(Axis(slot, tuple(base[slot] * factor for factor in np.linspace(0.2, 2.0, count).tolist()))
                 for slot, count in zip((L2, HBM_BANDWIDTH, LINK), shape, strict=False))
    return Grid(base, (Axis(PROMPT, tuple(np.linspace(64.0, 6400.0, prompts).tolist())), *free))


@pytest.mark.parametrize("shape", [(5,), (9, 20), (4, 150), (6, 5, 7), (3, 4, 5, 6)])
@pytest.mark.parametrize("block", [40, 64, 2**18])
def test_situations_together_are_those_alone(shape: tuple[int, ...], block: int,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(designs, "BLOCK", block)
    grid = grid_of(*shape)
    blocks = SituationBlocks(grid, 1)
    found = [blocks.places(number, FRONT, BEST) for number in range(blocks.count)]
    assert sum(evaluated for _, evaluated in found) == grid.size
    places = np.sort(np.concatenate([own for own, _ in found]))
    metrics = evaluate_places(grid, places, "compiled")
    kept = places[best_of_situations(metrics, places // blocks.of_situation, FRONT, BEST)]
    expected = []
    for first in range(0, grid.size, blocks.of_situation):
        one = Grid(grid.design(first), grid.axes[1:])
        own = [streamed_front(one, objectives).front.places for objectives in (FRONT, (BEST,))]
        expected += (np.unique(np.concatenate(own)) + first).tolist()
    assert kept.tolist() == expected


@pytest.mark.parametrize("engine", ["auto", "plain", "compiled"])
def test_places_have_the_metrics_of_the_grid(engine: Engine) -> None:
    grid = grid_of(3, 4, 5)
    places = np.array([0, 7, 8, 31, 59])
    whole = evaluate(grid)
    assert evaluate_places(grid, places, engine).tobytes() == np.ascontiguousarray(whole[:, places]).tobytes()
    wider = np.zeros((len(whole), 9))
    evaluate_places(grid, places, engine, wider[:, 2:7])
    assert np.array_equal(wider[:, 2:7], whole[:, places])
    assert not wider[:, :2].any()
    assert not wider[:, 7:].any()
    assert evaluate_places(Grid(grid.design(31)), np.array([0]), engine)[:, 0].tolist() == whole[:, 31].tolist()


def test_metrics_go_where_they_are_wanted() -> None:
    grid = grid_of(3, 4, 5)
    out = np.zeros((len(evaluate(grid)), 70))
    for engine in ("plain", "compiled"):
        out[:] = 0.0
        evaluate(grid, engine, out[:, 5:65])
        assert np.array_equal(out[:, 5:65], evaluate(grid, "plain"))
        assert not out[:, :5].any()
        assert not out[:, 65:].any()


def test_what_many_situations_need_grows_with_them() -> None:
    """A thousand times as many situations of the same kind have that many times the rows, of at most 40 each."""
    few, many = (needed(grid_of(count, 40), 1, FRONT, BEST) for count in (100, 100_000))
    assert 100 <= few.rows <= 4000
    assert many.rows == pytest.approx(1000 * few.rows, rel=0.1)
    assert many.seconds > few.seconds > 0.0


def test_large_situations_are_told_from_coarser_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, designs_of_it in (("FEWEST_BOUNDED", 1000), ("COARSE", 500), ("FINER", 900)):
        monkeypatch.setattr(f"dse.grid.estimate.{name}", designs_of_it)
    few, many = (needed(grid_of(count, 40, 40), 1, FRONT, BEST) for count in (21, 2001))
    assert many.rows / 2001 == pytest.approx(few.rows / 21, rel=0.2)
    assert many.seconds > few.seconds > 0.0
