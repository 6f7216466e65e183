"""Combine Muon for the matrices of a BERT's layers with another optimizer for all other weights."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


class MuonBeside(torch.optim.Optimizer):
    """Two optimizers in one: torch's Muon for some matrices, and another for all other weights.

    Muon makes the update of a matrix orthogonal, so that all directions are learned equally fast (Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon).

    Args:
        matrices: parameters with two axes.
        rate: Muon's learning rate; schedulers scale it together with the other's.
        weight_decay: of the matrices.
        other: an optimizer that has not taken a step; the matrices are removed from it.
    """

    def __init__(
        self, matrices: Iterable[nn.Parameter], rate: float, weight_decay: float, other: torch.optim.Optimizer
    ):
        matrices = list(matrices)
        taken = set(map(id, matrices))
        for group in other.param_groups:
            group["params"] = [parameter for parameter in group["params"] if id(parameter) not in taken]
        self.parts = {"other": other, "muon": torch.optim.Muon(matrices, lr=rate, weight_decay=weight_decay)}
        # The groups are those of the parts, so that a scheduler's changes reach the parts.
        super().__init__(self._groups(), {})

    def _groups(self) -> list[dict[str, Any]]:
        return [group for part in self.parts.values() for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Take a step with both; `closure` computes the loss and its gradients."""
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
        self.param_groups = self._groups()  # loading replaced them


def layer_matrices(model: nn.Module) -> list[nn.Parameter]:
    """Return the matrices of a BERT's layers, of attention and of the feed-forward parts."""
    return [
        parameter
        for name, parameter in model.named_parameters()
        if "encoder.layer." in name and parameter.dim() == 2 and parameter.requires_grad
    ]
