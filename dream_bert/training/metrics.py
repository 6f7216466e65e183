"""Compute the metrics of evaluations during and after training."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr
from torch import Tensor
from torch.nn import functional as F
from transformers import EvalPrediction

from ..data.batches import IGNORED, best_random_accuracy
from ..models.target_fields import EXPRESSION
from ..sequence.encoding import MASK


def regression_metrics(
    prediction: EvalPrediction, targets: Sequence[str] = (EXPRESSION,), std: Sequence[float] | float = 1.0
) -> dict[str, float]:
    """Compute Pearson, Spearman and the mean squared error in squared expression units.

    Undefined correlations are NaN: those of one row, or of predictions or labels that are all equal.

    Args:
        prediction: predictions, (n, targets), and labels, (n,) or (n, targets), `IGNORED` or NaN where not
            measured.
        targets: names of the targets. Each of several has metrics of its own, as `pearson_NAME`. `pearson`, `spearman`
            and `mse` are then means over the targets where they are defined, and `mse` is in units of `std` squared.
        std: of the training labels of each target, in expression units.
    """
    predicted, measured = (
        np.asarray(values, dtype=np.float64).reshape(-1, len(targets))
        for values in (prediction.predictions, prediction.label_ids)
    )
    known = (measured != IGNORED) & ~np.isnan(measured)
    each = [_metrics(x[k], y[k]) for x, y, k in zip(predicted.T, measured.T, known.T, strict=True)]
    if len(targets) == 1:
        return each[0]
    of_all = {name: np.array([metrics[name] for metrics in each]) for name in each[0]}
    of_all["mse"] /= np.square(std)
    return {name: _mean(values) for name, values in of_all.items()} | {
        f"{name}_{target}": value
        for target, metrics in zip(targets, each, strict=True)
        for name, value in metrics.items()
    }


def _metrics(predicted: np.ndarray, measured: np.ndarray) -> dict[str, float]:
    """Compute the metrics of one target from float64 (n,)."""
    is_defined = _vary(predicted) and _vary(measured)
    return {
        "pearson": float(pearsonr(predicted, measured).statistic) if is_defined else math.nan,
        "spearman": float(spearmanr(predicted, measured).statistic) if is_defined else math.nan,
        "mse": float(((predicted - measured) ** 2).mean()) if len(measured) else math.nan,
    }


def _mean(values: np.ndarray) -> float:
    """Return the mean of the numbers that are not NaN, or NaN."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else math.nan


def _vary(values: np.ndarray) -> bool:
    """Return whether numbers, (n,), differ by more than the rounding of float32."""
    return len(values) > 1 and bool(np.ptp(values) > 1e-6 * np.abs(values).max())


def masked_lm_metrics(prediction: EvalPrediction, stride: int, context: int) -> dict[str, float]:
    """Compute loss and accuracy of the predicted tokens, and of those masked by `[MASK]` alone.

    `masked_accuracy_random_dna` is the best accuracy that any model can reach on random DNA.
    """
    (token, log_probability), labels, ids = prediction.predictions, prediction.label_ids, prediction.inputs
    predicted, masked = labels != IGNORED, ids == MASK
    return {
        "mlm_loss": float(-log_probability[predicted].mean()),
        "accuracy": float(np.mean(token[predicted] == labels[predicted])),
        "masked_loss": float(-log_probability[masked].mean()),
        "masked_accuracy": float(np.mean(token[masked] == labels[masked])),
        "masked_accuracy_random_dna": float(best_random_accuracy(ids, stride, context).mean()),
    }


def token_and_log_probability(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the most probable token and the log-probability of the right one, at the tokens to predict."""
    predicted = labels != IGNORED
    right = F.log_softmax(logits.float(), dim=-1).gather(-1, labels[predicted][:, None]).squeeze(-1)
    log_probability = torch.zeros(labels.shape, dtype=right.dtype, device=right.device)
    return (
        torch.zeros_like(labels).masked_scatter(predicted, logits.argmax(-1)),
        log_probability.masked_scatter(predicted, right),
    )
