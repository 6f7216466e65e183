"""Compare an untrusted ONNX file with what `export` writes for its configuration.

ONNX Runtime runs any graph, even endless loops and tensors of any size. A hash beside the file would prove nothing,
because the author of the file can write that too. So everything but the values of weights must be as `export` writes
it: operators, attributes, connections, shapes and integers.
"""

import math
from collections import Counter
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import NodeProto, TensorProto, numpy_helper

from ..errors import GraphError
from ..models.target_fields import target_names
from ..onnx_graphs.bert_graph import BertGraph
from ..onnx_graphs.conv_graph import SIXMER, ConvGraph
from ..onnx_graphs.graph_writer import OPSETS

_INPUTS = [(name, TensorProto.INT64) for name in ("input_ids", "attention_mask")]
_SIZES = {TensorProto.FLOAT: 4, TensorProto.INT64: 8, TensorProto.INT32: 4, TensorProto.INT8: 1, TensorProto.UINT8: 1}
"""Bytes of one number, by the types that weights may have."""


def most_bytes(fields: dict[str, Any]) -> int:
    """Return an upper limit of the bytes that `export` writes for the fields of a checked `config.json`.

    Raises:
        KeyError: if a field is missing.
    """
    positions = fields["max_position_embeddings"]
    tables = 4 * (130 + positions) * fields["hidden_size"] + 130 * positions  # the first layer's tables
    return 2**20 + 5 * (_numbers(fields) + tables)


def check_graph(content: bytes, fields: dict[str, Any], int8: bool) -> None:
    """Check that, apart from weights, an ONNX file is what `export` writes for the fields of a checked `config.json`.

    Args:
        content: the file.
        fields: of the configuration: `model_type`, sizes and so on.
        int8: whether the file is the one in int8.

    Raises:
        GraphError: if it differs.
        KeyError: if a field is missing.
    """
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise GraphError("is no ONNX model that this ONNX Runtime reads") from None
    graph = model.graph
    targets = len(target_names(fields.get("id2label")))
    if [(entry.name, _shape(entry)[1:]) for entry in graph.output] != [("logits", [targets])]:
        raise GraphError("gives no expression of the targets in config.json; give a model trained on expression")
    if [(entry.name, entry.type.tensor_type.elem_type) for entry in graph.input] != _INPUTS:
        raise GraphError("takes other inputs than input_ids and attention_mask, so it gives no expression")
    opsets = {opset.domain: opset.version for opset in model.opset_import}
    if opsets != OPSETS or model.functions or graph.sparse_initializer:
        raise GraphError("has operators of its own, or of another version")
    if 2 * len(content) < _numbers(fields):
        raise GraphError("is far smaller than config.json says")
    found = _comparable(graph.node, {tensor.name: _described(tensor) for tensor in graph.initializer})
    expected = _outline(fields, int8)
    for name in expected | found:
        if found.get(name) != expected.get(name):
            raise GraphError(f"is not the graph that this version exports for config.json, at {name!r:.80}")


def _shape(entry: onnx.ValueInfoProto) -> list[int | str]:
    return [size.dim_value or size.dim_param for size in entry.type.tensor_type.shape.dim]


def _described(tensor: TensorProto) -> tuple:
    """Return a weight's shape, and the values of integers, because those decide shapes."""
    numbers = math.prod(tensor.dims)
    held = len(tensor.raw_data) // _SIZES.get(tensor.data_type, 1) if tensor.raw_data else None
    if held is None:
        held = sum(map(len, (tensor.float_data, tensor.int32_data, tensor.int64_data)))
    if tensor.data_type not in _SIZES or tensor.data_location == TensorProto.EXTERNAL or held != numbers:
        raise GraphError(f"has a weight {tensor.name!r:.80} of another type, in another file, or cut off")
    is_whole = tensor.data_type == TensorProto.INT64
    return tuple(tensor.dims), numpy_helper.to_array(tensor).tolist() if is_whole else None


