"""Batch normalisation's statistics, measured anew when the weights have come to rest."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def settle_normalization(model: nn.Module, batches: Iterable[dict[str, Tensor]]) -> None:
    """Make each normalisation's running mean and variance the mean of those of the batches; leave the model in `eval`.

    Running statistics are of earlier weights, and of dropout, which makes variances greater than they are in
    prediction (Li et al. 2019, https://arxiv.org/abs/1801.05134; Wu and Johnson 2021,
    https://arxiv.org/abs/2105.07576).

    Args:
        model: with or without batch normalisations.
        batches: the model's inputs, from the rows that it learned from.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d)]
    model.eval()
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for number, batch in enumerate(batches, start=1):
        for norm in norms:
            norm.train()
            norm.momentum = 1 / number
        model(**batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.eval()
        norm.momentum = momentum
