"""Muon beside another optimizer: each has its parameters, steps as it would alone, and goes on from its state."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from dream_bert.training.muon import MuonBeside, layer_matrices

RATE, DECAY = 0.02, 0.1


def problem() -> tuple[nn.Sequential, torch.Tensor]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.SiLU(), nn.Linear(7, 3)), torch.randn(11, 5)


def step(model: nn.Module, inputs: torch.Tensor, *optimizers: torch.optim.Optimizer) -> None:
    loss = model(inputs).square().mean()
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()


def both(model: nn.Sequential) -> MuonBeside:
    return MuonBeside([model[0].weight], RATE, DECAY, torch.optim.AdamW(model.parameters(), lr=0.1))


def test_it_steps_as_two_optimizers_do():
    one, inputs = problem()
    two, _ = problem()
    optimizer = both(one)
    muon = torch.optim.Muon([two[0].weight], lr=RATE, weight_decay=DECAY)
    adamw = torch.optim.AdamW([two[0].bias, *two[2].parameters()], lr=0.1)
    for _ in range(4):
        step(one, inputs, optimizer)
        step(two, inputs, muon, adamw)
    for left, right in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)


def test_a_scheduler_scales_both_rates():
    model, inputs = problem()
    optimizer = both(model)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda number: 0.5**number)
    step(model, inputs, optimizer)
    scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.05, RATE / 2])
    assert [part.param_groups[0]["lr"] for part in optimizer.parts.values()] == pytest.approx([0.05, RATE / 2])


def test_it_goes_on_from_its_state():
    whole, inputs = problem()
    optimizer = both(whole)
    for _ in range(2):
        step(whole, inputs, optimizer)
    broken, _ = problem()
    broken.load_state_dict(whole.state_dict())
    resumed = both(broken)
    resumed.load_state_dict(deepcopy(optimizer.state_dict()))
    for each in (optimizer, resumed):
        for group in each.param_groups:
            group["lr"] /= 2
    step(whole, inputs, optimizer)
    step(broken, inputs, resumed)
    for left, right in zip(whole.parameters(), broken.parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)


def test_a_closure_computes_the_loss():
    model, inputs = problem()
    optimizer = both(model)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(inputs).square().mean()
        loss.backward()
        return loss

    first, second = optimizer.step(closure), optimizer.step(closure)
    assert second < first


def test_matrices_are_those_of_the_layers(tiny_model):
    model = tiny_model()
    shapes = sorted(tuple(matrix.shape) for matrix in layer_matrices(model))
    # Query, key, value and output of attention, and the two of the feed-forward part, in each of two layers.
    assert shapes == sorted(2 * [*4 * [(16, 16)], (32, 16), (16, 32)])
    model.bert.encoder.layer[0].attention.self.query.weight.requires_grad_(False)
    assert len(layer_matrices(model)) == 11