def _comparable(nodes: Iterable[NodeProto], weights: dict[str, tuple]) -> dict[str, tuple]:
    """Return the nodes by their outputs, with weights replaced by their descriptions.

    Pairs of QuantizeLinear and DequantizeLinear are left out: quantisation by ONNX Runtime puts them around a
    convolution's inputs, and they change no shape.
    """
    nodes = list(nodes)
    made = {name: node for node in nodes for name in node.output}
    if len(made) != sum(len(node.output) for node in nodes) or not made.keys().isdisjoint(weights):
        raise GraphError("has two tensors of one name")
    same: dict[str, str] = {}
    for node in nodes:
        if node.op_type == "DequantizeLinear" and all(name in weights for name in node.input[1:]):
            before = made.get(node.input[0])
            is_pair = before is not None and before.op_type == "QuantizeLinear" and before.input[1:] == node.input[1:]
            if is_pair or node.input[0] in weights:
                same[node.output[0]] = before.input[0] if is_pair else node.input[0]

    def resolved(name: str) -> tuple | str:
        name = same.get(name, name)
        return weights.get(name, name)

    kept = [node for node in nodes if node.output[0] not in same]
    uses = Counter(name for node in kept for name in node.input)
    return {
        node.output[0]: (
            (node.domain, node.op_type, tuple(node.output)),
            tuple(resolved(name) for name in node.input),
            sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute),
        )
        for node in kept
        if node.op_type != "QuantizeLinear" or uses[node.output[0]]
    }


# --- what is expected -------------------------------------------------------------------------------------------


class _Outline:
    """Mixed into a graph's writer, keeps the shapes of weights only; the weights are views of a single zero."""

    @staticmethod
    def read_state(model: SimpleNamespace) -> dict[str, np.ndarray]:
        return {name: np.broadcast_to(np.float32(0), shape) for name, shape in model.shapes.items()}

    def weight(self, name: str, array: np.ndarray) -> str:
        array = np.asarray(array)
        self.weights[name] = array.shape, array.tolist() if array.dtype == np.int64 else None
        return name


class _BertOutline(_Outline, BertGraph):
    pass


class _ConvOutline(_Outline, ConvGraph):
    pass


class _AnyRange(dict):
    def __missing__(self, name: str) -> tuple[float, float]:
        return 0.0, 1.0


def _outline(fields: dict[str, Any], int8: bool) -> dict[str, tuple]:
    """Return the comparable form of the graph that `export` writes."""
    model = SimpleNamespace(config=SimpleNamespace(**{"layer_norm_eps": 1e-12} | fields), shapes=_shapes(fields))
    if _is_conv(fields):
        writer = _ConvOutline(model)
    elif fields["hidden_size"] % fields["num_attention_heads"]:
        raise GraphError("has a config.json whose hidden_size is no multiple of num_attention_heads")
    else:
        writer = _BertOutline(model, _AnyRange() if int8 else None)
    return _comparable(writer.nodes, writer.weights)


def _numbers(fields: dict[str, Any]) -> int:
    return sum(map(math.prod, _shapes(fields).values()))


def _is_conv(fields: dict[str, Any]) -> bool:
    return fields["model_type"] == "dream_conv"


def _shapes(fields: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a regression model's weights, by name."""
    width, targets = fields["hidden_size"], len(target_names(fields.get("id2label")))
    shapes = {"classifier.weight": (targets, width), "classifier.bias": (targets,)}
    if _is_conv(fields):
        convolutions = {"scan": (width, 4, fields["motif_size"])}
        for number, _ in enumerate(fields["dilations"]):
            convolutions[f"layers.{number}"] = (width, width, fields["kernel_size"])
        for name, shape in convolutions.items():
            shapes[f"{name}.0.weight"] = shape
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{name}.1.{part}"] = (width,)
        sixmers = (5**SIXMER,) if targets == 1 else (targets, 5**SIXMER)
        return shapes | {"sixmers": sixmers, "head.1.weight": (width, 2 * width), "head.1.bias": (width,)}
    inner, embeddings = fields["intermediate_size"], "bert.embeddings"
    shapes |= {
        f"{embeddings}.word_embeddings.weight": (130, width),
        f"{embeddings}.position_embeddings.weight": (fields["max_position_embeddings"], width),
        f"{embeddings}.token_type_embeddings.weight": (fields.get("type_vocab_size", 2), width),
    }
    linears = {"bert.pooler.dense": (width, width)}
    norms = [embeddings]
    for number in range(fields["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{number}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linears[f"{layer}.attention.{part}"] = (width, width)
        linears |= {f"{layer}.intermediate.dense": (inner, width), f"{layer}.output.dense": (width, inner)}
        norms += [f"{layer}.attention.output", f"{layer}.output"]
    shapes |= {f"{name}.weight": shape for name, shape in linears.items()}
    shapes |= {f"{name}.bias": shape[:1] for name, shape in linears.items()}
    return shapes | {f"{name}.LayerNorm.{part}": (width,) for name in norms for part in ("weight", "bias")}
