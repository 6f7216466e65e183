"""Scores, their intervals, and verdicts, against SciPy and by hand."""

import math

import numpy as np
import pytest
from scipy.stats import bootstrap, pearsonr, spearmanr

from dream_bert.training.comparison import compare_target, resampled_correlations, score
from dream_bert.training.peers import map_to_labels


@pytest.fixture
def measured() -> np.ndarray:
    return np.random.default_rng(0).normal(size=200).astype(np.float32)


def noisy(values: np.ndarray, scale: float, seed: int) -> np.ndarray:
    return (values + np.random.default_rng(seed).normal(scale=scale, size=len(values))).astype(np.float32)


def test_score_is_scipys(measured):
    predicted = noisy(measured, 1, 1)
    scored = score("it", predicted, measured)
    assert scored.pearson == pytest.approx(pearsonr(predicted, measured).statistic)
    assert scored.spearman == pytest.approx(spearmanr(predicted, measured).statistic)
    both = (predicted, measured)
    interval = bootstrap(both, lambda x, y: pearsonr(x, y).statistic, paired=True, method="percentile", rng=1)
    low, high = interval.confidence_interval
    assert scored.lower == pytest.approx(low, abs=0.02) and scored.upper == pytest.approx(high, abs=0.02)


def test_constant_predictions_have_no_correlation(measured):
    scored = score("mean", np.full(200, 7.3, dtype=np.float32), measured)
    assert math.isnan(scored.pearson) and math.isnan(scored.lower)
    assert np.isnan(resampled_correlations(np.full(200, 7.3, dtype=np.float32), measured)).all()


@pytest.mark.parametrize(
    "tuned, ridge, words",
    [
        (0.3, 2.0, "is ahead: Pearson"),
        (2.0, 0.3, "is NOT ahead: Pearson"),
        (0.92, 1.05, "is ahead, but not clearly: Pearson"),
    ],
)
def test_verdict(measured, tuned, ridge, words):
    predictions = {"fine-tuned model": noisy(measured, tuned, 1), "ridge": noisy(measured, ridge, 2)}
    compared = compare_target("log2", measured, predictions)
    assert words in compared.verdict
    difference = compared.scores[0].pearson - compared.scores[1].pearson
    assert compared.ahead_of_ridge == pytest.approx(difference)
    assert compared.difference[0] < difference < compared.difference[1]


def test_model_without_a_correlation_is_not_ahead(measured):
    predictions = {"fine-tuned model": np.ones(200, dtype=np.float32), "ridge": noisy(measured, 1, 1)}
    compared = compare_target("log2", measured, predictions)
    assert "NOT ahead: Pearson not defined against" in compared.verdict


def test_labels_that_are_missing_do_not_count(measured):
    predictions = {"fine-tuned model": noisy(measured, 0.5, 1), "ridge": noisy(measured, 1, 2)}
    some = measured.copy()
    some[::3] = np.nan
    known = ~np.isnan(some)
    compared = compare_target("log2", some, predictions)
    whole = compare_target("log2", some[known], {name: values[known] for name, values in predictions.items()})
    assert compared.scores == whole.scores


def test_map_keeps_the_order_and_lowers_the_error(measured):
    predicted = np.exp(noisy(measured, 0.5, 1))
    mapped = map_to_labels(predicted, measured, predicted)
    assert (np.diff(mapped[np.argsort(predicted)]) >= 0).all()
    assert np.mean((mapped - measured) ** 2) < np.mean((predicted - measured) ** 2)
    assert mapped.mean() == pytest.approx(measured.mean(), abs=1e-5)
