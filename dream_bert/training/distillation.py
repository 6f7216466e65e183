"""Train a model to predict the features of a teacher, convolutions or DeepAtt, beside the expression.

A promoter has one label, but thousands of features, from which the student learns many times as fast (Romero et al.
2015, https://arxiv.org/abs/1412.6550). Only training needs this module: the student stays what it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import SequenceClassifierOutput

from ..data.batches import RegressionBatches
from ..errors import ArgumentError, ModelError
from ..inference.loading import RegressionModel, load_regression
from ..inference.model_files import model_name
from ..models.configuration_dna import DnaConfig
from ..models.conv_layers import token_bases
from ..models.fast_layers import first_row
from ..models.modeling_dream_bert import BertForSequenceRegression, before_last_layer
from ..models.modeling_dream_conv import DreamConvForSequenceRegression
from . import deepatt

WEIGHT = 3.0
"""Weight of the feature loss relative to the prediction loss; both are in squared standard deviations."""

LEAST_SPREAD = 0.1
"""Least standard deviation that a feature is divided by, as a share of all features': some are nearly constant."""

MEASURED_ROWS = 1024
"""Training rows on which the mean and the standard deviation of the teacher's features are measured."""


class Features(NamedTuple):
    """What a teacher computes of n promoters."""

    places: Tensor
    """Of places along the promoters, float (n, places, features)."""
    pooled: Tensor
    """Of whole promoters, float (n, features)."""
    mask: Tensor
    """False at places past the end of a promoter, bool (n, places)."""
    columns: Tensor
    """The token at each place, int64 (n, places)."""


Teacher = Callable[[Tensor, Tensor], Features]
"""Computes features from `input_ids` and `attention_mask`, int64 (n, length)."""


@dataclass
class TaughtOutput(SequenceClassifierOutput):
    """Output of a `TaughtModel` in training; `hint_error`, (n,), is each row's weighted feature loss."""

    hint_error: Tensor | None = None


class TaughtModel(nn.Module):
    """A student with two extra linear layers that predict the teacher's features.

    They predict the features of each place, and those of the whole promoter. In a BERT they read the last layer's
    input and the final `[CLS]` row; in convolutions the features of each base, and their mean and maximum.

    Args:
        student: convolutions, or a BERT with overlapping 3-mers and no context, so that each base has a token.
        teacher: on the student's device; it is neither trained nor saved.
        inputs: `input_ids` and `attention_mask` of some promoters, to standardise the teacher's features.
    """

    accepts_loss_kwargs = False

    def __init__(self, student: RegressionModel, teacher: Teacher, inputs: dict[str, Tensor]):
        super().__init__()
        self.student = student
        self.teacher = teacher
        self._states = _of_bert if isinstance(student, BertForSequenceRegression) else _of_convolutions
        shown, width = teacher(**inputs), student.config.hidden_size
        self.places = _Hints(width, shown.places[shown.mask])
        self.pooled = _Hints(width if self._states is _of_bert else 2 * width, shown.pooled)

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
        hidden, pooled, logits = self._states(self.student, input_ids, attention_mask)
        shown = self.teacher(input_ids, attention_mask)
        hidden = hidden.take_along_dim(shown.columns[..., None], 1)
        of_places = (self.places.error(hidden, shown.places) * shown.mask).sum(1) / shown.mask.sum(1)
        hint_error = WEIGHT * (of_places + self.pooled.error(pooled, shown.pooled))
        return TaughtOutput(logits=logits, hint_error=hint_error)


