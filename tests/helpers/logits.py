"""Logits of stock transformers and of exported graphs."""

import onnxruntime
import torch
from transformers import BertForMaskedLM, BertForSequenceClassification

from dream_bert import DreamBertForMaskedLM
from dream_bert.inference.model_files import ONNX_FILES

INT8_ERROR = 0.2
"""Of the spread of the float32 outputs, on average, where weights are random."""


def stock(model):
    """Return a function that gives the logits of stock BERT with the weights of a model."""
    kind = BertForMaskedLM if isinstance(model, DreamBertForMaskedLM) else BertForSequenceClassification
    reference = kind(model.config).eval()
    reference.load_state_dict(model.state_dict())
    return lambda inputs: reference(**{name: torch.from_numpy(array) for name, array in inputs.items()}).logits.numpy()


def session(folder, backend):
    """Return a function that gives the logits of a backend's graph in a folder."""
    running = onnxruntime.InferenceSession(folder / ONNX_FILES[backend], providers=["CPUExecutionProvider"])
    return lambda inputs: running.run(["logits"], inputs)[0]
