"""Sobol indices of functions whose indices are known, through the machinery that the model's go through."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dse.errors import InputError
from dse.uncertainty.influence import checked_index_samples, sobol

Floats = NDArray[np.float64]


def ishigami(points: Floats) -> Floats:
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1, each x uniform on -pi to pi."""
    x = np.pi * (2.0 * points - 1.0)
    return (np.sin(x[0]) + 7.0 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0]))[None]


def test_indices_of_the_ishigami_function() -> None:
    # Ishigami and Homma, 1990, a = 7, b = 0.1: V = a^2/8 + b pi^4/5 + b^2 pi^8/18 + 1/2,
    # V1 = (1 + b pi^4/5)^2 / 2, V2 = a^2/8, V13 = b^2 pi^8 (1/18 - 1/50).
    a, b, fourth = 7.0, 0.1, np.pi**4
    total = a**2 / 8.0 + b * fourth / 5.0 + b**2 * fourth**2 / 18.0 + 0.5
    first = np.array([0.5 * (1.0 + b * fourth / 5.0) ** 2, a**2 / 8.0, 0.0]) / total
    joint = b**2 * fourth**2 * (1.0 / 18.0 - 1.0 / 50.0) / total
    found = sobol(ishigami, np.zeros(1), 3, 4096, [1])
    np.testing.assert_allclose(found.first[0], first, atol=0.01)
    np.testing.assert_allclose(found.total[0], first + np.array([joint, 0.0, joint]), atol=0.01)
    assert found.undecided.tolist() == [0.0]


def test_errors_shrink_with_the_points_and_cover_the_truth() -> None:
    few, many = (sobol(ishigami, np.zeros(1), 3, count, [1]) for count in (256, 4096))
    assert (many.first_error < few.first_error).all()
    assert abs(few.first[0, 1] - 0.4424) < 4.0 * few.first_error[0, 1]


def test_indices_of_a_sum_are_shares_of_its_variance() -> None:
    # f = 3 u1 + 4 u2: variances 9/12 and 16/12, so 9/25 and 16/25, first order and total alike; u3 does nothing.
    found = sobol(lambda points: (3.0 * points[0] + 4.0 * points[1])[None], np.zeros(1), 3, 2048, [5])
    np.testing.assert_allclose(found.first[0], [0.36, 0.64, 0.0], atol=0.01)
    np.testing.assert_allclose(found.total[0], [0.36, 0.64, 0.0], atol=0.01)


def test_a_single_unknown_of_several_quantities_has_all_the_influence() -> None:
    found = sobol(lambda points: np.array([points[0], 5.0 - 2.0 * points[0]]), np.zeros(2), 1, 256, [3])
    np.testing.assert_allclose(found.first, [[1.0], [1.0]], atol=0.02)
    np.testing.assert_allclose(found.total, [[1.0], [1.0]], atol=0.02)
    assert found.first_error.shape == (2, 1)


def test_what_does_not_vary_has_no_influence() -> None:
    found = sobol(lambda points: np.ones((1, points.shape[1])), np.ones(1), 2, 64, [1])
    assert found.first.tolist() == found.total.tolist() == [[0.0, 0.0]]


def test_a_value_missing_at_few_points_counts_as_at_base_and_at_many_there_is_no_index() -> None:
    def with_holes(share: float) -> Floats:
        return sobol(lambda points: np.where(points[1] < share, np.nan, points[0])[None], np.array([0.5]), 2, 1024,
                     [1])

    few, many = with_holes(0.01), with_holes(0.2)
    assert few.undecided[0] == pytest.approx(0.01, abs=0.003)
    assert few.first[0, 0] == pytest.approx(1.0, abs=0.05)
    assert np.isnan(many.first).all()
    assert np.isnan(many.total).all()


def test_the_same_seed_gives_the_same_indices() -> None:
    first, again = (sobol(ishigami, np.zeros(1), 3, 128, [9]) for _ in range(2))
    assert all((one == other).all() for one, other in zip(first, again, strict=True))


@pytest.mark.parametrize("count", [0, 1, 1000, 2.0, True])
def test_points_that_are_not_a_power_of_two_are_refused(count: object) -> None:
    with pytest.raises(InputError, match=f"index_samples={count} is not allowed: give a power of two"):
        checked_index_samples(count)
