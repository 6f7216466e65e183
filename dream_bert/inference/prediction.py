"""Predict the expression of promoters."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError
from ..io.records import Record
from ..io.streams import shown
from ..models.target_fields import EXPRESSION, target_names
from ..sequence.construct import place_of
from .local_predictor import IntervalPredictor, LocalPredictor
from .model_files import model_name
from .notes import InsertReader
from .predictor import BATCH_SIZE, Predictor, Scorer, first_not_finite

if TYPE_CHECKING:
    from .loading import RegressionModel


BACKENDS = ("torch", "torch-bfloat16", "onnx", "onnx-int8")

ACCELERATOR_BATCH_SIZE = 256
"""Sequences in a forward pass on an accelerator; more hardly speed up an H200, and smaller GPUs have room for them."""

CHUNK = 8192
"""Records held in memory at a time; batches are formed of those of one length, so that nothing is padded."""

CHUNK_TEXT = 1 << 25
"""Characters of ids, inserts and other columns held in memory at a time; a chunk with more has fewer records."""


def predict(
    sequences: Iterable[str],
    model: "RegressionModel | str | Path | None" = None,
    batch_size: int | None = None,
    backend: str = "torch",
    interval: float | None = None,
    *,
    orient: bool = False,
) -> np.ndarray:
    """Predict the expression of sequences.

    Doubtful sequences are counted in one `InputWarning` of each kind: those unlike the training data (length, share of
    N), and those that look like an oligo on the other strand, with changed constants, or with bases around them.

    Args:
        sequences: n inserts, oligos or sequences of another length that the model has positions for.
        model: a loaded model, used on its device; or a folder, a Hub id, or the name of a model that comes with the
            package: `dream-promoter-bert` (default) or `dream-promoter-conv`.
        batch_size: sequences in a forward pass. Default: 64, and 256 on an accelerator.
        backend: `torch` (default); `torch-bfloat16`, with errors of up to 0.15, on GPUs and processors that multiply
            bfloat16; or ONNX Runtime on the CPU for an exported folder: `onnx` (float32) or `onnx-int8`.
        interval: share of promoters, 0.5 to 0.99, whose measurement an interval around the prediction should cover.
            Default: None, no intervals.
        orient: read such oligos as oligos: remove their constants, and take the strand that they are on. Default:
            False, which removes exact constants at both ends only.

    Returns:
        float32 (n,), in expression units, in the order of `sequences`; with `interval` (n, 3): prediction, lower end
        and upper end. Of a model of several targets (n, targets), with `interval` (n, targets, 3).

    Raises:
        SequenceError: if a sequence cannot be scored; the message gives its number, from 0.
        ValueError: if the model is not calibrated for such intervals.
        ModelError: if the model has no regression weights or no file for the backend, or predicts a value that is not
            finite.
        OSError: if there is no such model.
    """
    if isinstance(sequences, str):
        raise TypeError("sequences is one string; give a list of strings")
    predictor = load_predictor(model, batch_size, backend, interval, every_target=True)
    read_insert = InsertReader(predictor.longest, predictor.insert_lengths, orient)
    records = (Record(str(i), sequence, None, "") for i, sequence in enumerate(sequences))
    parts = predict_records(((record, read_insert(record)) for record in records), predictor)
    values = np.concatenate([predictor([]), *(values for _, _, values in parts)])
    read_insert.warn()
    if interval is not None and len(predictor.columns) > 3:
        return values.reshape(len(values), len(predictor.columns) // 3, 3)
    return values


def _scorer(model: "RegressionModel | str | Path | None", backend: str) -> Scorer:
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is unknown; choose from {', '.join(BACKENDS)}")
    if not isinstance(model, str | Path | None):
        if backend == "torch":
            return _TorchModel(model)
        raise ValueError(f"backend {backend!r} takes no loaded model; give its folder or Hub id")
    name = model_name(model)
    if backend in ("onnx", "onnx-int8"):
        from .onnx_backend import OnnxModel

        return OnnxModel(name, backend)
    import torch

    from .plain_models import load_plain

    dtype = torch.bfloat16 if backend == "torch-bfloat16" else torch.float32
    if (plain := load_plain(name, dtype)) is not None:
        return plain
    from .bfloat16 import to_bfloat16
    from .loading import load_model

    loaded = load_model(name)
    return _TorchModel(to_bfloat16(loaded) if dtype == torch.bfloat16 else loaded)


class _TorchModel:
    def __init__(self, model: "RegressionModel"):
        self.config, self._model = model.config, model
        self.batch_size = BATCH_SIZE if model.device.type == "cpu" else ACCELERATOR_BATCH_SIZE

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        import torch

        model, was_training = self._model, self._model.training
        model.eval()
        try:
            # Without this, a GPU's convolutions round to 10 bits (TF32), with errors of 1e-3 that vary with the batch.
            with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                tensors = {name: torch.from_numpy(array).to(model.device) for name, array in inputs.items()}
                return model(**tensors).logits.float().cpu().numpy()
        finally:
            model.train(was_training)


def load_predictor(
    model: "RegressionModel | Predictor | str | Path | None" = None,
    batch_size: int | None = None,
    backend: str = "torch",
    interval: float | None = None,
    *,
    target: str | None = None,
    every_target: bool = False,
) -> Predictor:
    """Load a model that predicts inserts, or return a `Predictor` unchanged.

    Args:
        model, batch_size, backend, interval: as in `predict`.
        target: predict this one of a model's several targets alone. Default: None.
        every_target: predict all targets of a model. Default: False, which refuses a model of several if `target`
            names none.

    Raises:
        ModelError: as in `predict`, or if the model has no such target, or several.
        ValueError, OSError: as in `predict`.
    """
    if isinstance(model, Predictor):
        return model
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch size is {batch_size}; give at least 1")
    scorer = _scorer(model, backend)
    names = target_names(getattr(scorer.config, "id2label", None))
    outputs = _outputs(names, target, every_target)
    if batch_size is None:
        batch_size = scorer.batch_size
    columns = [EXPRESSION] if len(outputs) == 1 else names
    if interval is None:
        return LocalPredictor(scorer, batch_size, CHUNK, outputs, columns)
    from .intervals import half_width

    calibration = scorer.config.calibration
    calibrations = calibration if isinstance(calibration, list) else [calibration] * len(names)
    half_widths = [half_width(calibrations[output], interval) for output in outputs]
    return IntervalPredictor(scorer, batch_size, CHUNK, outputs, columns, half_widths)


def _outputs(names: list[str], target: str | None, every_target: bool) -> list[int]:
    """Return the numbers of the outputs to predict."""
    listed = shown(", ".join(names), longest=200)
    if target is not None:
        if target not in names:
            raise ModelError(f"the model has no target {target!r:.80}; choose one of {listed}")
        return [names.index(target)]
    if len(names) > 1 and not every_target:
        advice = "choose one with --target-name, in Python with load_predictor(..., target=NAME)"
        raise ModelError(f"the model predicts {len(names)} numbers, {listed}; {advice}")
    return [*range(len(names))]


def predict_records(
    read: Iterable[tuple[Record, tuple[str, str]]], predict: Predictor
) -> Iterator[tuple[list[Record], list[str], np.ndarray]]:
    """Predict records, one chunk after the other.

    Args:
        read: records, each with the insert and the note that `InsertReader` returns.
        predict: the model.

    Yields:
        For each chunk the records without their sequences, their notes, and their predictions, float32.

    Raises:
        ModelError: if the model predicts a value that is not finite.
    """
    read = iter(read)
    while chunk := _take_chunk(read, predict.chunk):
        records, inserts, notes = map(list, zip(*chunk, strict=True))
        values = predict(inserts)
        if (row := first_not_finite(values)) is not None:
            where = place_of(records[row].id, records[row].where or "input")
            raise ModelError(f"{where}: the model predicts no finite number; check its weights")
        yield records, notes, values


def _take_chunk(read: Iterator[tuple[Record, tuple[str, str]]], most: int) -> list[tuple[Record, str, str]]:
    chunk, size = [], 0
    for record, (insert, note) in read:
        chunk.append((record._replace(sequence=""), insert, note))
        size += len(record.id) + len(insert) + sum(map(len, (record.others or {}).values()))
        if len(chunk) == most or size >= CHUNK_TEXT:
            break
    return chunk
