"""Export a model to ONNX, in float32 and in int8, for ONNX Runtime on a machine or in a browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from transformers import PreTrainedModel

from ..errors import ModelError
from ..inference.loading import load_complete, regression_class
from ..inference.model_files import ONNX_FILES, model_name
from ..io.output import new_folder
from ..models.configuration_dna import DnaConfig
from ..models.modeling_dream_bert import DreamBertForMaskedLM
from ..models.modeling_dream_conv import DreamConvForSequenceRegression
from ..onnx_graphs.bert_graph import BertGraph
from ..onnx_graphs.conv_graph import ConvGraph
from .checkpoint import complete_checkpoint
from .quantize import activation_ranges, calibration_inputs, quantize_convolutions


def export_onnx(model: PreTrainedModel, folder: Path) -> None:
    """Write `folder/onnx/model.onnx`, float32, and `folder/onnx/model_int8.onnx`.

    Inputs are `input_ids` and `attention_mask`, int64 (n, length), one reading frame of a sequence in each row. The
    output is `logits`, float32: expression, (n, targets), or the logits of the 130 tokens, (n, length, 130). In int8
    are the matrix products of a BERT's layers, and all convolutions but those of bases; their inputs are quantised on
    fixed ranges, taken from simulated promoters, so that a row's numbers do not depend on the other rows.

    Args:
        model: of a class of this package.
        folder: an existing folder.

    Raises:
        ModelError: if a BERT's activation is not the exact GELU.
    """
    is_conv = isinstance(model, DreamConvForSequenceRegression)
    if not is_conv and model.config.hidden_act != "gelu":
        raise ModelError(f"hidden_act is {model.config.hidden_act!r}; export a model with 'gelu'")
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    inputs = calibration_inputs(model)
    if is_conv:
        graph = ConvGraph(model).build()
        onnx.save(graph, folder / ONNX_FILES["onnx"])
        quantize_convolutions(graph, folder / ONNX_FILES["onnx-int8"], inputs)
        return
    graph = BertGraph(model)
    onnx.save(graph.build(), folder / ONNX_FILES["onnx"])
    names = list(dict.fromkeys(graph.layer_inputs))
    ranges = activation_ranges(graph.build(observed=names), names, inputs)
    onnx.save(BertGraph(model, ranges).build(), folder / ONNX_FILES["onnx-int8"])


def export_folder(folder: str | Path, model: str | Path | None = None) -> None:
    """Write a folder with all files of a model: configuration, weights, tokenizer, code, and the ONNX files.

    Args:
        folder: the folder to create; it appears when it is complete. An empty folder may exist there.
        model: folder, Hub id or shipped name of a fine-tuned or pretrained model. Default: the package's fine-tuned
            BERT.

    Raises:
        OSError: if `folder` exists and is not empty, if it cannot be written, or if there is no such model.
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
    """Raise an OSError instead of the exceptions of libraries in Rust, which have the error's number in their text."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or not (number := re.search(r"\(os error (\d+)\)|code: (\d+)", str(error))):
            raise
        raise OSError(int(number[1] or number[2]), str(error), str(folder)) from error
