"""Write the convolutional model's ONNX graph from its weights."""

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from ..sequence.encoding import BASES, SEP, SPECIAL_TOKENS
from .graph_writer import GraphWriter

if TYPE_CHECKING:
    from ..models.modeling_dream_conv import DreamConvForSequenceRegression

SIXMER = 6  # repeated from conv_layers.py, which needs torch

_LEAST = np.float32(-1e30)
"""Value put in padding before a maximum, so that padding never wins."""


class ConvGraph(GraphWriter):
    """The graph of a model with its normalisations folded into its convolutions, as they are linear in prediction.

    Hidden states are (n, channels, 1, length), because ONNX Runtime has fast convolutions for images only.
    """

    def __init__(self, model: "DreamConvForSequenceRegression"):
        super().__init__(model)
        mask = self.node("Unsqueeze", "attention_mask", self.weight("axes", np.array([1, 2])))
        self.least = self.weight("least", _LEAST)
        self.zero = self.weight("zero", np.float32(0))
        counted = self.node("Cast", mask, to=TensorProto.FLOAT)
        mask = self.node("Cast", mask, to=TensorProto.BOOL)
        bases = self.bases()
        hidden = self.node("Where", mask, self.convolution(bases, "scan"), self.zero)
        for number, dilation in enumerate(self.config.dilations):
            hidden = self.node("Add", hidden, self.convolution(hidden, f"layers.{number}", dilation))
            hidden = self.node("Where", mask, hidden, self.zero)
        self.node("Add", self.head(hidden, mask, counted), self.sixmers(bases), output="logits")

    def bases(self) -> str:
        """Add one-hot bases, (n, 4, 1, length), as from `token_bases`, by tables of tokens."""
        one_hot = np.eye(len(BASES), len(BASES) - 1, dtype=np.float32)
        kmers = np.array(list(product(range(len(BASES)), repeat=3)))
        specials = np.zeros((len(SPECIAL_TOKENS), len(BASES) - 1), dtype=np.float32)
        first, middle, last = (
            self.weight(f"{name}_bases", np.concatenate([specials, one_hot[column]]))
            for name, column in zip(("first", "middle", "last"), kmers.T, strict=True)
        )
        before = self.node("Pad", "input_ids", self.weight("shift", np.array([0, 1, 0, -1])))
        ends = self.node("Equal", "input_ids", self.weight("end", np.array(SEP)))
        ends = self.node("Unsqueeze", ends, self.weight("bases_axis", np.array([2])))
        hidden = self.node("Gather", middle, "input_ids")
        hidden = self.node("Where", ends, self.node("Gather", last, before), hidden)
        one, two, all_ = (self.weight(name, np.array([n])) for name, n in (("one", 1), ("two", 2), ("all", 2**31)))
        begin = self.node("Gather", first, self.node("Slice", "input_ids", one, two, one))
        hidden = self.node("Concat", begin, self.node("Slice", hidden, one, all_, one), axis=1)
        return self.node("Unsqueeze", self.transpose(hidden, 0, 2, 1), self.weight("height", np.array([2])))

    def convolution(self, inputs: str, name: str, dilation: int = 1) -> str:
        """Add a convolution with its normalisation and SiLU."""
        kernel = self.wide(f"{name}.0.weight")
        norm = {part: self.wide(f"{name}.1.{part}") for part in ("weight", "bias", "running_mean", "running_var")}
        factor = norm["weight"] / np.sqrt(norm["running_var"] + 1e-5)
        bias = norm["bias"] - norm["running_mean"] * factor
        reach = dilation * (kernel.shape[2] - 1)
        return self.silu(
            self.node(
                "Conv",
                inputs,
                self.weight(f"{name}.kernel", (kernel * factor[:, None, None])[:, :, None].astype(np.float32)),
                self.weight(f"{name}.bias", bias.astype(np.float32)),
                pads=[0, reach // 2, 0, reach - reach // 2],
                dilations=[1, dilation],
            )
        )

    def sixmers(self, bases: str) -> str:
        """Add the sum of the 6-mers' weights, (n, targets); 6-mers without N have the numbers of `sixmer_numbers`."""
        n = len(BASES) - 1
        places = len(BASES) ** np.arange(SIXMER - 1, -1, -1)
        numbers = self.node(
            "Conv",
            bases,
            self.weight("digits", np.outer(np.arange(n) - n, places)[None, :, None].astype(np.float32)),
            self.weight("all_n", np.array([n * places.sum()], dtype=np.float32)),
            pads=[0, 0, 0, SIXMER - 1],
        )
        numbers = self.node("Cast", numbers, to=TensorProto.INT64)  # (n, 1, 1, length)
        if self.targets == 1:
            weights = self.node("Gather", self.stored("sixmers"), numbers)
            return self.node("ReduceSum", weights, self.weight("places", np.array([2, 3])), keepdims=0)
        weights = self.node("Gather", self.weight("sixmers", self.state["sixmers"].T), numbers)
        return self.node("ReduceSum", weights, self.weight("all_places", np.array([1, 2, 3])), keepdims=0)

    def head(self, hidden: str, mask: str, counted: str) -> str:
        """Add the mean and the maximum over all bases, (n, 2 · width), and the layers on top."""
        places = self.weight("places", np.array([2, 3]))
        total = self.node("ReduceSum", hidden, places, keepdims=0)
        mean = self.node("Div", total, self.node("ReduceSum", counted, places, keepdims=0))
        most = self.node("ReduceMax", self.node("Where", mask, hidden, self.least), places, keepdims=0)
        pooled = self.node("Concat", mean, most, axis=1)
        inner = self.silu(self.linear(pooled, "head.1"))
        return self.linear(inner, "classifier")

    def silu(self, inputs: str) -> str:
        return self.node("Mul", inputs, self.node("Sigmoid", inputs))

    def linear(self, inputs: str, name: str) -> str:
        weights = [self.stored(f"{name}.{part}") for part in ("weight", "bias")]
        return self.node("Gemm", inputs, *weights, transB=1)
