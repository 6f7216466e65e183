"""Write a BERT's ONNX graph from its weights; it gives stock BERT's numbers.

The graph has standard operators, and ONNX Runtime's own (`com.microsoft`) for attention and int8 products. Three exact
changes make it fast:

- The first layer's queries, keys and values come from tables. An embedding before layer norm is a row of a token plus
  a row of a position; after it, the sum is divided by the standard deviation, one number for each token and position.
  So a projection of the embedding is also a sum of two rows times one number.
- The last layer of a regression model computes the `[CLS]` row alone, without keys and values: a head's score
  q · (K h) is (q K) · h, and its sum of p V h is V times the sum of p h. (A key's bias adds the same number to all
  scores of a query, which does not change their softmax.)
- Attention without padding uses a kernel without a mask, which is twice as fast.
"""

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, helper

from .graph_writer import GraphWriter

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_LARGEST_WEIGHT = 64
"""Largest weight in 7 bits."""


class BertGraph(GraphWriter):
    """The graph of a regression or masked-LM model, with hidden states of shape (n · length, width).

    With three dimensions, ONNX Runtime would fuse a sum and its layer norm into one operator that takes five times as
    long.

    Args:
        model: on any device.
        ranges: minimum and maximum of each layer's inputs, by name. With them, the layers' products are in int8:
            inputs in 8 bits on these ranges, weights in 7 bits with one scale for each column. x86 processors without
            VNNI add two products in 16 bits, which weights of 8 bits could overflow. Default: None, float32.
        int8_weights: without ranges, store the layers' weights in 8 bits with one scale for each column, and compute
            in float32. The file is half as large, and processors agree as closely as with float32 weights; with 8-bit
            inputs they do not, because a rounding difference changes an input by a whole step. Default: False.
    """

    def __init__(
        self,
        model: "PreTrainedModel",
        ranges: dict[str, tuple[float, float]] | None = None,
        int8_weights: bool = False,
    ):
        super().__init__(model)
        self.masked_lm = "cls.predictions.bias" in self.state
        self.ranges, self.int8_weights = ranges, int8_weights
        self.layer_inputs: list[str] = []
        self.shape = self.node("Shape", "input_ids")
        self.mask = self.node("Cast", "attention_mask", to=TensorProto.INT32)
        if self.masked_lm:
            self.masked_lm_head(self.layers(self.config.num_hidden_layers))
        else:
            self.regression_head(self.last_layer(self.layers(self.config.num_hidden_layers - 1)))

    @property
    def outputs(self) -> list[int | str]:
        return ["batch", "length", self.config.vocab_size] if self.masked_lm else super().outputs

    # --- the model ----------------------------------------------------------------------------------------------

    def embedded(self, name: str, weight: np.ndarray, bias: np.ndarray) -> str:
        """Add `weight` times the embeddings plus `bias`, (n, length, width), from tables of tokens and positions."""
        tables = {kind: self.wide(f"bert.embeddings.{kind}_embeddings.weight") for kind in ("word", "position")}
        tables["word"] = tables["word"] + self.wide("bert.embeddings.token_type_embeddings.weight")[0]
        tokens, positions = (table - table.mean(1, keepdims=True) for table in tables.values())
        squares = np.square(tokens).sum(1)[:, None] + np.square(positions).sum(1) + 2 * tokens @ positions.T
        variance = np.maximum(squares, 0) / self.config.hidden_size
        factor = (variance + self.config.layer_norm_eps) ** -0.5
        gamma, beta = (self.wide(f"bert.embeddings.LayerNorm.{part}") for part in ("weight", "bias"))

        end = self.node("Gather", self.shape, self.weight("length_axis", np.array([1])))
        start = self.weight("start", np.array([0]))
        place = self.node("Slice", self.weight("places", np.arange(len(positions))), start, end)
        row = self.node("Mul", "input_ids", self.weight("places_of_a_token", np.array(len(positions))))
        factors = self.weight("factors", factor.reshape(-1, 1).astype(np.float32))
        factor = self.node("Gather", factors, self.node("Add", row, place))

        of_tokens = self.weight(f"{name}.tokens", (tokens * gamma @ weight.T).astype(np.float32))
        of_places = self.weight(f"{name}.positions", (positions * gamma @ weight.T).astype(np.float32))
        total = self.node(
            "Add", self.node("Gather", of_tokens, "input_ids"), self.node("Slice", of_places, start, end)
        )
        constant = self.weight(f"{name}.constant", (weight @ beta + bias).astype(np.float32))
        return self.node("Add", self.node("Mul", total, factor), constant)

    def layers(self, number: int) -> str:
        """Add the first `number` layers, and return their hidden states."""
        width = self.config.hidden_size
        hidden = self.rows(self.embedded("embeddings", np.eye(width), np.zeros(width)))
        for i in range(number):
            name = f"bert.encoder.layer.{i}"
            parts = []
            # Rounding hurts attention most: with queries and keys in float32, the errors of int8 are a third.
            for part, linear in (("query", self.float_linear), ("key", self.float_linear), ("value", self.linear)):
                part = f"{name}.attention.self.{part}"
                if i == 0:
                    parts.append(self.embedded(part, self.wide(f"{part}.weight"), self.wide(f"{part}.bias")))
                else:
                    parts.append(self.sequences(linear(hidden, part), width))
            hidden = self.feed_forward(self.rows(self.attention(parts)), hidden, name)
        return hidden

    def attention(self, parts: list[str]) -> str:
        """Add attention over queries, keys and values, (n, length, width)."""
        padded = self.node(
            "Not", self.node("Cast", self.node("ReduceMin", self.mask, keepdims=0), to=TensorProto.BOOL)
        )
        output = helper.make_tensor_value_info(f"attended_{len(self.nodes)}", TensorProto.FLOAT, None)
        branches = [
            helper.make_graph(
                [self.make("MultiHeadAttention", inputs, [output.name], **heads)], "branch", [], [output]
            )
            for heads in [{"num_heads": self.config.num_attention_heads}]
            for inputs in ([*parts, "", self.mask], parts)
        ]
        return self.node("If", padded, then_branch=branches[0], else_branch=branches[1])

    def last_layer(self, hidden: str) -> str:
        """Add the last layer for the `[CLS]` row alone, (n, width)."""
        layer = f"bert.encoder.layer.{self.config.num_hidden_layers - 1}"
        name, heads, width = f"{layer}.attention.self", self.config.num_attention_heads, self.config.hidden_size
        by_head = (heads, width // heads, width)
        hidden = self.sequences(hidden, width)
        first = self.node("Gather", hidden, self.weight("first", np.array(0)), axis=1)

        query = self.reshape(self.float_linear(first, f"{name}.query"), 0, *by_head[:2])
        keys = self.state[f"{name}.key.weight"].reshape(by_head) * np.float32(by_head[1] ** -0.5)
        query = self.node("MatMul", self.transpose(query, 1, 0, 2), self.weight(f"{name}.key", keys))
        scores = self.transpose(self.node("MatMul", hidden, self.transpose(query, 1, 2, 0)), 0, 2, 1)
        shares = self.node("Softmax", self.node("Add", scores, self.mask_bias()), axis=-1)
        mean = self.transpose(self.node("MatMul", shares, hidden), 1, 0, 2)
        values = self.state[f"{name}.value.weight"].reshape(by_head).transpose(0, 2, 1)
        value = self.transpose(self.node("MatMul", mean, self.weight(f"{name}.value", values)), 1, 0, 2)
        attended = self.node("Add", self.reshape(value, 0, width), self.stored(f"{name}.value.bias"))
        return self.feed_forward(attended, first, layer)

    def mask_bias(self) -> str:
        """Return 0, and -1e9 at padding, (n, 1, length)."""
        mask = self.node("Unsqueeze", self.mask, self.weight("heads_axis", np.array([1])))
        missing = self.node("Sub", self.node("Cast", mask, to=TensorProto.FLOAT), self.weight("one", np.float32(1)))
        return self.node("Mul", missing, self.weight("large", np.float32(1e9)))

    def feed_forward(self, attended: str, hidden: str, name: str) -> str:
        """Add the part of a layer that follows attention."""
        attended = self.linear(attended, f"{name}.attention.output.dense")
        hidden = self.norm(self.node("Add", attended, hidden), f"{name}.attention.output")
        inner = self.node("Gelu", self.linear(hidden, f"{name}.intermediate.dense"))
        return self.norm(self.node("Add", self.linear(inner, f"{name}.output.dense"), hidden), f"{name}.output")

    def regression_head(self, first: str) -> None:
        pooled = self.node("Tanh", self.float_linear(first, "bert.pooler.dense"))
        self.float_linear(pooled, "classifier", output="logits")

    def masked_lm_head(self, hidden: str) -> None:
        name = "cls.predictions"
        hidden = self.norm(self.node("Gelu", self.linear(hidden, f"{name}.transform.dense")), f"{name}.transform")
        self.sequences(self.float_linear(hidden, f"{name}.decoder"), self.config.vocab_size, output="logits")

    # --- its parts ----------------------------------------------------------------------------------------------

    def linear(self, inputs: str, name: str) -> str:
        """Add a linear layer, in int8 if there are ranges."""
        self.layer_inputs.append(inputs)
        bias = self.stored(f"{name}.bias")
        if self.ranges is None:
            if not self.int8_weights:
                return self.float_linear(inputs, name)
            integers, steps = self.integers(name, 127)
            # Not DequantizeLinear: ONNX Runtime would fuse it into a product that also rounds its inputs.
            weight = self.node("Mul", self.node("Cast", integers, to=TensorProto.FLOAT), steps)
            return self.node("Gemm", inputs, weight, bias)
        low, high = self.ranges[inputs]
        step = np.float32((high - low) / 255)
        zero = self.weight(f"{inputs}.zero", np.uint8(round(-low / step)))
        step = self.weight(f"{inputs}.step", step)
        integers, steps = self.integers(name, _LARGEST_WEIGHT)
        inputs = self.node("QuantizeLinear", inputs, step, zero)
        return self.node("MatMulIntegerToFloat", inputs, integers, step, steps, zero, "", bias)

    def float_linear(self, inputs: str, name: str, **kwargs) -> str:
        weight = self.weight(name, self.state[f"{name}.weight"].T)
        return self.node("Gemm", inputs, weight, self.stored(f"{name}.bias"), **kwargs)

    def integers(self, name: str, largest: int) -> tuple[str, str]:
        """Store a layer's weights as int8 up to `largest`, and the float32 step of each column; return their names."""
        weight = self.state[f"{name}.weight"].T
        steps = np.maximum(np.abs(weight).max(0), np.float32(1e-30)) / np.float32(largest)
        integers = self.weight(f"{name}.integers", np.rint(weight / steps).astype(np.int8))
        return integers, self.weight(f"{name}.steps", steps)

    def norm(self, inputs: str, name: str) -> str:
        weights = [self.stored(f"{name}.LayerNorm.{part}") for part in ("weight", "bias")]
        return self.node("LayerNormalization", inputs, *weights, epsilon=self.config.layer_norm_eps)

    def rows(self, inputs: str) -> str:
        """Reshape to (n · length, width)."""
        return self.reshape(inputs, -1, self.config.hidden_size)

    def sequences(self, inputs: str, width: int, **kwargs) -> str:
        """Reshape to (n, length, width)."""
        shape = self.node("Concat", self.shape, self.weight(f"width_{width}", np.array([width])), axis=0)
        return self.node("Reshape", inputs, shape, **kwargs)
