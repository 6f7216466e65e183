"""What models that predict expression have in common, whatever is below their last layer."""

import torch
from torch import Tensor, nn


class PredictsExpression:
    """For a model with `config.label_mean`, `config.label_std`, and a linear `classifier` of one output."""

    def expression_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean squared error in units of the training labels' standard deviation.

        Args:
            logits: (n, 1), in expression units.
            labels: (n,), in expression units.
        """
        return ((logits.flatten().float() - labels.flatten().float()) / self.config.label_std).square().mean()

    @torch.no_grad()
    def set_label_statistics(self, mean: float, std: float) -> None:
        """Let an untrained output layer start at the labels' mean and spread, in expression units.

        So training sees standardised labels, while every saved model predicts expression units in any loader.
        """
        self.config.label_mean, self.config.label_std = mean, std
        self.classifier.weight.mul_(std)
        nn.init.constant_(self.classifier.bias, mean)
