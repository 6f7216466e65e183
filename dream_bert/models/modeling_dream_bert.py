"""Define BERT for expression and for masked language modelling; the weights have stock BERT's names."""

import torch
from torch import Tensor, nn
from transformers import BertForMaskedLM, BertForSequenceClassification, BertModel, BertPreTrainedModel
from transformers.masking_utils import create_bidirectional_mask
from transformers.modeling_outputs import MaskedLMOutput, SequenceClassifierOutput
from transformers.utils import can_return_tuple

from .config_checks import check_config  # noqa: F401

# Imported for older transformers: they copy from a local folder only files that the loaded one imports itself.
from .configuration_dna import DnaConfig  # noqa: F401
from .configuration_dream_bert import DreamBertConfig
from .fast_layers import FirstRowOnCpu, first_row, is_fast, is_stock
from .modeling_dna import FromSafetensors, PredictsExpression
from .target_fields import target_names  # noqa: F401
from .weights import read_weights  # noqa: F401


def _auto_map(auto_model: str) -> dict[str, str]:
    """Return the classes that loaders with `trust_remote_code=True` build; other loaders build stock BERT."""
    classes = {
        "AutoModel": auto_model,
        "AutoModelForMaskedLM": "DreamBertForMaskedLM",
        "AutoModelForSequenceClassification": "BertForSequenceRegression",
    }
    return {"AutoConfig": "configuration_dream_bert.DreamBertConfig"} | {
        auto: f"modeling_dream_bert.{name}" for auto, name in classes.items()
    }


class DreamBertModel(FromSafetensors, BertModel):
    """Stock `BertModel`, the encoder, from safetensors alone."""

    config_class = DreamBertConfig


class DreamBertForMaskedLM(FromSafetensors, BertForMaskedLM):
    """Stock `BertForMaskedLM` over the 130 3-mer tokens, with an option to compute the logits of some tokens only."""

    config_class = DreamBertConfig
    # Otherwise Trainer multiplies the loss by accumulation steps and processes, because forward takes **kwargs.
    accepts_loss_kwargs = False

    def __init__(self, config: DreamBertConfig):
        super().__init__(config)
        config.auto_map = _auto_map("DreamBertModel")

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        predicted: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs,
    ) -> MaskedLMOutput:
        """Predict tokens, and compute the loss if labels are given.

        Args:
            input_ids, attention_mask: int64, (n, length), as in stock BERT.
            predicted: bool (n, length), true for the m tokens to predict; None predicts all.
            labels: int64 (n, length), -100 for tokens without a label.
            **kwargs: stock BERT's other arguments; with them, stock BERT's forward runs.

        Returns:
            `logits`, (n, length, 130), or with `predicted` (m, 130) in the order of `input_ids[predicted]`; `loss`,
            the mean cross-entropy of the tokens that have a label.
        """
        if predicted is None:
            return super().forward(input_ids, attention_mask, labels=labels, **kwargs)
        if _needs_stock_forward(self, input_ids, attention_mask, kwargs):
            output = super().forward(input_ids, attention_mask, **kwargs)
            output.logits = output.logits[predicted]
        else:
            hidden, mask = before_last_layer(self.bert, input_ids, attention_mask)
            last = self.bert.encoder.layer[-1]
            attended = last.attention.self(hidden, mask)[0][predicted]
            row = last.feed_forward_chunk(last.attention.output(attended, hidden[predicted]))
            output = MaskedLMOutput(logits=self.cls(row))
        if labels is not None:
            output.loss = nn.functional.cross_entropy(output.logits.float(), labels[predicted])
        return output


