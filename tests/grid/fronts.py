"""Points with everything that the rule of a front speaks of, and their front by comparing each with each."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

VALUES = st.sampled_from((0.0, -0.0, 1.0, 2.0, 3.0, -1.5, math.inf, -math.inf, math.nan))
ALIKE = st.integers(0, 40).map(lambda step: 1.0 + step * 2.0**-52)  # all but the last bits are the same
SPREAD = st.floats(-600.0, 600.0).map(lambda power: math.copysign(2.0**power, power))


@st.composite
def points(draw: st.DrawFn, fewest: int = 1, most: int = 4) -> npt.NDArray[np.float64]:
    """Up to 40 points with `fewest` to `most` objectives."""
    objectives, count = draw(st.integers(fewest, most)), draw(st.integers(0, 40))
    value = draw(st.sampled_from((VALUES, st.floats(-10.0, 10.0), st.integers(0, 3).map(float), ALIKE, SPREAD)))
    return np.array(draw(st.lists(value, min_size=objectives * count, max_size=objectives * count))).reshape(
        objectives, count)


def brute_force(objectives: npt.NDArray[np.float64], feasible: npt.NDArray[np.bool_]) -> list[bool]:
    """The front by the rule of `dse.grid.pareto`, word by word."""
    columns = [tuple(column) if allowed and not any(math.isnan(value) for value in column) else None
               for column, allowed in zip(objectives.T.tolist(), feasible.tolist(), strict=True)]

    def beaten(place: int, by: int) -> bool:
        mine, other = columns[place], columns[by]
        if mine is None or other is None:
            return mine is None
        no_worse = all(one <= two for one, two in zip(other, mine, strict=True))
        return no_worse and (other != mine or by < place)

    return [columns[place] is not None and not any(beaten(place, by) for by in range(len(columns)))
            for place in range(len(columns))]
