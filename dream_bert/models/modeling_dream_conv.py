"""Define convolutions that predict expression: they learn much faster than a BERT, and can teach one."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import can_return_tuple

from .config_checks import check_config  # noqa: F401

# Imported for older transformers: they copy from a local folder only files that the loaded one imports itself.
from .configuration_dna import DnaConfig  # noqa: F401
from .configuration_dream_conv import DreamConvConfig
from .modeling_dna import FromSafetensors, PredictsExpression
from .target_fields import target_names  # noqa: F401

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


class DreamConvForSequenceRegression(PredictsExpression, FromSafetensors, PreTrainedModel):
    """A motif scan, dilated residual convolutions, and the mean and maximum over all bases.

    It takes the same tokens as the BERT with overlapping 3-mers, and converts them to bases. Each 6-mer without N also
    adds a weight to the prediction. These weights are 0 until `ridge.mix_with_ridge` sets them; training does not
    change them.
    """

    config_class = DreamConvConfig
    base_model_prefix = "model"
    accepts_loss_kwargs = False

    def __init__(self, config: DreamConvConfig):
        super().__init__(config)
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
        config.auto_map = {
            "AutoConfig": "configuration_dream_conv.DreamConvConfig",
            "AutoModel": "modeling_dream_conv.DreamConvForSequenceRegression",
            "AutoModelForSequenceClassification": "modeling_dream_conv.DreamConvForSequenceRegression",
        }
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv1d | nn.Linear):
            module.reset_parameters()
        if module is self:
            nn.init.zeros_(self.sixmers)

    def features(self, bases: Tensor, attention_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute the features of each base, (n, hidden, length), and their mean and maximum, (n, 2 * hidden).

        Args:
            bases: int64 (n, length), as `token_bases` returns them.
            attention_mask: int64 (n, length), 0 at padding, which is ignored; None means no padding.
        """
        return self.features_of_shares(F.one_hot(bases, 5)[..., :4].transpose(1, 2).to(self.dtype), attention_mask)

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

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        **kwargs,
    ) -> SequenceClassifierOutput:
        """Predict expression, and compute the loss if labels are given.

        Args:
            input_ids: int64 (n, length), `[CLS]`, overlapping 3-mers, `[SEP]`, padding.
            attention_mask: int64 (n, length), 0 at padding; None means no padding.
            labels: expression, float (n,), or (n, targets); NaN where it was not measured.
            token_type_ids: ignored; stock tokenizers return them.

        Returns:
            `logits`, (n, targets), in expression units; `loss`, as `mean_squared_error` computes it.
        """
        bases = token_bases(input_ids)
        _, pooled = self.features(bases, attention_mask)
        of_sixmers = self.sixmers[..., sixmer_numbers(bases)].sum(-1)  # (n,), or (targets, n)
        logits = self.classifier(self.head(pooled)) + of_sixmers.view(-1, len(bases)).T
        loss = None if labels is None else self.mean_squared_error(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


DreamConvConfig.register_for_auto_class()
DreamConvForSequenceRegression.register_for_auto_class("AutoModelForSequenceClassification")
