"""Export a model to ONNX, in float32 and in int8, for ONNX Runtime on a machine or in a browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from transformers import PreTrainedModel

from ..data.simulate import simulate
from ..errors import ModelError
from ..inference.loading import load_complete, regression_class
from ..inference.model_files import ONNX_FILES, model_name
from ..io.output import new_folder
from ..models.configuration_dna import DnaConfig
from ..models.modeling_dream_bert import DreamBertForMaskedLM
from ..models.modeling_dream_conv import DreamConvForSequenceRegression
from ..onnx_graphs.bert_graph import BertGraph
from ..onnx_graphs.conv_graph import ConvGraph
from ..sequence.construct import to_insert
from ..sequence.encoding import CLS, MASK, PAD, SEP, encode, longest_insert
from .checkpoint import complete_checkpoint

_CALIBRATION_ROWS = 128
_MASKED = 0.15


def export_onnx(model: PreTrainedModel, folder: Path) -> None:
    """Write `folder/onnx/model.onnx`, float32, and `folder/onnx/model_int8.onnx`.

    Inputs are `input_ids` and `attention_mask`, int64 (n, length), one reading frame of a sequence a row; the output
    is `logits`, float32: expression, (n, 1), or of the 130 tokens, (n, length, 130). In int8, the products of a BERT's
    layers, and the convolutions but those of bases, take their inputs on fixed ranges, those of simulated promoters,
    so that a row's numbers do not depend on the other rows; all else is float32.

    Args:
        model: of a class of this package.
        folder: that exists.

    Raises:
        ModelError: if a BERT's activation is not the exact GELU.
    """
    is_conv = isinstance(model, DreamConvForSequenceRegression)
    if not is_conv and model.config.hidden_act != "gelu":
        raise ModelError(f"hidden_act is {model.config.hidden_act!r}; only a model with 'gelu' can be exported")
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    inputs = _calibration_inputs(model)
    if is_conv:
        graph = ConvGraph(model).build()
        onnx.save(graph, folder / ONNX_FILES["onnx"])
        _quantize_convolutions(graph, folder / ONNX_FILES["onnx-int8"], inputs)
        return
    graph = BertGraph(model)
    onnx.save(graph.build(), folder / ONNX_FILES["onnx"])
    names = list(dict.fromkeys(graph.layer_inputs))
    ranges = _ranges(graph.build(observed=names), names, inputs)
    onnx.save(BertGraph(model, ranges).build(), folder / ONNX_FILES["onnx-int8"])


def export_folder(folder: str | Path, model: str | Path | None = None) -> None:
    """Make a folder that is a whole model: configuration, weights, tokenizer, code, and the ONNX files.

    Args:
        folder: to make; it appears when it is whole. An empty folder may stand there.
        model: folder or Hub id of a fine-tuned or pretrained model. Default: the package's own fine-tuned one.

    Raises:
        OSError: if something stands at `folder`, it cannot be made, or there is no such model.
        ModelError: if the model lacks weights or cannot be exported.
    """
    name = model_name(model)
    with new_folder(folder) as build, _full_disk_as_os_error(build):
        is_masked_lm = "MaskedLM" in str(DnaConfig.get_config_dict(name)[0].get("architectures"))
        loaded = load_complete(DreamBertForMaskedLM if is_masked_lm else regression_class(name), name)
        loaded.save_pretrained(build)
        complete_checkpoint(build)
        export_onnx(loaded, build)


@contextmanager
def _full_disk_as_os_error(folder: Path) -> Iterator[None]:
    """Raise an OSError where a library in Rust raises an exception of its own, with the error's number as text."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or not (number := re.search(r"\(os error (\d+)\)|code: (\d+)", str(error))):
            raise
        raise OSError(int(number[1] or number[2]), str(error), str(folder)) from error


def _calibration_inputs(model: PreTrainedModel) -> dict[str, np.ndarray]:
    """Simulated promoters, cut to what the model reads; for a masked LM, some of their tokens are masked."""
    oligos, _, _ = next(simulate(-(-_CALIBRATION_ROWS // model.config.reading_frames)))
    inserts = [to_insert(oligo)[: longest_insert(model.config)] for oligo in oligos]
    inputs = {name: array.reshape(-1, array.shape[-1]) for name, array in encode(inserts, model.config).items()}
    if isinstance(model, DreamBertForMaskedLM):
        ids = inputs["input_ids"]
        masked = np.random.default_rng(0).random(ids.shape) < _MASKED
        ids[masked & ~np.isin(ids, (PAD, CLS, SEP))] = MASK
    return inputs


def _ranges(
    model: onnx.ModelProto, names: list[str], inputs: dict[str, np.ndarray], batch_size: int = 32
) -> dict[str, tuple[float, float]]:
    """The least and the greatest value of each named output, 0 among them."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for start in range(0, len(inputs["input_ids"]), batch_size):
        arrays = session.run(names, {name: array[start : start + batch_size] for name, array in inputs.items()})
        low = np.minimum(low, [array.min() for array in arrays])
        high = np.maximum(high, [array.max() for array in arrays])
    return dict(zip(names, zip(low, high, strict=True), strict=True))


def _quantize_convolutions(graph: onnx.ModelProto, target: Path, inputs: dict[str, np.ndarray]) -> None:
    add_pre_process_metadata(graph)  # it is as small as it gets, and ONNX Runtime need not ask for it
    convolutions = [node for node in graph.graph.node if node.op_type == "Conv"]
    bases = convolutions[0].input[0]
    quantize_static(
        graph,
        target,
        _Once(inputs),
        # Bases are zeros and ones, and what is made of them is soon done.
        nodes_to_quantize=[node.name for node in convolutions if node.input[0] != bases],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


class _Once(CalibrationDataReader):
    """One batch of inputs."""

    def __init__(self, inputs: dict[str, np.ndarray]):
        self._batches = iter([inputs])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)
