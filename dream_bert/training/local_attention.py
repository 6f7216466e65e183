"""Initialise a BERT's attention as a convolution."""

import math

import torch
from torch import nn

SHARPNESS = 8.0
"""Logarithm of the ratio of attention to a head's offset and to tokens with orthogonal sinusoids."""


def head_offsets(heads: int, stride: int) -> tuple[list[float], list[float]]:
    """Return the offsets, in tokens, that the heads of the first and of the second layer attend to.

    >>> head_offsets(heads=8, stride=1)
    ([-4, -3, -2, -1, 1, 2, 3, 4], [-28.0, -20.0, -12.0, -4.0, 4.0, 12.0, 20.0, 28.0])
    """
    near = [head - heads // 2 + (head >= heads // 2) for head in range(heads)]
    far = [4 * (2 * head + 1 - heads) / stride for head in range(heads)]
    return near, far


def frequencies(head_size: int) -> torch.Tensor:
    """Return the frequencies of the sinusoids, in radians per position, float32 (head_size // 2,).

    Evenly spaced ones would make tokens 2 * head_size apart look alike.
    """
    return math.pi * ((torch.arange(head_size // 2) + 0.5) / (head_size // 2)) ** 1.3


def sinusoids(positions: int, head_size: int) -> torch.Tensor:
    """Return pairs of cosine and sine of each position, float32 (positions, 2 * (head_size // 2))."""
    angle = torch.arange(positions)[:, None] * frequencies(head_size)
    return torch.stack([angle.cos(), angle.sin()], dim=-1).flatten(1)


@torch.no_grad()
def localise_attention(model: nn.Module) -> None:
    """Make each head of the first two layers of an untrained BERT attend to one fixed offset from every token.

    Eight heads attend to the four tokens on either side in the first layer, and to 4 to 28 bp up- and downstream in
    the second. Position embeddings become sinusoids, whose dot product after a rotation peaks at one offset; query and
    key weights are such rotations. Self-attention can express any convolution (Cordonnier et al. 2020,
    https://openreview.net/forum?id=HJlnC1rKPB); starting there helps small data sets (Zheng et al. 2024,
    https://arxiv.org/abs/2401.12511). Only initial values are set: the model is stock BERT, and training may change
    them all.

    Args:
        model: of this package, with stock BERT as `bert` and at least two layers; changed in place.
    """
    config, embeddings = model.config, model.bert.embeddings
    size = config.hidden_size // config.num_attention_heads
    frequency = frequencies(size)
    rotary = 2 * len(frequency)
    embeddings.position_embeddings.weight.zero_()
    embeddings.position_embeddings.weight[:, :rotary] = sinusoids(config.max_position_embeddings, size)
    embeddings.token_type_embeddings.weight.zero_()
    # 3-mers use the other dimensions, so that positions and 3-mers do not mix.
    embeddings.word_embeddings.weight[:, :rotary] = 0
    embeddings.word_embeddings.weight[:, rotary:].normal_()

    # The variance that the embeddings' LayerNorm divides by.
    variance = (config.hidden_size - rotary + len(frequency)) / config.hidden_size
    gain = math.sqrt(SHARPNESS * math.sqrt(size) * variance / len(frequency))
    offsets = head_offsets(config.num_attention_heads, config.stride)
    for layer, layer_offsets in zip(model.bert.encoder.layer, offsets, strict=False):
        attention = layer.attention.self
        for linear in (attention.query, attention.key):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)
        for head, offset in enumerate(layer_offsets):
            rows = slice(head * size, head * size + rotary)
            attention.query.weight[rows, :rotary] = gain * _rotation(frequency * offset)
            attention.key.weight[rows, :rotary] = gain * torch.eye(rotary)
        nn.init.normal_(attention.value.weight, std=config.hidden_size**-0.5)
        nn.init.normal_(layer.attention.output.dense.weight, std=0.5 * config.hidden_size**-0.5)


def _rotation(angle: torch.Tensor) -> torch.Tensor:
    """Return a block-diagonal matrix that rotates each (cos, sin) pair by its angle."""
    cos, sin = angle.cos(), angle.sin()
    blocks = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    return torch.block_diag(*blocks)
