"""How likely a value within an interval is: quantile functions of the shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import InputError

if TYPE_CHECKING:
    from dse.uncertainty.intervals import Interval

Floats = NDArray[np.float64]
SHAPES = ("triangular", "pert", "uniform")
LINEAR, LOGARITHMIC, COUNTED = "linear", "logarithmic", "counted"
AT_BASE = 0.5  # probability that a counted constant has its base value; its ends share the rest
PERT_WEIGHT = 4.0  # of the base beside the two ends: mean = (low + 4 base + high) / 6


def checked_shape(shape: Any) -> str:
    """`shape`; InputError where there is no such shape."""
    if shape not in SHAPES:
        raise InputError(f"uncertainty.shape={shape} is not allowed: choose one of {', '.join(SHAPES)}")
    return str(shape)


def values(interval: Interval, shares: Floats, shape: str) -> Floats:
    """The values, in the constant's own unit, that each of `shares` of all draws do not exceed.

    0 is low, 1 is high, and NaN is base.
    """
    low, base, high = interval.low, interval.base, interval.high
    if interval.form == COUNTED:
        side = 0.5 * (1.0 - AT_BASE)
        found = np.where(shares < side, low, np.where(shares <= 1.0 - side, base, high))
    elif interval.form == LOGARITHMIC:
        found = np.exp(quantiles(shape, float(np.log(low)), float(np.log(base)), float(np.log(high)), shares))
    else:
        found = quantiles(shape, low, base, high, shares)
    return np.where(np.isnan(shares), base, np.clip(found, low, high))


def quantiles(shape: str, low: float, mode: float, high: float, shares: Floats) -> Floats:
    """Quantiles of a distribution on `low` to `high`, both inside, with the most likely value `mode`.

    Triangular: the density rises in a line from `low` to `mode` and falls in a line to `high`. PERT: the beta
    distribution on the same support with mean (low + 4 mode + high) / 6 (Malcolm and others, Operations Research 7,
    1959). Uniform: every value is as likely, and `mode` is not used.
    """
    width = high - low
    if shape == "uniform" or width == 0.0:
        return np.asarray(low + width * shares)
    at = (mode - low) / width
    if shape == "triangular":
        return np.where(shares < at, low + width * np.sqrt(shares * at),
                        high - width * np.sqrt((1.0 - shares) * (1.0 - at)))
    from scipy.special import betaincinv

    return np.asarray(low + width * betaincinv(1.0 + PERT_WEIGHT * at, 1.0 + PERT_WEIGHT * (1.0 - at), shares))
