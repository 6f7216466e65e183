"""Measure the statistics of batch normalisation again, with the final weights."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def settle_normalization(model: nn.Module, batches: Iterable[dict[str, Tensor]]) -> None:
    """Set each normalisation's running mean and variance to their averages over batches; the model is left in `eval`.

    The running statistics of training belong to earlier weights, and their variances are too large because of dropout
    (Li et al. 2019, https://arxiv.org/abs/1801.05134; Wu and Johnson 2021, https://arxiv.org/abs/2105.07576).

    Args:
        model: changed in place; without batch normalisation it stays the same.
        batches: the model's inputs, from training rows.
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
