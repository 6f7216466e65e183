"""A DeepAtt network of random weights."""

import torch

from dream_bert.training.deepatt import DeepAtt


def random_deepatt(seed: int = 3) -> DeepAtt:
    draw = torch.Generator().manual_seed(seed)
    model = DeepAtt()
    for weight in model.parameters():
        weight.data.normal_(0, 0.3, generator=draw)
    return model.eval()
