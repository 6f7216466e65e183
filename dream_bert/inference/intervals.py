"""Prediction intervals: how far from its predictions a model was found on promoters unlike those it learned from."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from ..errors import DataError

LEVELS = np.arange(50, 100) / 100
"""Of the intervals that a calibration knows."""

CONFIDENCE = 0.95
"""Probability, over the choice of calibration rows, that intervals of a level cover at least that share."""

_ROWS_A_KNOT, _MOST_KNOTS = 50, 8


def fit(predicted: np.ndarray, measured: np.ndarray) -> dict[str, list[float]]:
    """A calibration from predictions and measurements of rows that the model has not learned from, float (n,).

    The errors' mean size is found as a function of the prediction, and then for each level the ratio of error to mean
    size that is exceeded no oftener (normalised split conformal prediction, Papadopoulos et al. 2002,
    https://doi.org/10.1007/3-540-36755-1_29). Of the rows' ratios it is the least that serves with probability
    `CONFIDENCE` (Vovk 2012, https://proceedings.mlr.press/v25/vovk12.html): the fewer rows, the wider the intervals.

    Raises:
        DataError: if there are fewer rows than an interval of 90 % needs, 29.
    """
    n = len(predicted)
    # The k-th least ratio serves if fewer than k of n rows are below the level's quantile, with that probability.
    ranks = np.array([np.searchsorted(binom.cdf(np.arange(n), n, level), CONFIDENCE) for level in LEVELS])
    ranks = ranks[ranks < n]
    if len(ranks) <= np.searchsorted(LEVELS, 0.9):
        raise DataError(f"{n} held-out rows unrelated to the others are too few for intervals of 90 %; 29 are needed")
    order, errors = np.argsort(predicted, kind="stable"), np.abs(np.subtract(measured, predicted, dtype=np.float64))
    parts = np.array_split(order, np.clip(n // _ROWS_A_KNOT, 1, _MOST_KNOTS))
    knots = [float(np.median(predicted[part])) for part in parts]
    spread = [max(float(errors[part].mean()), 1e-3) for part in parts]
    ratios = np.sort(errors / np.interp(predicted, knots, spread))
    return {"expression": knots, "spread": spread, "ratios": ratios[ranks].tolist()}


def half_width(calibration: dict[str, list[float]] | None, level: float) -> Callable[[np.ndarray], np.ndarray]:
    """How far an interval reaches to both sides, float32 (n,), as a function of predictions, float32 (n,).

    Args:
        calibration: as `fit` gives; it knows levels of whole per cents, and the next above `level` is taken.
        level: share of promoters whose measurement an interval shall cover, 0.5 to 0.99.

    Raises:
        ValueError: if there is no calibration, or none for the level.
    """
    if not 0.5 <= level <= LEVELS[-1]:
        raise ValueError(f"interval is {level}; give the share to cover, from 0.5 to {LEVELS[-1]}")
    if calibration is None:
        raise ValueError("the model has no calibration for intervals; make one with `dream-bert calibrate`")
    number = int(np.searchsorted(LEVELS, level - 1e-9))
    if number >= len(calibration["ratios"]):
        most = LEVELS[len(calibration["ratios"]) - 1]
        raise ValueError(f"interval is {level}, but the model is calibrated for at most {most}")
    knots = calibration["expression"], np.multiply(calibration["ratios"][number], calibration["spread"])
    return lambda predicted: np.interp(predicted, *knots).astype(np.float32)
