"""Change which targets a trained model predicts, to start another training from it."""

from collections.abc import Sequence

import torch
from torch import nn

from ..inference.loading import RegressionModel
from ..models.target_fields import labels_of


@torch.no_grad()
def set_targets(model: RegressionModel, names: Sequence[str]) -> None:
    """Give a trained model an output for each of the named targets, unless it has just these.

    The output of a target that the model has already stays. That of another one starts as the mean of all outputs, and
    so as a copy of the single one of most models. `start_at_labels` then puts each on the scale of its labels.

    Args:
        model: changed in place; it loses label statistics and calibration with its outputs.
        names: of the targets, in the order of the new outputs.
    """
    known, config, old = model.config.targets, model.config, model.classifier
    if known == list(names):
        return
    shares = torch.full((len(names), len(known)), 1 / len(known)).to(old.weight)
    for number, name in enumerate(names):
        if name in known:
            shares[number] = torch.eye(len(known))[known.index(name)]
    model.classifier = nn.Linear(old.in_features, len(names), device=old.weight.device, dtype=old.weight.dtype)
    model.classifier.weight.copy_(shares @ old.weight)
    model.classifier.bias.copy_(shares @ old.bias)
    if hasattr(model, "sixmers"):
        model.sixmers = (shares @ model.sixmers.view(len(known), -1)).squeeze(0)
    for field, value in labels_of(names).items():
        setattr(config, field, value)
    config.label_mean, config.label_std, config.calibration = 0.0, 1.0, None
    model.num_labels = len(names)  # as stock models have it
