"""Compute the metrics of evaluations during and after training."""

import math

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr
from torch import Tensor
from torch.nn import functional as F
from transformers import EvalPrediction

from ..data.batches import IGNORED, best_random_accuracy
from ..sequence.encoding import MASK


def regression_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Compute Pearson, Spearman and the mean squared error in squared expression units.

    Undefined correlations are NaN: those of one row, or of predictions or labels that are all equal.
    """
    predicted, measured = (
        np.asarray(values, dtype=np.float64) for values in (prediction.predictions.squeeze(-1), prediction.label_ids)
    )
    is_defined = _vary(predicted) and _vary(measured)
    return {
        "pearson": float(pearsonr(predicted, measured).statistic) if is_defined else math.nan,
        "spearman": float(spearmanr(predicted, measured).statistic) if is_defined else math.nan,
        "mse": float(((predicted - measured) ** 2).mean()),
    }


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
