"""Ridge regression on 6-mer counts, as a part of the convolutional model's prediction."""

from collections.abc import Iterable
from itertools import product

import torch
from torch import Tensor

from ..models.modeling_dream_conv import SIXMER, DreamConvForSequenceRegression, sixmer_numbers, token_bases
from ..sequence.encoding import BASES

PENALTY = 30.0
"""Of the squared weights, which are in expression units for each time that a 6-mer occurs."""


@torch.no_grad()
def mix_with_ridge(
    model: DreamConvForSequenceRegression, batches: Iterable[dict[str, Tensor]], share: float, penalty: float = PENALTY
) -> None:
    """Make the prediction a mean of the model's own, weighed 1 - share, and of ridge regression's, weighed share.

    Where promoters are stronger or weaker than nearly all that were learned from, the sum of what their 6-mers do on
    the average ranks them better than convolutions that fit the measurements closely.

    Args:
        model: changed in place.
        batches: `input_ids` and `labels`, in expression units, of the rows to fit.
        share: 0 to 1.
        penalty: of the squared weights; the constant is free.
    """
    known = sixmer_numbers(torch.tensor(list(product(range(len(BASES) - 1), repeat=SIXMER))))[:, 0]
    column = torch.full((len(model.sixmers),), len(known))
    column[known] = torch.arange(len(known))
    # Of the last column, which counts 6-mers with N, the constant takes the place.
    products = torch.zeros(len(known) + 1, len(known) + 1, dtype=torch.float64)
    with_labels = torch.zeros(len(known) + 1, dtype=torch.float64)
    for batch in batches:
        columns = column[sixmer_numbers(token_bases(batch["input_ids"].cpu()))]
        counts = torch.zeros(len(columns), len(known) + 1).scatter_add_(1, columns, torch.ones(columns.shape))
        counts[:, -1] = 1
        products += counts.T @ counts  # whole numbers, which float32 holds
        with_labels += counts.T.double() @ batch["labels"].cpu().double()
    penalties = torch.full((len(known) + 1,), penalty, dtype=torch.float64)
    penalties[-1] = 0
    weights = torch.linalg.solve(products + penalties.diag(), with_labels)

    for own in (model.classifier.weight, model.classifier.bias, model.sixmers):
        own.mul_(1 - share)
    model.classifier.bias.add_(share * weights[-1].item())
    model.sixmers[known.to(model.sixmers.device)] += share * weights[:-1].to(model.sixmers)