def _of_bert(student: BertForSequenceRegression, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
    """Compute the last layer's input, (n, length, hidden), the final `[CLS]` row, (n, hidden), and the prediction."""
    hidden, _ = before_last_layer(student.bert, input_ids, attention_mask)
    first = first_row(student.bert.encoder.layer[-1], hidden, attention_mask)
    return hidden, first[:, 0], student.classifier(student.dropout(student.bert.pooler(first)))


def _of_convolutions(
    student: DreamConvForSequenceRegression, input_ids: Tensor, attention_mask: Tensor
) -> tuple[Tensor, ...]:
    """Compute the features of each base, their mean and maximum, (n, 2 * hidden), and the prediction."""
    bases = token_bases(input_ids)
    hidden, pooled = student.features(bases, attention_mask)
    return hidden.transpose(1, 2), pooled, student.expression_of(bases, pooled)


class _Hints(nn.Linear):
    """Predicts standardised features from hidden states.

    Args:
        width: of the hidden states.
        examples: features, (n, features), whose mean and standard deviation standardise others.
    """

    def __init__(self, width: int, examples: Tensor):
        super().__init__(width, examples.shape[1], device=examples.device)
        self.register_buffer("mean", examples.mean(0))
        spread = examples.std(0)
        self.register_buffer("std", spread.clamp(min=LEAST_SPREAD * float(spread.square().mean().sqrt())))

    def error(self, hidden: Tensor, features: Tensor) -> Tensor:
        """Compute the mean squared error over the features, (...), from hidden states (..., width)."""
        return (self(hidden).float() - (features - self.mean) / self.std).square().mean(-1)


class ConvTeacher:
    """Computes the convolutions' features of each base, and their mean and maximum."""

    def __init__(self, model: DreamConvForSequenceRegression):
        self._model = model.eval()

    @torch.no_grad()
    def __call__(self, input_ids: Tensor, attention_mask: Tensor) -> Features:
        places, pooled = self._model.features(token_bases(input_ids), attention_mask)
        columns = torch.arange(input_ids.shape[1], device=input_ids.device).expand_as(input_ids)
        return Features(places.transpose(1, 2).float(), pooled.float(), attention_mask.bool(), columns)


class DeepAttTeacher:
    """Computes the states of DeepAtt's recurrent and attention layers, and the outputs of its dense layers."""

    def __init__(self, model: deepatt.DeepAtt):
        self._model = model.eval()

    @torch.no_grad()
    def __call__(self, input_ids: Tensor, attention_mask: Tensor) -> Features:
        lengths = attention_mask.sum(1)  # [CLS] and [SEP] stand in for the two bases that 3-mers take
        with torch.autocast(input_ids.device.type, enabled=False):
            places, pooled = self._model.features(deepatt.one_hot_oligos(token_bases(input_ids), lengths))
        columns = deepatt.middle_bases(lengths)
        return Features(places, pooled, torch.ones_like(columns, dtype=torch.bool), columns)


def load_teacher(name: str, student: DnaConfig, device: torch.device) -> Teacher:
    """Load a student's teacher.

    Args:
        name: of convolutions, a folder, Hub id or shipped name; or DeepAtt's weights, a file.
        student: its configuration; a BERT needs stride 1 and no context.
        device: the student's.

    Raises:
        ArgumentError: if the teacher has no convolutions, or the student has other tokens.
    """
    if Path(name).is_file():
        teacher = DeepAttTeacher(deepatt.load(Path(name)).to(device))
    else:
        teacher = ConvTeacher(_load_convolutions(name).to(device))
    if student.model_type == "bert" and (student.stride, student.context) != (1, 0):
        raise ArgumentError("--teacher needs a BERT with stride 1 and context 0; start from one, or leave it out")
    return teacher


def _load_convolutions(name: str) -> DreamConvForSequenceRegression:
    try:
        model = load_regression(model_name(name))
    except ModelError as error:
        raise ArgumentError(f"--teacher {name}: {error}") from error
    if not isinstance(model, DreamConvForSequenceRegression):
        raise ArgumentError(f"--teacher is {name}; give convolutions, as of --preset conv, or DeepAtt's weights")
    return model


def taught(student: RegressionModel, teacher: Teacher, rows: RegressionBatches) -> TaughtModel:
    """Join a student with its teacher, whose features are standardised on the first of the rows."""
    inputs = rows.__getitems__(range(min(len(rows), MEASURED_ROWS)))
    return TaughtModel(
        student, teacher, {name: inputs[name].to(student.device) for name in ("input_ids", "attention_mask")}
    )
