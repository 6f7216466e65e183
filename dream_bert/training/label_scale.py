"""Put the output layer of a model on the scale of the training labels before training."""

import numpy as np
import torch

from ..data.batches import IGNORED, RegressionBatches
from ..errors import DataError
from ..inference.loading import RegressionModel
from ..models.configuration_dna import DnaConfig

FITTED_ROWS = 1024
"""Training rows on which the predictions of a trained model are compared with the labels."""

_WITH_OUTPUT = ("ForSequenceRegression", "ForSequenceClassification")


def has_output_layer(config: DnaConfig) -> bool:
    """Return whether a saved model was trained to predict expression, by this package or by stock transformers."""
    return any(name.endswith(_WITH_OUTPUT) for name in config.architectures or ())


@torch.no_grad()
def start_at_labels(model: RegressionModel, rows: RegressionBatches, is_trained: bool) -> None:
    """Scale a model's outputs to the labels, and set the unit of its loss to their standard deviation.

    An untrained output layer is scaled to the labels' mean and standard deviation. A trained one may predict on
    another scale: the line that fits the labels of the first `FITTED_ROWS` rows best (least squares, slope not
    negative) is folded into its weights. If the scale is the same, that line changes little, also if these promoters
    are stronger or weaker than those of the earlier training. Each of several targets has its own line.

    Args:
        model: changed in place, and left in `eval` if it is trained.
        rows: training rows, not degraded.
        is_trained: whether the output layer is trained.

    Raises:
        DataError: if all training rows have one label of a target.
    """
    manifest = rows.rows.manifest
    mean, std = manifest["label_mean"], manifest["label_std"]
    for name, spread in zip(model.config.targets, np.atleast_1d(std), strict=True):
        if not spread > 0:
            raise DataError(f"{rows.rows.folder}: all training rows have the same {name}; prepare other data")
    if not is_trained:
        model.set_label_statistics(mean, std)
        return
    predicted, measured = _predicted_and_measured(model.eval(), rows)
    lines = [
        _line(x[y != IGNORED], y[y != IGNORED], label_mean)
        for x, y, label_mean in zip(predicted.T, measured.T, np.atleast_1d(mean), strict=True)
    ]
    slopes, intercepts = torch.tensor(lines).to(model.classifier.weight).T
    model.classifier.weight.mul_(slopes[:, None])
    model.classifier.bias.mul_(slopes).add_(intercepts)
    if (sixmers := getattr(model, "sixmers", None)) is not None:
        sixmers.view(len(lines), -1).mul_(slopes[:, None])
    model.config.label_mean, model.config.label_std = mean, std


def _predicted_and_measured(model: RegressionModel, rows: RegressionBatches) -> tuple[torch.Tensor, torch.Tensor]:
    """Return predictions and labels of the first rows, float64 (n, targets)."""
    predicted, measured = [], []
    numbers = range(min(len(rows), FITTED_ROWS))
    for begin in range(0, len(numbers), 64):
        batch = rows.__getitems__(numbers[begin : begin + 64])
        inputs = {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask")}
        predicted.append(model(**inputs).logits.cpu())
        measured.append(batch["labels"].view(len(batch["labels"]), -1))
    return torch.cat(predicted).double(), torch.cat(measured).double()


def _line(x: torch.Tensor, y: torch.Tensor, default: float) -> tuple[float, float]:
    """Return slope, at least 0, and intercept of the least-squares line through points, (n,).

    Without any point it is the horizontal line at `default`.
    """
    if not len(x):
        return 0.0, default
    from_mean = x - x.mean()
    variance = from_mean @ from_mean
    slope = max(0.0, float(from_mean @ (y - y.mean()) / variance)) if variance > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())
