"""All metrics of many designs, by the model as it stands or compiled: the same numbers to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from dse.errors import InputError
from dse.grid.grid import Grid
from dse.grid.plain import evaluated as plainly_evaluated
from dse.objective import Metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

Engine = Literal["auto", "plain", "compiled"]
ENGINES = ("auto", "plain", "compiled")
FEWEST_COMPILED = 256  # loading compiled code takes as long as this many designs of the plain model, about 0.1 s


class Changes(NamedTuple):
    """Rows that differ from a base row in `slots` alone; `values` is (slots, rows)."""

    slots: tuple[int, ...]
    values: NDArray[np.float64]


def evaluate(grid: Grid, engine: Engine = "auto", out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """All metrics of all designs of the grid: (len(Metrics._fields), grid.size), designs in C order.

    They are written to `out` where it is given, which may be a run of columns of a larger array.
    """
    if _engine(engine, grid.size) == "compiled":
        from dse.grid.compiled import evaluated

        return evaluated(grid, out)
    found = plainly_evaluated(grid)
    if out is None:
        return found
    out[:] = found
    return out


def evaluate_rows(rows: NDArray[np.float64], engine: Engine = "auto") -> NDArray[np.float64]:
    """All metrics of independent designs, given as an array (numbers, designs) of flat rows."""
    count = rows.shape[1]
    if _engine(engine, count) == "plain":
        import numpy as np

        found = [plainly_evaluated(Grid(tuple(rows[:, place].tolist())))[:, 0] for place in range(count)]
        return np.array(found).reshape(count, len(Metrics._fields)).T
    return evaluate_columns((0.0,) * rows.shape[0], range(rows.shape[0]), rows)


def evaluate_columns(base: Sequence[float], slots: Sequence[int], values: NDArray[np.float64],
                     out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """All metrics of independent designs that differ from `base` in `slots` alone; `values` is (slots, designs).

    They are written to `out`, (len(Metrics._fields), designs), where it is given: a search need not make it anew.
    """
    from dse.grid.compiled import evaluated_columns

    return evaluated_columns(base, slots, values, out)


def evaluate_product(base: Sequence[float], outer: Changes, inner: Changes) -> NDArray[np.float64]:
    """All metrics of every row of `outer` with every row of `inner`, both changes of `base`: (metrics, outer, inner).

    The two change different slots. What depends on one of them alone is worked out once for it.
    """
    from dse.grid.compiled import evaluated_product

    return evaluated_product(base, outer, inner)


def _engine(engine: str, designs: int) -> str:
    if engine not in ENGINES:
        raise InputError(f"engine={engine} is not allowed: choose one of {', '.join(ENGINES)}")
    if engine == "auto":
        return "plain" if designs < FEWEST_COMPILED else "compiled"
    return engine
