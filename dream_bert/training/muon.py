"""Muon for the matrices of a BERT's layers, beside the optimizer of all other weights."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


class MuonBeside(torch.optim.Optimizer):
    """Two optimizers as one: torch's Muon for some matrices, another for what is left to it.

    Muon makes the update of a matrix orthogonal (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon), so
    that all directions are learned at one pace.

    Args:
        matrices: parameters with two axes.
        rate: Muon's learning rate; schedulers scale it as they do the other's.
        weight_decay: of the matrices.
        other: an optimizer that has not taken a step; the matrices are taken from it.
    """

    def __init__(
        self, matrices: Iterable[nn.Parameter], rate: float, weight_decay: float, other: torch.optim.Optimizer
    ):
        matrices = list(matrices)
        taken = set(map(id, matrices))
        for group in other.param_groups:
            group["params"] = [parameter for parameter in group["params"] if id(parameter) not in taken]
        self.parts = {"other": other, "muon": torch.optim.Muon(matrices, lr=rate, weight_decay=weight_decay)}
        # The groups are the parts' own: what a scheduler writes into one reaches the part.
        super().__init__(self._groups(), {})

    def _groups(self) -> list[dict[str, Any]]:
        return [group for part in self.parts.values() for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """One step of both; `closure` computes the loss and its gradients anew."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts.values():
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state_dict[name])
        self.param_groups = self._groups()  # loading made new ones


def layer_matrices(model: nn.Module) -> list[nn.Parameter]:
    """The matrices of a BERT's layers: of attention and of the feed-forward parts."""
    return [
        parameter
        for name, parameter in model.named_parameters()
        if "encoder.layer." in name and parameter.dim() == 2 and parameter.requires_grad
    ]
