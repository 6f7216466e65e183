"""Train a BERT to predict the features of a convolutional teacher beside the expression.

A promoter has one label, but thousands of features, from which the BERT learns many times as fast (Romero et al. 2015,
https://arxiv.org/abs/1412.6550). Only training needs this module: the student is stock BERT.
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
from ..models.conv_layers import token_bases
from ..models.fast_layers import first_row
from ..models.modeling_dream_bert import BertForSequenceRegression, before_last_layer
from ..models.modeling_dream_conv import DreamConvForSequenceRegression

WEIGHT = 3.0
"""Weight of the feature loss relative to the prediction loss; both are in squared standard deviations."""

LEAST_SPREAD = 1e-3
"""Least standard deviation that a feature is divided by, for features that are nearly constant."""

MEASURED_ROWS = 1024
"""Training rows on which the mean and the standard deviation of the teacher's features are measured."""


@dataclass
class TaughtOutput(SequenceClassifierOutput):
    """Output of a `TaughtBert` in training; `hint_error`, (n,), is each row's weighted feature loss."""

    hint_error: Tensor | None = None


class TaughtBert(nn.Module):
    """A student with two extra linear layers that predict the teacher's features.

    They predict the features of each position from the last layer's input, and their mean and maximum from the final
    `[CLS]` row.

    Args:
        student: with overlapping 3-mers and no context, so that its positions are the teacher's.
        teacher: on the student's device; it is neither trained nor saved.
        inputs: `input_ids` and `attention_mask` of some promoters, to standardise the teacher's features.
    """

    accepts_loss_kwargs = False

    def __init__(
        self, student: BertForSequenceRegression, teacher: DreamConvForSequenceRegression, inputs: dict[str, Tensor]
    ):
        super().__init__()
        self.student = student
        self._teacher = (teacher.eval(),)  # the tuple keeps its weights out of this module's
        places, pooled, mask = self._features(**inputs)
        self.places = _Hints(student.config.hidden_size, places[mask])
        self.pooled = _Hints(student.config.hidden_size, pooled)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None
    ) -> SequenceClassifierOutput:
        """Run the student; in training, return a `TaughtOutput` with `logits` and `hint_error`.

        Args:
            input_ids, attention_mask: int64 (n, length).
            labels: expression, float (n,); ignored in training, where the caller computes the loss.
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
        """Compute the teacher's features, (n, length, features) and (n, 2 * features), and a bool mask (n, length)."""
        places, pooled = self._teacher[0].features(token_bases(input_ids), attention_mask)
        return places.transpose(1, 2).float(), pooled.float(), attention_mask.bool()


class _Hints(nn.Linear):
    """Predicts standardised features from hidden states.

    Args:
        width: of the hidden states.
        examples: features, (n, features), whose mean and standard deviation standardise others.
    """

    def __init__(self, width: int, examples: Tensor):
        super().__init__(width, examples.shape[1], device=examples.device)
        self.register_buffer("mean", examples.mean(0))
        self.register_buffer("std", examples.std(0).clamp(min=LEAST_SPREAD))

    def error(self, hidden: Tensor, features: Tensor) -> Tensor:
        """Compute the mean squared error over the features, (...), from hidden states (..., width)."""
        return (self(hidden).float() - (features - self.mean) / self.std).square().mean(-1)


def load_teacher(name: str, student: DnaConfig) -> DreamConvForSequenceRegression:
    """Load the convolutions of a folder, Hub id or shipped name as a student's teacher.

    Args:
        name: of the teacher.
        student: configuration of the BERT, which needs stride 1 and no context.

    Raises:
        ArgumentError: if the teacher has no convolutions, or the student has other tokens.
    """
    try:
        teacher = load_regression(model_name(name))
    except ModelError as error:
        raise ArgumentError(f"--teacher {name}: {error}") from error
    if not isinstance(teacher, DreamConvForSequenceRegression):
        raise ArgumentError(f"--teacher is {name}; give convolutions, as --preset conv trains them")
    if student.model_type != "bert" or (student.stride, student.context) != (1, 0):
        raise ArgumentError("--teacher is for a BERT with stride 1 and context 0; start from one, or leave it out")
    return teacher


def taught(
    student: BertForSequenceRegression, teacher: DreamConvForSequenceRegression, rows: RegressionBatches
) -> TaughtBert:
    """Join a student with its teacher, whose features are standardised on the first of the rows."""
    inputs = rows.__getitems__(range(min(len(rows), MEASURED_ROWS)))
    device = teacher.device
    return TaughtBert(
        student.to(device), teacher, {name: inputs[name].to(device) for name in ("input_ids", "attention_mask")}
    )
