"""The model as it stands, one design at a time: the reference of what is compiled, and quickest for a few designs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from dse.grid.grid import Grid
from dse.objective import Case, Metrics, metrics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def case_of(numbers: Sequence[float]) -> Case:
    """The case whose flat row is `numbers`."""
    built: Case = _record(Case, iter(numbers))
    return built


def evaluated(grid: Grid) -> NDArray[np.float64]:
    """All metrics of all designs of the grid: (metrics, designs)."""
    import numpy as np

    out = np.empty((len(Metrics._fields), grid.size))
    for place, numbers in enumerate(rows(grid)):
        out[:, place] = metrics(case_of(numbers))
    return out


def rows(grid: Grid) -> Iterator[list[float]]:
    """The row of each design, in C order; the same list each time."""
    numbers = list(grid.base)
    for values in itertools.product(*(axis.values for axis in grid.axes)):
        for axis, value in zip(grid.axes, values, strict=True):
            numbers[axis.index] = value
        yield numbers


@cache
def _kinds(record: Any) -> tuple[Any, ...]:
    return tuple(get_type_hints(record).values())


def _record(record: Any, numbers: Iterator[float]) -> Any:
    return record(*(next(numbers) if kind is float else _record(kind, numbers) for kind in _kinds(record)))
