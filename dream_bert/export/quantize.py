"""Find the ranges that activations take, and quantise models to int8 on them."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from transformers import PreTrainedModel

from ..data.simulate import simulate
from ..models.modeling_dream_bert import DreamBertForMaskedLM
from ..sequence.construct import to_insert
from ..sequence.encoding import CLS, MASK, PAD, SEP, encode, longest_insert

CALIBRATION_ROWS = 128
"""Simulated promoters whose activations give the ranges."""

_MASKED = 0.15
_BATCH_SIZE = 32


def calibration_inputs(model: PreTrainedModel) -> dict[str, np.ndarray]:
    """Simulate promoters, cropped to what the model reads; for a masked LM, 15 % of their tokens are masked."""
    oligos, _, _ = next(simulate(-(-CALIBRATION_ROWS // model.config.reading_frames)))
    inserts = [to_insert(oligo)[: longest_insert(model.config)] for oligo in oligos]
    inputs = {name: array.reshape(-1, array.shape[-1]) for name, array in encode(inserts, model.config).items()}
    if isinstance(model, DreamBertForMaskedLM):
        ids = inputs["input_ids"]
        masked = np.random.default_rng(0).random(ids.shape) < _MASKED
        ids[masked & ~np.isin(ids, (PAD, CLS, SEP))] = MASK
    return inputs


def activation_ranges(
    model: onnx.ModelProto, names: list[str], inputs: dict[str, np.ndarray]
) -> dict[str, tuple[float, float]]:
    """Return the minimum, at most 0, and the maximum, at least 0, of each named output."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for start in range(0, len(inputs["input_ids"]), _BATCH_SIZE):
        arrays = session.run(names, {name: array[start : start + _BATCH_SIZE] for name, array in inputs.items()})
        low = np.minimum(low, [array.min() for array in arrays])
        high = np.maximum(high, [array.max() for array in arrays])
    return dict(zip(names, zip(low, high, strict=True), strict=True))


def quantize_convolutions(graph: onnx.ModelProto, target: Path, inputs: dict[str, np.ndarray]) -> None:
    """Write a graph with its convolutions in int8, on the ranges that their inputs take."""
    add_pre_process_metadata(graph)  # so that ONNX Runtime does not warn that the graph should be simplified first
    convolutions = [node for node in graph.graph.node if node.op_type == "Conv"]
    bases = convolutions[0].input[0]
    quantize_static(
        graph,
        target,
        _OneBatch(inputs),
        # Convolutions of bases stay in float32: their inputs are zeros and ones, and they take little time.
        nodes_to_quantize=[node.name for node in convolutions if node.input[0] != bases],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


class _OneBatch(CalibrationDataReader):
    """Gives one batch of inputs to ONNX Runtime's calibration."""

    def __init__(self, inputs: dict[str, np.ndarray]):
        self._batches = iter([inputs])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)
