"""Change exported graphs as a stranger might, and write them beside their configuration."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dream_bert.inference.model_files import ONNX_FILES


def spoil(folders, tmp_path, name, backend, change):
    """A copy of a folder with a graph that was changed."""
    model = onnx.load(folders / name / ONNX_FILES[backend])
    change(model)
    folder = tmp_path / "spoilt"
    (folder / "onnx").mkdir(parents=True)
    (folder / "config.json").write_bytes((folders / name / "config.json").read_bytes())
    (folder / ONNX_FILES[backend]).write_bytes(model.SerializeToString())
    return folder


def node(model, operator, number=0):
    return [node for node in model.graph.node if node.op_type == operator][number]


def weight(model, name):
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def replace_weight(model, name, array):
    weight(model, name).CopyFrom(numpy_helper.from_array(np.asarray(array), name))


def logits_from(model, nodes, *weights):
    """Put nodes after all others, of which the last gives the output."""
    node(model, model.graph.node[-1].op_type, -1).output[0] = "before"
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(array), name) for name, array in weights)
    model.graph.node.extend(nodes)


def loop(model):
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["go"]), helper.make_node("Add", ["x", "x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    times = ("times", np.int64(2**61))
    logits_from(model, [helper.make_node("Loop", ["times", "", "before"], ["logits"], body=body)], times)


def large(model):
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["ones"]),
        helper.make_node("ReduceSum", ["ones"], ["sum"]),
        helper.make_node("Add", ["before", "sum"], ["logits"]),
    ]
    logits_from(model, nodes, ("size", np.array([2**33])))


def broadcast(model):
    """Two small weights whose sum is large."""
    nodes = [
        helper.make_node("Add", ["row", "column"], ["square"]),
        helper.make_node("ReduceSum", ["square"], ["sum"]),
        helper.make_node("Add", ["before", "sum"], ["logits"]),
    ]
    side = np.zeros(2**17, dtype=np.float32)
    logits_from(model, nodes, ("row", side[None]), ("column", side[:, None]))


def swelling(model):
    """Large by the shape of a weight of the graph alone."""
    name = node(model, "Add", -1).input[1]
    name = name if name in {tensor.name for tensor in model.graph.initializer} else "classifier.bias"
    replace_weight(model, name, np.zeros((2**15, 1), dtype=np.float32))


def claimed(model):
    tensor = weight(model, "classifier.bias")
    tensor.dims[:] = [2**40]


def external(model):
    tensor = weight(model, "classifier.bias")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "/etc/hostname"), ("offset", "0"), ("length", "4")):
        tensor.external_data.add(key=key, value=value)


def function(model):
    body = [helper.make_node("Identity", ["x"], ["y"])]
    model.functions.append(helper.make_function("own", "F", ["x"], ["y"], body, model.opset_import))
    model.opset_import.append(helper.make_opsetid("own", 1))
    logits_from(model, [helper.make_node("F", ["before"], ["logits"], domain="own")])


def domain(model):
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))


def another_operator(model):
    node(model, "Sigmoid" if any(n.op_type == "Sigmoid" for n in model.graph.node) else "Tanh").op_type = "Exp"


def another_attribute(model):
    attribute = node(model, "Transpose").attribute[0]
    attribute.ints[:] = list(attribute.ints)[::-1]


def another_integer(model):
    name = next(tensor.name for tensor in model.graph.initializer if tensor.data_type == TensorProto.INT64)
    replace_weight(model, name, numpy_helper.to_array(weight(model, name)) + 2**40)


def another_input(model):
    first = node(model, "Add", -1)
    first.input[0] = first.input[1]


def twice(model):
    model.graph.node.append(model.graph.node[0])


def in_circles(model):
    last = node(model, "Gemm", -1).output[0]
    model.graph.node.extend(
        helper.make_node(kind, [source, "q.scale"], [target])
        for kind, source, target in [("QuantizeLinear", "d", "q"), ("DequantizeLinear", "q", "d")]
    )
    model.graph.initializer.append(numpy_helper.from_array(np.float32(1), "q.scale"))
    for user in model.graph.node:
        user.input[:] = ["d" if name == last else name for name in user.input]


def masked(model):
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 130


def renamed(model):
    model.graph.input[0].name = "tokens"


def unasked(model):
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.INT64, ["n"]))


STRANGE = [loop, large, broadcast, swelling, claimed, external, function, domain, another_operator, another_attribute]
STRANGE += [another_integer, another_input, twice, in_circles, masked, renamed, unasked]
