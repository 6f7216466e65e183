"""A BERT in training that is shown what the convolutions make of a promoter, not their prediction alone.

A prediction is one number a promoter; what the convolutions hold of its places is thousands, and teaches the BERT many
times as fast (Romero et al. 2015, https://arxiv.org/abs/1412.6550). Only training needs this: the student is stock
BERT.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import SequenceClassifierOutput

from ..data.batches import RegressionBatches
from ..errors import ArgumentError, ModelError
from ..inference.loading import load_regression
from ..inference.model_files import model_name
from ..models.configuration_dna import DnaConfig
from ..models.fast_layers import first_row
from ..models.modeling_dream_bert import BertForSequenceRegression, before_last_layer
from ..models.modeling_dream_conv import DreamConvForSequenceRegression, token_bases

WEIGHT = 3.0
"""Of the error in what the student tells of the teacher's features, beside that of its prediction; both are in
standard deviations squared."""

LEAST_SPREAD = 1e-3
"""Standard deviation from which on a feature is more than a constant."""

MEASURED_ROWS = 1024
"""Training rows on which a teacher's features are measured."""


@dataclass
class TaughtOutput(SequenceClassifierOutput):
    """`hint_error`, (n,): a row's mean squared error in telling the teacher's features, weighed."""

    hint_error: Tensor | None = None


class TaughtBert(nn.Module):
    """A student with two linear layers more, which tell the teacher's features from its hidden states.

    What enters the student's last layer tells what the teacher makes of each place, and the `[CLS]` row that leaves
    it the means and the maxima of that.

    Args:
        student: with overlapping 3-mers and no context, so that its tokens are the teacher's places.
        teacher: on the student's device; is read, and neither trained nor saved.
        inputs: `input_ids` and `attention_mask` of some promoters, to measure the teacher's features on.
    """

    accepts_loss_kwargs = False

    def __init__(
        self, student: BertForSequenceRegression, teacher: DreamConvForSequenceRegression, inputs: dict[str, Tensor]
    ):
        super().__init__()
        self.student = student
        self._teacher = (teacher.eval(),)  # in a tuple it is no part of this module
        places, pooled, mask = self._features(**inputs)
        self.places = _Hints(student.config.hidden_size, places[mask])
        self.pooled = _Hints(student.config.hidden_size, pooled)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None
    ) -> SequenceClassifierOutput:
        """What the student gives; in training a `TaughtOutput` with `logits` and `hint_error`.

        Args:
            input_ids, attention_mask: int64 (n, length).
            labels: float (n,), expression; in training the caller makes a loss of them.
        """
        if not self.training:
            return self.student(input_ids, attention_mask, labels=labels)
        bert = self.student.bert
        hidden, _ = before_last_layer(bert, input_ids, attention_mask)
        first = first_row(bert.encoder.layer[-1], hidden, attention_mask)
        places, pooled, mask = self._features(input_ids, attention_mask)
        of_places = (self.places.error(hidden, places) * mask).sum(1) / mask.sum(1)
        return TaughtOutput(
            logits=self.student.classifier(self.student.dropout(bert.pooler(first))),
            hint_error=WEIGHT * (of_places + self.pooled.error(first[:, 0], pooled)),
        )

    @torch.no_grad()
    def _features(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The teacher's, (n, length, features) and (n, 2 * features), and where there are places, bool (n, length)."""
        places, pooled = self._teacher[0].features(token_bases(input_ids), attention_mask)
        return places.transpose(1, 2).float(), pooled.float(), attention_mask.bool()


class _Hints(nn.Linear):
    """Tells standardised features from hidden states; `examples`, (n, features), have their mean and spread."""

    def __init__(self, width: int, examples: Tensor):
        super().__init__(width, examples.shape[1], device=examples.device)
        self.register_buffer("mean", examples.mean(0))
        self.register_buffer("std", examples.std(0).clamp(min=LEAST_SPREAD))

    def error(self, hidden: Tensor, features: Tensor) -> Tensor:
        """The mean squared error over the features, (...), of hidden states (..., width)."""
        return (self(hidden).float() - (features - self.mean) / self.std).square().mean(-1)


def load_teacher(name: str, student: DnaConfig) -> DreamConvForSequenceRegression:
    """The convolutions of a folder or Hub id, for a BERT whose tokens are their places.

    Raises:
        ArgumentError: if the model is another, or the student cannot follow it.
    """
    try:
        teacher = load_regression(model_name(name))
    except ModelError as error:
        raise ArgumentError(f"--teacher cannot be loaded: {error}") from error
    if not isinstance(teacher, DreamConvForSequenceRegression):
        raise ArgumentError(f"--teacher is {name}; give convolutions, as --preset conv trains them")
    if student.model_type != "bert" or (student.stride, student.context) != (1, 0):
        raise ArgumentError("--teacher is for a BERT with stride 1 and context 0; start from one, or leave it out")
    return teacher


def taught(
    student: BertForSequenceRegression, teacher: DreamConvForSequenceRegression, rows: RegressionBatches
) -> TaughtBert:
    """The student with its teacher, whose features are measured on the first of the rows."""
    inputs = rows.__getitems__(range(min(len(rows), MEASURED_ROWS)))
    device = teacher.device
    return TaughtBert(
        student.to(device), teacher, {name: inputs[name].to(device) for name in ("input_ids", "attention_mask")}
    )
