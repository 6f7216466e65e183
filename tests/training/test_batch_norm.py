"""Normalisation's statistics are those of the rows, without dropout, whatever stood there before."""

import numpy as np
import pytest
import torch
from torch import nn

from dream_bert.training.batch_norm import settle_normalization


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(3)

    def forward(self, rows):
        return self.norm(self.dropout(rows))


def test_statistics_are_the_mean_over_batches():
    model, batches = Model(), torch.randn(7, 50, 3) * torch.tensor([1.0, 2.0, 5.0]) + 4
    model.train()
    model(torch.full((9, 3), 100.0) + torch.randn(9, 3))
    settle_normalization(model, [{"rows": batch} for batch in batches])
    np.testing.assert_allclose(model.norm.running_mean, batches.mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(model.norm.running_var, batches.var(1).mean(0), rtol=1e-5)
    assert not any(module.training for module in model.modules())
    assert model.norm.momentum == pytest.approx(0.1)


def test_a_model_without_normalisation_is_not_run():
    def never():
        raise AssertionError
        yield

    model = nn.Linear(2, 2).train()
    settle_normalization(model, never())
    assert not model.training
