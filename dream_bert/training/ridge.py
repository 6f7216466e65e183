"""Fit ridge regression on 6-mer counts, and mix it into the predictions of the convolutional model."""

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from ..models.conv_layers import SIXMER, sixmer_numbers, token_bases
from ..models.modeling_dream_conv import DreamConvForSequenceRegression
from ..sequence.encoding import BASES

PENALTY = 30.0
"""Penalty on the squared weights, which are in expression units per occurrence of a 6-mer."""


class Sums(NamedTuple):
    """Sums over the training rows for ridge regression on 6-mer counts, float64; the last feature is the constant 1.

    `products`, (4097, 4097), are sums of the features' products, and `with_labels`, (4097,), those with the label.
    """

    products: Tensor
    with_labels: Tensor


@torch.no_grad()
def sixmer_counts(input_ids: Tensor) -> Tensor:
    """Count the 6-mers without N, in the order of A C G T, float32 (n, 4097); the last column is 1.

    Args:
        input_ids: int64 (n, length), overlapping 3-mers.
    """
    known = _known_sixmers()
    column = torch.full((5**SIXMER,), len(known))
    column[known] = torch.arange(len(known))
    columns = column[sixmer_numbers(token_bases(input_ids.cpu()))]
    # The last column would count 6-mers with N; it is overwritten by ones, for the constant.
    counts = torch.zeros(len(columns), len(known) + 1).scatter_add_(1, columns, torch.ones(columns.shape))
    counts[:, -1] = 1
    return counts


def sum_rows(batches: Iterable[dict[str, Tensor]]) -> Sums:
    """Sum over `input_ids` and `labels` of the rows to fit."""
    features = len(_known_sixmers()) + 1
    sums = Sums(torch.zeros(features, features, dtype=torch.float64), torch.zeros(features, dtype=torch.float64))
    for batch in batches:
        counts = sixmer_counts(batch["input_ids"])
        sums.products.add_(counts.T @ counts)  # sums of integers, exact in float32
        sums.with_labels.add_(counts.T.double() @ batch["labels"].cpu().double())
    return sums


def ridge_weights(sums: Sums, penalty: float = PENALTY) -> Tensor:
    """Fit ridge regression; returns the weights of the 6-mers and the constant, float64 (4097,), in label units."""
    penalties = torch.full(sums.with_labels.shape, penalty, dtype=torch.float64)
    penalties[-1] = 0  # the constant is free
    factor = torch.linalg.cholesky(sums.products + penalties.diag())
    return torch.cholesky_solve(sums.with_labels[:, None], factor)[:, 0]


def ridge_weights_of_few(counts: Tensor, labels: Tensor, penalty: float) -> Tensor:
    """Fit ridge regression as `ridge_weights`, in less time if there are fewer rows than 6-mers.

    Args:
        counts: of `sixmer_counts`, (n, 4097).
        labels: (n,).
        penalty: of the squared weights.
    """
    features, labels = counts[:, :-1].double(), labels.double()
    centre, mean = features.mean(0), labels.mean()
    features = features - centre
    products = features @ features.T
    factor = torch.linalg.cholesky(products + penalty * torch.eye(len(products), dtype=torch.float64))
    weights = features.T @ torch.cholesky_solve((labels - mean)[:, None], factor)[:, 0]
    return torch.cat([weights, (mean - centre @ weights)[None]])


@torch.no_grad()
def mix_with_ridge(
    model: DreamConvForSequenceRegression,
    training: Iterable[dict[str, Tensor]],
    share: float | None,
    validation: Iterable[dict[str, Tensor]] = (),
) -> float:
    """Change a model to predict (1 - share) of its own prediction plus share of ridge regression's.

    Promoters stronger or weaker than nearly all training rows are ranked better by a sum of average effects of 6-mers
    than by convolutions that fit the measurements closely. Few rows of long inserts teach ridge regression more.

    Args:
        model: changed in place.
        training: `input_ids` and `labels`, in expression units, of the rows to fit.
        share: of ridge regression, 0 to 1; None takes the one with the least squared error on `validation`.
        validation: `input_ids`, `attention_mask` and `labels`, in expression units, of rows to choose the share by.

    Returns:
        The share.
    """
    weights = ridge_weights(sum_rows(training))
    if share is None:
        model.eval()
        rows = []
        for batch in validation:
            by_ridge = sixmer_counts(batch["input_ids"]).double() @ weights
            rows.append(
                torch.stack([model(**batch).logits[:, 0].cpu().double(), by_ridge, batch["labels"].cpu().double()])
            )
        share = best_share(*torch.cat(rows, dim=1))
    for own in (model.classifier.weight, model.classifier.bias, model.sixmers):
        own.mul_(1 - share)
    model.classifier.bias.add_(share * weights[-1].item())
    model.sixmers[_known_sixmers().to(model.sixmers.device)] += share * weights[:-1].to(model.sixmers)
    return share


def best_share(first: Tensor, second: Tensor, labels: Tensor) -> float:
    """Return the share of `second` in a mean of two predictions that has the least squared error, 0 to 1.

    >>> first, second = torch.tensor([[0.0, 1.0], [4.0, 1.0]])
    >>> best_share(first, second, torch.tensor([1.0, 5.0]))
    0.25
    """
    difference = second - first
    share = (difference @ (labels - first) / (difference @ difference).clamp(min=1e-30)).item()
    return min(max(share, 0.0), 1.0)


def _known_sixmers() -> Tensor:
    """Return the numbers of the 6-mers without N, int64 (4096,), in the order of A C G T."""
    return sixmer_numbers(torch.tensor(list(product(range(len(BASES) - 1), repeat=SIXMER))))[:, 0]
