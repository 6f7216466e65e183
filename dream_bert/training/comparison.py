"""Compare predictors on the same held-out rows, with intervals by resampling the rows."""

import math
from typing import NamedTuple

import numpy as np
from transformers import EvalPrediction

from .metrics import regression_metrics

RESAMPLES = 1000
"""Bootstrap resamples of the held-out rows."""

LEVEL = 0.95
"""Share of the resamples that an interval covers."""


class Score(NamedTuple):
    """Quality of a predictor on held-out rows: correlations, the ends of Pearson's interval, mean squared error.

    Undefined numbers are NaN.
    """

    name: str
    pearson: float
    lower: float
    upper: float
    spearman: float
    mse: float


class TargetComparison(NamedTuple):
    """The fine-tuned model and its peers on the same held-out promoters, for one target.

    `measured` and `predicted` are float32 (n,), and `measured` is NaN where the target was not measured. `scores`
    begins with the fine-tuned model and goes on with ridge regression. `ahead_of_ridge` is the difference of their
    Pearson correlations, and `difference` the ends of its interval.
    """

    target: str
    measured: np.ndarray
    predicted: np.ndarray
    scores: list[Score]
    ahead_of_ridge: float
    difference: tuple[float, float]

    @property
    def verdict(self) -> str:
        """Say in one sentence whether the fine-tuned model is ahead of ridge regression."""
        tuned, ridge = self.scores[0], self.scores[1]
        both = f"Pearson {number(tuned.pearson)} against {number(ridge.pearson)} of ridge regression on 6-mers"
        interval = f"difference {self.ahead_of_ridge:.3f}, {100 * LEVEL:g} % interval {span(*self.difference)}"
        if not self.ahead_of_ridge > 0:
            return f"The fine-tuned model is NOT ahead: {both} ({interval}). Use ridge regression, or measure more."
        if not self.difference[0] > 0:
            return f"The fine-tuned model is ahead, but not clearly: {both} ({interval})."
        return f"The fine-tuned model is ahead: {both} ({interval})."


class Comparison(NamedTuple):
    """The comparison on held-out promoters, target by target.

    `calibrated` is the number of promoters that the intervals of predictions are calibrated on, or None.
    """

    inserts: list[str]
    targets: list[TargetComparison]
    calibrated: int | None

    @property
    def verdict(self) -> str:
        """Say of each target whether the fine-tuned model is ahead of ridge regression."""
        if len(self.targets) == 1:
            return self.targets[0].verdict
        return " ".join(f"{each.target}: {each.verdict}" for each in self.targets)


def number(value: float) -> str:
    """Write a number with three decimals.

    >>> number(0.12345), number(math.nan)
    ('0.123', 'not defined')
    """
    return f"{value:.3f}" if math.isfinite(value) else "not defined"


def span(lower: float, upper: float) -> str:
    """Write the ends of an interval.

    >>> span(0.1234, 0.5), span(math.nan, math.nan)
    ('0.123 to 0.500', 'not defined')
    """
    return f"{lower:.3f} to {upper:.3f}" if math.isfinite(lower) and math.isfinite(upper) else number(math.nan)


def score(name: str, predicted: np.ndarray, measured: np.ndarray) -> Score:
    """Score predictions, float (n,), of measurements, float (n,), in the same units."""
    metrics = regression_metrics(EvalPrediction(predictions=predicted[:, None], label_ids=measured))
    lower, upper = (math.nan, math.nan)
    if math.isfinite(metrics["pearson"]):
        lower, upper = _ends(resampled_correlations(predicted, measured))
    return Score(name, metrics["pearson"], lower, upper, metrics["spearman"], metrics["mse"])


def compare_target(target: str, measured: np.ndarray, predictions: dict[str, np.ndarray]) -> TargetComparison:
    """Compare predictors of one target.

    Args:
        target: its name.
        measured: float (n,), NaN where it was not measured.
        predictions: float (n,) by predictor: first the fine-tuned model, then ridge regression, then others.
    """
    known = ~np.isnan(measured)
    tuned, ridge, *_ = (values[known] for values in predictions.values())
    scores = [score(name, values[known], measured[known]) for name, values in predictions.items()]
    difference = compare_correlations(tuned, ridge, measured[known])
    return TargetComparison(target, measured, next(iter(predictions.values())), scores, *difference)


def compare_correlations(
    first: np.ndarray, second: np.ndarray, measured: np.ndarray
) -> tuple[float, tuple[float, float]]:
    """Return the difference of two predictors' Pearson correlations, and the ends of its interval.

    Both are computed on the same resamples. An undefined correlation counts as 0.
    """
    whole = [np.nan_to_num(_correlation(values, measured)) for values in (first, second)]
    parts = [np.nan_to_num(resampled_correlations(values, measured)) for values in (first, second)]
    return float(whole[0] - whole[1]), _ends(parts[0] - parts[1])


def resampled_correlations(predicted: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return Pearson correlations of resampled rows, float64 (RESAMPLES,); NaN where undefined.

    These are the bootstrap's (Efron 1979, https://doi.org/10.1214/aos/1176344552): as many rows, drawn with
    replacement, from a fixed seed.
    """
    random, n = np.random.default_rng(0), len(measured)
    return np.array(
        [_correlation(predicted[rows], measured[rows]) for rows in random.integers(n, size=(RESAMPLES, n))]
    )


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's correlation; NaN where a standard deviation is within the rounding of float32."""
    least = [1e-6 * np.abs(values).max() for values in (x, y)]
    x, y = (np.asarray(values, dtype=np.float64) - np.mean(values, dtype=np.float64) for values in (x, y))
    if x.std() <= least[0] or y.std() <= least[1]:
        return math.nan
    return float(x @ y / math.sqrt((x @ x) * (y @ y)))


def _ends(values: np.ndarray) -> tuple[float, float]:
    defined = values[np.isfinite(values)]
    if not len(defined):
        return math.nan, math.nan
    lower, upper = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(lower), float(upper)
