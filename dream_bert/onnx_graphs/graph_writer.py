"""Write a model's ONNX graph node by node."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_RUNTIME = "com.microsoft"
OPSETS, _IR_VERSION = {"": 20, _RUNTIME: 1}, 9


class GraphWriter:
    """Collects the nodes and weights of a graph from `input_ids` and `attention_mask`, int64 (n, length), to `logits`.

    Its methods add nodes and return the name of their output.
    """

    def __init__(self, model: "PreTrainedModel"):
        self.config = model.config
        self.state = self.read_state(model)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    @property
    def outputs(self) -> list[int | str]:
        """Return the shape of `logits`."""
        return ["batch", self.targets]

    @property
    def targets(self) -> int:
        """Return the number of targets of a regression model."""
        return len(self.state["classifier.bias"])

    def build(self, observed: Sequence[str] = ()) -> onnx.ModelProto:
        """Build the ONNX model, with the outputs `logits` and the tensors `observed`."""
        names = ("input_ids", "attention_mask")
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in names]
        outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, self.outputs)]
        outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in observed]
        name = self.config.model_type
        graph = helper.make_graph(self.nodes, name, inputs, outputs, list(self.weights.values()))
        opsets = [helper.make_opsetid(*opset) for opset in OPSETS.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="dream-bert")

    @staticmethod
    def read_state(model: "PreTrainedModel") -> dict[str, np.ndarray]:
        return {name: value.detach().float().cpu().numpy() for name, value in model.state_dict().items()}

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes) -> str:
        """Add a node and return its output's name; an identical earlier node is reused."""
        output = output or f"{operator}_{sum(node.op_type == operator for node in self.nodes)}"
        node = self.make(operator, inputs, [output], **attributes)
        for earlier in self.nodes:
            if (earlier.op_type, earlier.input, earlier.attribute) == (node.op_type, node.input, node.attribute):
                return earlier.output[0]
        self.nodes.append(node)
        return output

    @staticmethod
    def make(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes) -> onnx.NodeProto:
        domain = "" if onnx.defs.has(operator) else _RUNTIME
        return helper.make_node(operator, inputs, outputs, name=outputs[0], domain=domain, **attributes)

    def weight(self, name: str, array: np.ndarray) -> str:
        self.weights[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return name

    def stored(self, name: str) -> str:
        """Store a weight unchanged, and return its name."""
        return self.weight(name, self.state[name])

    def wide(self, name: str) -> np.ndarray:
        """Return a weight in float64, for computations at export."""
        return self.state[name].astype(np.float64)

    def reshape(self, inputs: str, *shape: int) -> str:
        return self.node("Reshape", inputs, self.weight(f"shape_{'_'.join(map(str, shape))}", np.array(shape)))

    def transpose(self, inputs: str, *axes: int) -> str:
        return self.node("Transpose", inputs, perm=axes)
