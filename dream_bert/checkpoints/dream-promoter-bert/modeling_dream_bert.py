"""BERT that predicts expression, and BERT for masked language modelling; weights are named as stock BERT's."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertForMaskedLM, BertForSequenceClassification, BertModel
from transformers.masking_utils import create_bidirectional_mask
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import can_return_tuple

from .configuration_dream_bert import DreamBertConfig


def _auto_map(auto_model: str) -> dict[str, str]:
    """What loaders that trust this code build from a saved folder; others build stock BERT."""
    classes = {
        "AutoModel": auto_model,
        "AutoModelForMaskedLM": "DreamBertForMaskedLM",
        "AutoModelForSequenceClassification": "BertForSequenceRegression",
    }
    return {"AutoConfig": "configuration_dream_bert.DreamBertConfig"} | {
        auto: f"modeling_dream_bert.{name}" for auto, name in classes.items()
    }


class DreamBertModel(BertModel):
    """Stock `BertModel`: the encoder."""

    config_class = DreamBertConfig


class DreamBertForMaskedLM(BertForMaskedLM):
    """Stock `BertForMaskedLM` over the 130 3-mer tokens."""

    config_class = DreamBertConfig
    # Trainer would otherwise multiply the loss by accumulation steps and processes, since forward takes **kwargs.
    accepts_loss_kwargs = False

    def __init__(self, config: DreamBertConfig):
        super().__init__(config)
        config.auto_map = _auto_map("DreamBertModel")


class BertForSequenceRegression(BertForSequenceClassification):
    """Embeddings, layers, pooler, dropout and one linear output: expression.

    The weights are those of stock `BertForSequenceClassification` with one label, and so are the numbers. Two things
    are its own: the last layer computes the `[CLS]` row alone, the only one that the pooler reads; and inputs may have
    an axis of reading frames, whose outputs are averaged.
    """

    config_class = DreamBertConfig
    accepts_loss_kwargs = False

    def __init__(self, config: DreamBertConfig):
        super().__init__(config)
        config.auto_map = _auto_map("BertForSequenceRegression")

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
        """Predict expression, and the loss where labels are given.

        Args:
            input_ids: int64, (n, length) or (n, frames, length).
            attention_mask, token_type_ids, position_ids: of the same shape; as in stock BERT.
            labels: float (n,), expression.
            **kwargs: stock BERT's other arguments (`inputs_embeds`, `output_attentions`, …) take stock BERT's path.

        Returns:
            `logits`, (n, 1), in expression units; `loss`, the mean squared error in units of `config.label_std`.
        """
        inputs = dict(attention_mask=attention_mask, token_type_ids=token_type_ids, position_ids=position_ids)
        frames = input_ids.shape[:2] if input_ids is not None and input_ids.dim() == 3 else None
        if frames:
            input_ids = input_ids.flatten(0, 1)
            inputs = {name: value if value is None else value.flatten(0, 1) for name, value in inputs.items()}
        if self._needs_all_rows(input_ids, inputs["attention_mask"], kwargs):
            output = super().forward(input_ids, **inputs, **kwargs)
        else:
            pooled = self.bert.pooler(self._first_token(input_ids, **inputs))
            output = SequenceClassifierOutput(logits=self.classifier(self.dropout(pooled)))
        if frames:
            output.logits = output.logits.unflatten(0, frames).mean(1)
        if labels is not None:
            error = (output.logits.flatten().float() - labels.flatten().float()) / self.config.label_std
            output.loss = error.square().mean()
        return output

    def _needs_all_rows(self, input_ids: Tensor | None, attention_mask: Tensor | None, arguments: dict) -> bool:
        """Whether the caller asks for more than `[CLS]`, or in another way than ids and a mask of tokens."""
        return (
            input_ids is None
            or (attention_mask is not None and attention_mask.dim() != 2)
            or any(value is not None for value in arguments.values())
            or self.config.output_attentions
            or self.config.output_hidden_states
        )

    def _first_token(self, input_ids: Tensor, attention_mask: Tensor | None, **inputs: Tensor | None) -> Tensor:
        """The last layer's `[CLS]` row, (n, 1, hidden)."""
        hidden = self.bert.embeddings(input_ids, **inputs)
        mask = create_bidirectional_mask(self.config, hidden, attention_mask)
        *layers, last = self.bert.encoder.layer
        for layer in layers:
            hidden = layer(hidden, mask)

        attention = last.attention.self
        heads = (*hidden.shape[:-1], attention.num_attention_heads, attention.attention_head_size)
        query = attention.query(hidden[:, :1]).view(heads[0], 1, *heads[2:])
        key, value = attention.key(hidden).view(heads), attention.value(hidden).view(heads)
        row = F.scaled_dot_product_attention(
            query.transpose(1, 2),
            key.transpose(1, 2),
            value.transpose(1, 2),
            attn_mask=None if attention_mask is None else attention_mask[:, None, None, :].bool(),
            dropout_p=attention.dropout.p if self.training else 0.0,
        )
        attended = last.attention.output(row.transpose(1, 2).flatten(2), hidden[:, :1])
        return last.feed_forward_chunk(attended)

    @torch.no_grad()
    def set_label_statistics(self, mean: float, std: float) -> None:
        """Let an untrained output layer start at the labels' mean and spread, in expression units.

        So training sees standardised labels, while every saved model predicts expression units in any loader.
        """
        self.config.label_mean, self.config.label_std = mean, std
        self.classifier.weight.mul_(std)
        nn.init.constant_(self.classifier.bias, mean)


# With these, `save_pretrained` puts this code beside the weights, for those who load with `trust_remote_code=True`.
DreamBertConfig.register_for_auto_class()
DreamBertForMaskedLM.register_for_auto_class("AutoModelForMaskedLM")
BertForSequenceRegression.register_for_auto_class("AutoModelForSequenceClassification")
