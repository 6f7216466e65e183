"""Inputs, gradients and models of this package beside those of stock transformers."""

import torch
from transformers import AutoModelForSequenceClassification

from dream_bert import BertForSequenceRegression
from dream_bert.sequence.encoding import encode

ATTENTIONS = ["eager", "sdpa"]
LABELS = torch.tensor([11.0, 3.5, 17.0, 0.0, 8.25, 12.0, 5.0, 9.5])


def tensors(inserts, config):
    return {name: torch.from_numpy(array) for name, array in encode(inserts, config).items()}


def all_gradients(model):
    """In one tensor: a key's bias has a gradient of almost zero, a sum of terms as large as other gradients."""
    return torch.cat([parameter.grad.flatten() for _, parameter in sorted(model.named_parameters())])


def regressors(folder, attention="sdpa", stock=AutoModelForSequenceClassification):
    own = BertForSequenceRegression.from_pretrained(folder, attn_implementation=attention)
    return own, stock.from_pretrained(folder, attn_implementation=attention)
