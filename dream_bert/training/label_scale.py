"""The scale of the labels: where the output layer of a model starts."""

import torch

from ..data.batches import RegressionBatches
from ..errors import DataError
from ..inference.loading import RegressionModel
from ..models.configuration_dna import DnaConfig

FITTED_ROWS = 1024
"""Training rows to which the predictions of a trained model are fitted."""

_WITH_OUTPUT = ("ForSequenceRegression", "ForSequenceClassification")


def has_output_layer(config: DnaConfig) -> bool:
    """Whether the model of a folder has learned to predict expression, here or by stock transformers."""
    return any(name.endswith(_WITH_OUTPUT) for name in config.architectures or ())


@torch.no_grad()
def start_at_labels(model: RegressionModel, rows: RegressionBatches, is_trained: bool) -> None:
    """Let a model start on the scale of the labels, and measure its loss in units of their standard deviation.

    An untrained output layer starts at the labels' mean and spread. A trained one may have learned labels of another
    scale: its predictions are mapped to the new labels by the line that fits the first `FITTED_ROWS` rows best (least
    squares; its slope is not negative, as a few rows may correlate by chance). Labels of the same scale so keep
    what the model knows, also where the rows are stronger or weaker than those it learned from.

    Args:
        model: changed in place, and left in `eval`.
        rows: of training, whole.
        is_trained: whether the output layer is.

    Raises:
        DataError: if all training rows have one label.
    """
    manifest = rows.rows.manifest
    mean, std = manifest["label_mean"], manifest["label_std"]
    if not std > 0:
        raise DataError(f"{rows.rows.folder}: all training rows have one expression; prepare other data")
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
    """Predictions and labels of the first rows, float64 (n,)."""
    predicted, measured = [], []
    numbers = range(min(len(rows), FITTED_ROWS))
    for begin in range(0, len(numbers), 64):
        batch = rows.__getitems__(numbers[begin : begin + 64])
        inputs = {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask")}
        predicted.append(model(**inputs).logits[:, 0].cpu())
        measured.append(batch["labels"])
    return torch.cat(predicted).double(), torch.cat(measured).double()


def _line(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Slope, from 0, and intercept of the least-squares line through points, (n,)."""
    from_mean = x - x.mean()
    variance = from_mean @ from_mean
    slope = max(0.0, float(from_mean @ (y - y.mean()) / variance)) if variance > 0 else 0.0
    return slope, float(y.mean() - slope * x.mean())