class BertForSequenceRegression(PredictsExpression, FromSafetensors, BertForSequenceClassification):
    """Embeddings, layers, pooler, dropout and a linear output for each target.

    Weights and numbers are those of stock `BertForSequenceClassification` with as many labels. Two things are added:
    the last layer computes the `[CLS]` row alone, the only one that the pooler reads; and inputs may have an axis of
    reading frames, whose outputs are averaged.
    """

    config_class = DreamBertConfig
    accepts_loss_kwargs = False

    def __init__(self, config: DreamBertConfig):
        super().__init__(config)
        config.auto_map = _auto_map("BertForSequenceRegression")
        self._first_row_on_cpu = FirstRowOnCpu()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs,
    ) -> SequenceClassifierOutput:
        """Predict expression, and compute the loss if labels are given.

        Args:
            input_ids: int64, (n, length) or (n, frames, length).
            attention_mask, token_type_ids, position_ids: of the same shape; as in stock BERT.
            labels: expression, float (n,), or (n, targets); NaN where it was not measured.
            **kwargs: stock BERT's other arguments (`inputs_embeds`, `output_attentions`, …); with them, stock BERT's
                forward runs.

        Returns:
            `logits`, (n, targets), in expression units; `loss`, as `mean_squared_error` computes it.
        """
        inputs = dict(attention_mask=attention_mask, token_type_ids=token_type_ids, position_ids=position_ids)
        frames = input_ids.shape[:2] if input_ids is not None and input_ids.dim() == 3 else None
        if frames:
            input_ids = input_ids.flatten(0, 1)
            inputs = {name: value if value is None else value.flatten(0, 1) for name, value in inputs.items()}
        if _needs_stock_forward(self, input_ids, inputs["attention_mask"], kwargs):
            output = super().forward(input_ids, **inputs, **kwargs)
        else:
            first = self._first_token(input_ids, **inputs).to(self.bert.pooler.dense.weight.dtype)
            output = SequenceClassifierOutput(logits=self.classifier(self.dropout(self.bert.pooler(first))))
        if frames:
            output.logits = output.logits.unflatten(0, frames).mean(1)
        if labels is not None:
            output.loss = self.mean_squared_error(output.logits, labels)
        return output

    def _first_token(self, input_ids: Tensor, attention_mask: Tensor | None, **inputs: Tensor | None) -> Tensor:
        """Compute the last layer's `[CLS]` row, (n, 1, hidden)."""
        if self._may_run_on_cpu(input_ids, inputs):
            return self._first_row_on_cpu(self.bert, input_ids, attention_mask)
        hidden, _ = before_last_layer(self.bert, input_ids, attention_mask, **inputs)
        return first_row(self.bert.encoder.layer[-1], hidden, attention_mask)

    def _may_run_on_cpu(self, input_ids: Tensor, inputs: dict) -> bool:
        """Return whether the fast layers for CPUs apply: no gradients, a type that is fast, plain ids."""
        return (
            not (self.training or torch.is_grad_enabled() or torch.compiler.is_compiling())
            and input_ids.device.type == "cpu"
            and not torch.is_autocast_enabled("cpu")
            and is_fast(self.dtype)
            and self.config.hidden_act == "gelu"
            and self.config.num_hidden_layers > 1
            and all(value is None for value in inputs.values())
            # An id out of range would find the row of another token; stock's embeddings raise an error.
            and input_ids.shape[1] <= self.config.max_position_embeddings
            and bool((input_ids >= 0).all() and (input_ids < self.config.vocab_size).all())
        )


def _needs_stock_forward(
    model: BertPreTrainedModel, input_ids: Tensor | None, attention_mask: Tensor | None, arguments: dict
) -> bool:
    """Return whether the shortcut does not apply: other inputs than ids and a 2-D mask, attentions or hidden states
    wanted, or modified embeddings or layers (hooks, adapters)."""
    return (
        input_ids is None
        or (attention_mask is not None and attention_mask.dim() != 2)
        or any(value is not None for value in arguments.values())
        or model.config.output_attentions
        or model.config.output_hidden_states
        or not is_stock((*model.bert.embeddings.modules(), *model.bert.encoder.modules()))
    )


def before_last_layer(
    bert: BertModel, input_ids: Tensor, attention_mask: Tensor | None, **inputs: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Compute the last layer's input, (n, length, hidden), and its attention mask."""
    hidden = bert.embeddings(input_ids, **inputs)
    mask = create_bidirectional_mask(bert.config, hidden, attention_mask)
    for layer in bert.encoder.layer[:-1]:
        hidden = layer(hidden, mask)
    return hidden, mask


# With these, `save_pretrained` copies this code beside the weights, for loading with `trust_remote_code=True`.
DreamBertConfig.register_for_auto_class()
DreamBertForMaskedLM.register_for_auto_class("AutoModelForMaskedLM")
BertForSequenceRegression.register_for_auto_class("AutoModelForSequenceClassification")
