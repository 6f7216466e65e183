"""Mix ridge regression on 6-mer counts into the predictions of the convolutional model."""

from collections.abc import Iterable
from itertools import product

import torch
from torch import Tensor

from ..models.modeling_dream_conv import SIXMER, DreamConvForSequenceRegression, sixmer_numbers, token_bases
from ..sequence.encoding import BASES

PENALTY = 30.0
"""Penalty on the squared weights, which are in expression units per occurrence of a 6-mer."""


@torch.no_grad()
def mix_with_ridge(model: DreamConvForSequenceRegression, batches: Iterable[dict[str, Tensor]], share: float) -> None:
    """Change a model to predict (1 - share) of its own prediction plus share of ridge regression's.

    Promoters stronger or weaker than nearly all training rows are ranked better by a sum of average effects of 6-mers
    than by convolutions that fit the measurements closely.

    Args:
        model: changed in place.
        batches: `input_ids` and `labels`, in expression units, of the rows to fit.
        share: of ridge regression, 0 to 1.
    """
    known = sixmer_numbers(torch.tensor(list(product(range(len(BASES) - 1), repeat=SIXMER))))[:, 0]
    column = torch.full((len(model.sixmers),), len(known))
    column[known] = torch.arange(len(known))
    # The last column would count 6-mers with N; it is overwritten by ones, for the constant.
    products = torch.zeros(len(known) + 1, len(known) + 1, dtype=torch.float64)
    with_labels = torch.zeros(len(known) + 1, dtype=torch.float64)
    for batch in batches:
        columns = column[sixmer_numbers(token_bases(batch["input_ids"].cpu()))]
        counts = torch.zeros(len(columns), len(known) + 1).scatter_add_(1, columns, torch.ones(columns.shape))
        counts[:, -1] = 1
        products += counts.T @ counts  # sums of integers, exact in float32
        with_labels += counts.T.double() @ batch["labels"].cpu().double()
    penalties = torch.full((len(known) + 1,), PENALTY, dtype=torch.float64)
    penalties[-1] = 0  # the constant is free
    weights = torch.linalg.solve(products + penalties.diag(), with_labels)

    for own in (model.classifier.weight, model.classifier.bias, model.sixmers):
        own.mul_(1 - share)
    model.classifier.bias.add_(share * weights[-1].item())
    model.sixmers[known.to(model.sixmers.device)] += share * weights[:-1].to(model.sixmers)
