"""Put the output layer of a model on the scale of the training labels before training."""

import torch

from ..data.batches import RegressionBatches
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
    """Scale a model's output to the labels, and set the unit of its loss to their standard deviation.

    An untrained output layer is scaled to the labels' mean and standard deviation. A trained one may predict on
    another scale: the line that fits the labels of the first `FITTED_ROWS` rows best (least squares, slope not
    negative) is folded into its weights. If the scale is the same, that line changes little, also if these promoters
    are stronger or weaker than those of the earlier training.

    Args:
        model: changed in place, and left in `eval` if it is trained.
        rows: training rows, not degraded.
        is_trained: whether the output layer is trained.

    Raises:
        DataError: if all training rows have one label.
    """
    manifest = rows.rows.manifest
    mean, std = manifest["label_mean"], manifest["label_std"]
    if not std > 0:
        raise DataError(f"{rows.rows.folder}: all training rows have the same expression; prepare other data")
    if not is_trained:
        model.set_label_statistics(mean, std)
        return
    slope, intercept = _line(*_predicted_and_measured(model.eval(), rows))
    for weights in (model.classifier.weight, model.classifier.bias, getattr(model, "sixmers", None)):
        if weights is not None:
            weights.mul_(slope)
    model.classifier.bias.add_(intercept)
    model.config.label_mean, model.config.label_std = mean, std


def _predicted_and_measured(model: RegressionModel, rows: RegressionBatches) -> tuple[torch.Tensor, torch.Tensor]:
    """Return predictions and labels of the first rows, float64 (n,)."""
    predicted, measured = [], []
    numbers = range(min(len(rows), FITTED_ROWS))
    for begin in range(0, len(numbers), 64):
        batch = rows.__getitems__(numbers[begin : begin + 64])
        inputs = {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask")}
        predicted.append(model(**inputs).logits[:, 0].cpu())
        measured.append(batch["labels"])
    return torch.cat(predicted).double(), torch.cat(measured).double()


def _line(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Return slope, at least 0, and intercept of the least-squares line through points, (n,)."""
    from_mean = x - x.mean()
    variance = from_mean @ from_mean
    slope = max(0.0, float(from_mean @ (y - y.mean()) / variance)) if variance > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())
