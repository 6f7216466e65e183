"""Predict on a CPU by plain torch modules: to import transformers takes longer than all else of a first prediction.

Modules and weights have stock BERT's names, and the numbers are those of `BertForSequenceRegression` and
`DreamConvForSequenceRegression`, which compute by the same functions.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ModelError
from ..models.conv_layers import ConvLayers
from ..models.fast_layers import FirstRowOnCpu, is_fast
from ..models.weights import read_weights
from .bfloat16 import to_bfloat16
from .model_files import read_fields
from .predictor import BATCH_SIZE

_WEIGHTS = "model.safetensors"


def load_plain(name: str, dtype: torch.dtype = torch.float32) -> "PlainModel | None":
    """Load a model that predicts expression from a folder.

    Args:
        name: as `model_name` returns it.
        dtype: that it computes in: float32 or bfloat16.

    Returns:
        The model; None if there is an accelerator, if the processor has no products of that type, or if the folder
        does not hold all float32 weights of a BERT with the exact GELU or of convolutions. Transformers loads these,
        or names the fault.
    """
    path = Path(name, _WEIGHTS)
    if torch.accelerator.is_available() or not is_fast(dtype) or not path.is_file():
        return None
    try:
        config = SimpleNamespace(**read_fields(path.with_name("config.json")))
        config.num_labels = len(config.id2label)
        with torch.device("meta"):
            network = _KINDS[config.model_type](config)
        weights = read_weights(path, network.state_dict(), network.prefix)
    except (ModelError, OSError, ValueError, LookupError, AttributeError):
        return None
    if weights.keys() != network.state_dict().keys() or any(part.dtype != torch.float32 for part in weights.values()):
        return None
    # Names and shapes are compared above; strict, batch norm would ask for a count of batches, which is not stored.
    network.load_state_dict(weights, strict=False, assign=True)
    if dtype == torch.bfloat16:
        to_bfloat16(network)
    return PlainModel(config, network.eval().requires_grad_(False))


class PlainModel:
    """A loaded model, a `Scorer`."""

    batch_size = BATCH_SIZE

    def __init__(self, config: SimpleNamespace, network: nn.Module):
        self.config, self._network = config, network

    @torch.inference_mode()
    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Predict expression, float32 (n, targets), from `encode`'s result; reading frames are averaged."""
        rows = len(inputs["input_ids"])
        tensors = (torch.from_numpy(inputs[part]).flatten(0, -2) for part in ("input_ids", "attention_mask"))
        return self._network.expression(*tensors).view(rows, -1, self.config.num_labels).mean(1).numpy()


class _PlainBert(nn.Module):
    prefix = "bert."

    def __init__(self, config: SimpleNamespace):
        super().__init__()
        width = config.hidden_size
        if config.hidden_act != "gelu" or config.num_hidden_layers < 2 or width % config.num_attention_heads:
            raise ValueError("transformers loads such a BERT, or refuses it")
        self.bert = _group(
            embeddings=_group(
                word_embeddings=_embedding(config.vocab_size, width),
                position_embeddings=_embedding(config.max_position_embeddings, width),
                token_type_embeddings=_embedding(config.type_vocab_size, width),
                LayerNorm=nn.LayerNorm(width, config.layer_norm_eps),
            ),
            encoder=_group(layer=nn.ModuleList(_layer(config) for _ in range(config.num_hidden_layers))),
            pooler=_group(dense=nn.Linear(width, width)),
        )
        self.classifier = nn.Linear(width, config.num_labels)
        self._first_row = FirstRowOnCpu()

    def expression(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        first = self._first_row(self.bert, input_ids, attention_mask)[:, 0].to(self.classifier.weight.dtype)
        return self.classifier(self.bert.pooler.dense(first).tanh())


def _embedding(rows: int, width: int) -> nn.Embedding:
    # To draw normal numbers without memory for them, torch would import its compiler, which takes a second.
    return nn.Embedding.from_pretrained(torch.empty(rows, width))


def _layer(config: SimpleNamespace) -> nn.Module:
    width, wide, heads = config.hidden_size, config.intermediate_size, config.num_attention_heads
    attention = _group(**{part: nn.Linear(width, width) for part in ("query", "key", "value")}, dropout=nn.Identity())
    attention.num_attention_heads, attention.attention_head_size = heads, width // heads
    return _group(
        attention=_group(self=attention, output=_dense_and_norm(width, config)),
        intermediate=_group(dense=nn.Linear(width, wide)),
        output=_dense_and_norm(wide, config),
    )


def _dense_and_norm(inputs: int, config: SimpleNamespace) -> nn.Module:
    width = config.hidden_size
    return _group(dense=nn.Linear(inputs, width), LayerNorm=nn.LayerNorm(width, config.layer_norm_eps))


def _group(**modules: nn.Module) -> nn.Module:
    """Return a module that has these."""
    group = nn.Module()
    for name, module in modules.items():
        group.add_module(name, module)
    return group


class _PlainConv(ConvLayers):
    prefix = "model."

    def __init__(self, config: SimpleNamespace):
        super().__init__()
        if (config.stride, config.context) != (1, 0):
            raise ValueError("transformers refuses such convolutions")
        self.build_layers(config)


_KINDS = {"bert": _PlainBert, "dream_conv": _PlainConv}
