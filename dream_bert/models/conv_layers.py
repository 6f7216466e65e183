"""Compute expression by convolutions: plain torch modules, without transformers."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIXMER = 6
_SPECIAL_TOKENS, _SEP, _N = 5, 3, 4  # as in encoding.py, which is not beside a published model


def token_bases(input_ids: Tensor) -> Tensor:
    """Return the bases of overlapping 3-mers, int64 (n, length), A C G T as 0 to 3, N and padding as 4.

    Each 3-mer gives its middle base, `[CLS]` the sequence's first base and `[SEP]` the last, so that a sequence of at
    least 3 bp is complete.

    >>> token_bases(torch.tensor([[2, 12, 44, 3, 0]])).tolist()  # [CLS] ACG CGN [SEP] [PAD]
    [[0, 1, 2, 4, 4]]
    """
    kmers = input_ids - _SPECIAL_TOKENS
    first, middle, last = (torch.where(kmers >= 0, kmers // place % 5, _N) for place in (25, 5, 1))
    bases = torch.where(input_ids == _SEP, last.roll(1, 1), middle)
    bases[:, 0] = first[:, 1]
    return bases


def sixmer_numbers(bases: Tensor) -> Tensor:
    """Number the 6-mer that begins at each base, int64 (n, length); its bases are the digits of a number in base 5.

    Bases past the end count as N.

    >>> sixmer_numbers(torch.tensor([[0, 0, 0, 0, 1, 2]])).tolist()
    [[7, 39, 199, 999, 4999, 9374]]
    """
    places = 5 ** torch.arange(SIXMER - 1, -1, -1, device=bases.device)
    return (F.pad(bases, (0, SIXMER - 1), value=_N).unfold(1, SIXMER, 1) * places).sum(2)


class _Convolution(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int = 1):
        norm = nn.BatchNorm1d(outputs)
        norm.num_batches_tracked = None  # an integer; the files of weights hold floating-point numbers only
        super().__init__(
            nn.Conv1d(inputs, outputs, kernel, padding="same", dilation=dilation, bias=False), norm, nn.SiLU()
        )


class ConvLayers(nn.Module):
    """A motif scan, dilated residual convolutions, and the mean and maximum over all bases.

    It takes the same tokens as the BERT with overlapping 3-mers, and converts them to bases. Each 6-mer without N also
    adds a weight to the prediction. These weights are 0 until `ridge.mix_with_ridge` sets them; training does not
    change them.
    """

    def build_layers(self, config) -> None:
        """Make the modules, with torch's random weights.

        Args:
            config: `DreamConvConfig`, or an object with its `hidden_size`, `motif_size`, `kernel_size`, `dilations`,
                `hidden_dropout_prob` and `num_labels`.
        """
        width = config.hidden_size
        self.scan = _Convolution(4, width, config.motif_size)
        self.layers = nn.ModuleList(
            _Convolution(width, width, config.kernel_size, dilation) for dilation in config.dilations
        )
        self.dropout = nn.Dropout1d(config.hidden_dropout_prob)
        self.head = nn.Sequential(nn.Dropout(2 * config.hidden_dropout_prob), nn.Linear(2 * width, width), nn.SiLU())
        self.classifier = nn.Linear(width, config.num_labels)
        sizes = (5**SIXMER,) if config.num_labels == 1 else (config.num_labels, 5**SIXMER)
        self.register_buffer("sixmers", torch.zeros(sizes))

    def features(self, bases: Tensor, attention_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute the features of each base, (n, hidden, length), and their mean and maximum, (n, 2 * hidden).

        Args:
            bases: int64 (n, length), as `token_bases` returns them.
            attention_mask: int64 (n, length), 0 at padding, which is ignored; None means no padding.
        """
        shares = F.one_hot(bases, 5)[..., :4].transpose(1, 2).to(next(self.parameters()).dtype)
        return self.features_of_shares(shares, attention_mask)

    def features_of_shares(self, shares: Tensor, attention_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Do what `features` does, for shares of A, C, G and T, (n, 4, length), which are all 0 for N."""
        mask = None if attention_mask is None or attention_mask.all() else attention_mask[:, None].bool()
        hidden = self.scan(shares)
        for layer in self.layers:
            hidden = hidden if mask is None else hidden.masked_fill(~mask, 0)
            hidden = hidden + layer(self.dropout(hidden))
        if mask is None:
            pooled = torch.cat([hidden.mean(2), hidden.amax(2)], 1)
        else:
            mean = hidden.masked_fill(~mask, 0).sum(2) / mask.sum(2)
            pooled = torch.cat([mean, hidden.masked_fill(~mask, -torch.inf).amax(2)], 1)
        return hidden, pooled

    def expression(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Predict expression, (n, targets), from tokens; arguments as of `DreamConvForSequenceRegression.forward`."""
        bases = token_bases(input_ids)
        return self.expression_of(bases, self.features(bases, attention_mask)[1])

    def expression_of(self, bases: Tensor, pooled: Tensor) -> Tensor:
        """Predict expression, (n, targets), from bases and what `features` has made of them, (n, 2 * hidden)."""
        of_sixmers = self.sixmers[..., sixmer_numbers(bases)].sum(-1)  # (n,), or (targets, n)
        return self.classifier(self.head(pooled.to(self.classifier.weight.dtype))) + of_sixmers.view(-1, len(bases)).T
