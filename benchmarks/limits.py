"""Count the operations of a prediction, and measure how fast the machine multiplies matrices."""

import time

import numpy as np
import onnxruntime
import torch
from measuring import in_turns, spread
from onnx import TensorProto, helper, numpy_helper

TOKENS = 80
"""Of an insert of 80 bp: 78 3-mers, `[CLS]` and `[SEP]`."""


def operations(config) -> dict[str, int]:
    """Count the least floating-point operations of a prediction of 80 tokens: those of matrix products.

    `stock` computes everything. `one_row` computes all keys and values of the last layer, and one row of the rest.
    `absorbed` also omits keys and values of the last layer. `tables` also omits projections of the first layer; this
    package does that.
    """
    n, width, inner, heads = TOKENS, config.hidden_size, config.intermediate_size, config.num_attention_heads
    projections = 2 * n * width * 3 * width
    row = 2 * 2 * n * width + 2 * width * width + 2 * 2 * width * inner  # attention, output, feed-forward
    layer, others = projections + n * row, config.num_hidden_layers - 1
    absorbed = others * layer + 3 * 2 * width * width + 2 * 2 * n * width * heads + row - 2 * 2 * n * width
    return {
        "stock": (others + 1) * layer,
        "one_row": others * layer + projections * 2 // 3 + 2 * width * width + row,
        "absorbed": absorbed,
        "tables": absorbed - projections,
    }


def product_rates(repeats: int) -> dict[str, dict[str, float]]:
    """Measure matrix products (5120 x 256 x 1024) in torch and ONNX Runtime, in 1e9 operations per second."""
    rows, inner, columns = 64 * TOKENS, 256, 1024
    draw = np.random.default_rng(0)
    left, right = (draw.standard_normal(shape, dtype=np.float32) for shape in ((rows, inner), (inner, columns)))
    tensors = torch.from_numpy(left), torch.from_numpy(right)
    float32 = _session("MatMul", {"a": left}, [right])
    integers = (draw.integers(0, 255, left.shape, dtype=np.uint8), draw.integers(-64, 64, right.shape, dtype=np.int8))
    int8 = _session("MatMulInteger", {"a": integers[0]}, [integers[1]])
    products = {
        "torch.mm, float32": lambda: torch.mm(*tensors),
        "ONNX Runtime MatMul, float32": float32,
        "ONNX Runtime MatMulInteger, 8 bits": int8,
    }
    rates = {}
    for name, product in products.items():  # not in turns: ONNX Runtime's threads wait busily for their next call
        time.sleep(0.1)
        seconds = in_turns({name: product}, 20 * repeats, warm_up=10)[name]
        rates[name] = spread([2 * rows * inner * columns / s / 1e9 for s in seconds])
    return rates


def _session(operator: str, inputs: dict[str, np.ndarray], weights: list[np.ndarray]):
    """Return a function that runs one operator in ONNX Runtime."""
    names = [*inputs, *(f"weight_{i}" for i in range(len(weights)))]
    described = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in inputs.items()
    ]
    is_integer = operator.endswith("Integer")
    output = helper.make_tensor_value_info("y", TensorProto.INT32 if is_integer else TensorProto.FLOAT, None)
    stored = [numpy_helper.from_array(array, f"weight_{i}") for i, array in enumerate(weights)]
    graph = helper.make_graph([helper.make_node(operator, names, ["y"])], "product", described, [output], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)
