"""Compute prediction intervals from a model's errors on promoters unlike those of its training."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from ..errors import CalibrationError, DataError

LEVELS = np.arange(50, 100) / 100
"""Levels of the intervals in a calibration: 0.50, 0.51, … 0.99."""

CONFIDENCE = 0.95
"""Probability, over the choice of calibration rows, that intervals cover at least the share that they promise."""

_ROWS_A_KNOT, _MOST_KNOTS = 50, 8


def fit(predicted: np.ndarray, measured: np.ndarray) -> dict[str, list[float]]:
    """Calibrate intervals on rows that the model was not trained on.

    First, the expected error is fitted as a function of the prediction. Then, for each level, the smallest ratio of
    error to expected error is found that covers this share of promoters (normalised split conformal prediction,
    Papadopoulos et al. 2002, https://doi.org/10.1007/3-540-36755-1_29) with probability `CONFIDENCE` over the choice
    of rows (Vovk 2012, https://proceedings.mlr.press/v25/vovk12.html). Fewer rows give wider intervals.

    Args:
        predicted, measured: float (n,), in expression units.

    Returns:
        The knots `expression` and their expected errors `spread`, and the `ratios` by level.

    Raises:
        DataError: if there are fewer than 29 rows, which an interval of 90 % needs.
    """
    n = len(predicted)
    # The k-th smallest ratio covers a level if fewer than k of n rows are below its quantile: a binomial probability.
    ranks = np.array([np.searchsorted(binom.cdf(np.arange(n), n, level), CONFIDENCE) for level in LEVELS])
    ranks = ranks[ranks < n]
    if len(ranks) <= np.searchsorted(LEVELS, 0.9):
        raise DataError(
            f"{n} held-out rows unrelated to the others are too few for intervals of 90 %; give at least 29"
        )
    order, errors = np.argsort(predicted, kind="stable"), np.abs(np.subtract(measured, predicted, dtype=np.float64))
    parts = np.array_split(order, np.clip(n // _ROWS_A_KNOT, 1, _MOST_KNOTS))
    knots = [float(np.median(predicted[part])) for part in parts]
    spread = [max(float(errors[part].mean()), 1e-3) for part in parts]
    ratios = np.sort(errors / np.interp(predicted, knots, spread))
    return {"expression": knots, "spread": spread, "ratios": ratios[ranks].tolist()}


def half_width(calibration: dict[str, list[float]] | None, level: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that gives the half width of intervals, float32 (n,), for predictions, float32 (n,).

    Args:
        calibration: as `fit` returns it.
        level: share of promoters whose measurement an interval should cover, 0.5 to 0.99, rounded up to a per cent.

    Raises:
        CalibrationError: if there is no calibration.
        ValueError: if there is none for the level.
    """
    if not 0.5 <= level <= LEVELS[-1]:
        raise ValueError(f"interval is {level}; give the share to cover, from 0.5 to {LEVELS[-1]}")
    if calibration is None:
        raise CalibrationError("the model has no calibration for intervals; make one with `dream-bert calibrate`")
    number = int(np.searchsorted(LEVELS, level - 1e-9))
    if number >= len(calibration["ratios"]):
        most = LEVELS[len(calibration["ratios"]) - 1]
        raise ValueError(
            f"interval is {level}, but the model is calibrated for at most {most}; calibrate it on more rows"
        )
    knots = calibration["expression"], np.multiply(calibration["ratios"][number], calibration["spread"])
    return lambda predicted: np.interp(predicted, *knots).astype(np.float32)
