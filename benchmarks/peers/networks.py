"""Define convolutional peers of the BERT, from one-hot promoters, (n, 4, length), to standardised expression, (n,)."""

import torch
from torch import nn
from torch.nn import functional

LEGNET_WIDTHS = (256, 128, 128, 64, 64, 64, 64)
BINS = 18
"""Number of sorting bins, 0 to 17."""


class _Residual(nn.Sequential):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs + super().forward(inputs)


def convolution(inputs: int, outputs: int, kernel: int, **kwargs) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, padding="same", bias=False, **kwargs), nn.BatchNorm1d(outputs), nn.SiLU()
    )


class PlainConvolutions(nn.Module):
    """A motif scan, three residual convolutions of growing dilation, and the mean and maximum over positions."""

    def __init__(self, width: int = 192, dropout: float = 0.1):
        super().__init__()
        blocks = [
            _Residual(nn.Dropout1d(dropout), convolution(width, width, 7, dilation=dilation)) for dilation in (1, 2, 4)
        ]
        self.body = nn.Sequential(convolution(4, width, 13), *blocks)
        self.head = nn.Sequential(nn.Dropout(2 * dropout), nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, 1))

    def features(self, promoters: torch.Tensor) -> torch.Tensor:
        hidden = self.body(promoters)
        return torch.cat([hidden.mean(2), hidden.amax(2)], 1)

    def forward(self, promoters: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(promoters))[:, 0]

    def loss(self, promoters: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(self(promoters).float(), labels)


class _SqueezeExcite(nn.Module):
    def __init__(self, width: int, inner: int):
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(width, inner), nn.SiLU(), nn.Linear(inner, width), nn.Sigmoid())

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * self.gate(inputs.mean(2))[:, :, None]


class LegNetLike(nn.Module):
    """Blocks like EfficientNet's with their input concatenated to their output, and a distribution over sorting bins.

    It follows Penzar et al. 2023, https://doi.org/10.1093/bioinformatics/btad457.

    Args:
        mean, std: of the labels, in sorting bins.
    """

    def __init__(self, mean: float, std: float, kernel: int = 7, expansion: int = 4):
        super().__init__()
        self.mean, self.std = mean, std
        width = LEGNET_WIDTHS[0]
        self.stem = convolution(4, width, kernel)
        self.blocks, self.mixers = nn.ModuleList(), nn.ModuleList()
        for following in (*LEGNET_WIDTHS[1:], LEGNET_WIDTHS[-1]):
            inner = expansion * width
            block = [
                convolution(width, inner, 1),
                convolution(inner, inner, kernel, groups=inner),
                _SqueezeExcite(inner, width // 4),
                convolution(inner, width, 1),
            ]
            self.blocks.append(nn.Sequential(*block))
            self.mixers.append(convolution(2 * width, following, kernel))
            width = following
        self.head = nn.Conv1d(width, BINS, 1)

    def logits(self, promoters: torch.Tensor) -> torch.Tensor:
        hidden = self.stem(promoters)
        for block, mixer in zip(self.blocks, self.mixers, strict=True):
            hidden = mixer(torch.cat([hidden, block(hidden)], 1))
        return self.head(hidden).mean(2)

    def forward(self, promoters: torch.Tensor) -> torch.Tensor:
        shares = self.logits(promoters).float().softmax(1)
        return (shares @ torch.arange(BINS, dtype=shares.dtype) - self.mean) / self.std

    def loss(self, promoters: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Compute the divergence from a normal distribution around the label, standard deviation half a bin."""
        edges = torch.arange(BINS - 1) + 0.5
        below = torch.special.ndtr((edges - (labels * self.std + self.mean)[:, None]) / 0.5)
        shares = torch.diff(below, prepend=torch.zeros(len(labels), 1), append=torch.ones(len(labels), 1))
        return functional.kl_div(self.logits(promoters).float().log_softmax(1), shares, reduction="batchmean")
