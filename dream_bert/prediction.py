"""Predict the expression of promoters, in a list or in a file of any length."""

import errno
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from tqdm import tqdm

from .construct import check_insert, quoted
from .encoding import encode, longest_insert
from .formats import FORMATS, WRITERS, OutputError, format_of, write_parquet
from .reading import read_records
from .records import Record
from .writing import open_output, text_stream

if TYPE_CHECKING:
    from .loading import RegressionModel

CHECKPOINTS = Path(__file__).parent / "checkpoints"
"""The models that come with the package, each in a folder of its name."""

DEFAULT_MODEL = CHECKPOINTS / "dream-promoter-bert"

BACKENDS = ("torch", "onnx", "onnx-int8")
BATCH_SIZE = 64
"""A batch whose hidden states stay in a processor's cache is the fastest there."""

ACCELERATOR_BATCH_SIZE = 256
"""From which on an H200 hardly gets faster; smaller accelerators have the memory for it, too."""

CHUNK = 8192
"""Records held in memory at a time; a batch takes those of one length, so that nothing is padded."""


class ModelError(ValueError):
    """A model that cannot predict expression."""


def predict(
    sequences: Iterable[str],
    model: "RegressionModel | str | Path | None" = None,
    batch_size: int | None = None,
    backend: str = "torch",
    interval: float | None = None,
) -> np.ndarray:
    """Predict the expression of sequences.

    Args:
        sequences: n inserts, oligos or sequences of another length that the model has positions for.
        model: a loaded model, used where it stands; or a folder, a Hub id, or the name of a model that comes with the
            package: `dream-promoter-bert`, the default, or `dream-promoter-conv`.
        batch_size: sequences in a forward pass. Default 64, and 256 on an accelerator.
        backend: `torch` (default), or ONNX Runtime on the processor for an exported folder: `onnx`, float32, or
            `onnx-int8`.
        interval: share of promoters, 0.5 to 0.99, whose measurement an interval around the prediction shall cover.
            Default: no intervals.

    Returns:
        float32 (n,), in expression units, in the order of `sequences`; with `interval` (n, 3): the prediction, and the
        lower and upper end.

    Raises:
        SequenceError: if a sequence cannot be scored; the message gives its number, from 0.
        ValueError: if the model was not calibrated for such intervals.
        ModelError: if the model has no regression weights or no file for the backend, or gives a value that is not
            finite.
        OSError: if there is no such model.
    """
    if isinstance(sequences, str):
        raise TypeError("sequences is one string; give a list of strings")
    records = (Record(str(i), sequence, None, "") for i, sequence in enumerate(sequences))
    predictor = load_predictor(model, batch_size, backend, interval)
    return np.concatenate([predictor([]), *(values for _, values in _predict_records(records, predictor))])


def predict_file(
    source: str | Path,
    output: str | Path | None = None,
    model: "RegressionModel | str | Path | None" = None,
    format: str | None = None,
    batch_size: int | None = None,
    backend: str = "torch",
    interval: float | None = None,
) -> int:
    """Predict the expression of every sequence of a file, in its order, in constant memory.

    Args:
        source: any file that `read_records` reads, or `-` for standard input.
        output: a file, gzipped if its name ends in `.gz`; it appears when it is whole. `-` or None: standard output.
        model: as in `predict`.
        format: `tsv` (columns `id`, `expression`), `jsonl`, `parquet` (the same columns), or `submission`, the
            challenge's JSON `{"0": ...}` by row number. Default: what the suffix of `output` says (`.json` is
            `submission`), or `tsv`.
        batch_size, backend: as in `predict`.
        interval: as in `predict`; the ends are columns `lower` and `upper`, which `submission` has no place for.

    Returns:
        How many sequences were predicted.

    Raises:
        SequenceError: if a sequence cannot be scored; the message gives file and line.
        ReadError: if `source` cannot be read as sequences.
        OutputError: if `format` is unknown or cannot be written to `output`.
        ModelError, OSError: as in `predict`; OSError also if a file cannot be opened.
    """
    return write_predictions(source, output, format, partial(load_predictor, model, batch_size, backend, interval))


def write_predictions(
    source: str | Path, output: str | Path | None, format: str | None, load: Callable[[], "Predictor"]
) -> int:
    """`predict_file` by what `load` gives, which is called when the files are open."""
    output = None if output is None or str(output) == "-" else Path(output)
    format = format or format_of(output)
    if format not in FORMATS:
        raise OutputError(f"format {format!r} is unknown; choose from {', '.join(FORMATS)}")
    if format == "parquet" and (output is None or output.suffix == ".gz"):
        raise OutputError("parquet compresses itself and needs a file of its own; name one with -o, without .gz")
    with open_output(output) as file, tqdm(read_records(source), unit=" sequences", disable=None) as records:
        predictor = load()
        if format == "submission" and len(predictor.columns) > 1:
            raise OutputError("a submission holds predictions alone; leave the interval out, or choose another format")
        predictions = _predict_records(records, predictor)
        # The first are there before a header is: a bad sequence among them leaves standard output empty.
        predictions = chain([*islice(predictions, 1)], predictions)
        if format == "parquet":
            return write_parquet(file, predictor.columns, predictions)
        with text_stream(file, zipped=output is not None and output.suffix == ".gz") as text:
            return WRITERS[format](text, predictor.columns, predictions)


class Predictor(Protocol):
    """What predicts inserts of at most `longest` bp, best `chunk` of them at a time, in their order.

    The columns are those of its values: float32 (n,) if there is one, else (n, columns).
    """

    longest: int
    chunk: int
    columns: tuple[str, ...]

    def __call__(self, inserts: list[str]) -> np.ndarray: ...


class _Scorer(Protocol):
    """A loaded model: its configuration, the size of batch that suits it, and expression, float32 (n,), from what
    `encode` gives."""

    config: object
    batch_size: int

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray: ...


def load_model(model: "RegressionModel | str | Path | None" = None) -> "RegressionModel":
    """A model from a folder or Hub id, on the accelerator if there is one; a loaded model as it is.

    Raises:
        ModelError: if the checkpoint lacks weights of a regression model.
        OSError: if there is no such model.
    """
    import torch

    from .loading import load_regression

    if isinstance(model, torch.nn.Module):
        return model
    loaded = load_regression(model_name(model))
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    return loaded.to(device)


def model_name(model: str | Path | None) -> str:
    """A folder that exists, or a Hub id; the package's own models are found by their names.

    Raises:
        FileNotFoundError: if it is neither a folder, nor a shipped model's name, nor of the form OWNER/NAME.
    """
    name = str(DEFAULT_MODEL if model is None else model)
    if Path(name).is_dir():
        return name
    shipped = {folder.name: str(folder) for folder in sorted(CHECKPOINTS.iterdir())}
    if name in shipped:
        return shipped[name]
    parts = name.split("/")
    # OWNER/NAME beside a folder OWNER is a mistyped path, not a repository of the Hub.
    is_path = isinstance(model, Path) or name.startswith((".", "~")) or len(parts) != 2 or Path(parts[0]).is_dir()
    if is_path or not all(parts):
        advice = f"give a folder, a Hub id OWNER/NAME, or one of {', '.join(shipped)}"
        raise FileNotFoundError(errno.ENOENT, f"no such model folder; {advice}", name)
    return name


def _scorer(model: "RegressionModel | str | Path | None", backend: str) -> _Scorer:
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is unknown; choose from {', '.join(BACKENDS)}")
    if backend == "torch":
        return _TorchModel(load_model(model))
    if model is not None and not isinstance(model, str | Path):
        raise ValueError(f"backend {backend!r} takes no loaded model; give the folder or Hub id of an exported one")
    from .onnx_model import OnnxModel

    return OnnxModel(model_name(model), backend)


class _TorchModel:
    def __init__(self, model: "RegressionModel"):
        self.config, self._model = model.config, model
        self.batch_size = BATCH_SIZE if model.device.type == "cpu" else ACCELERATOR_BATCH_SIZE

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        import torch

        model, was_training = self._model, self._model.training
        model.eval()
        try:
            # A GPU's convolutions else round to 10 bits (TF32): by 1e-3, and as the batch's size has it.
            with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                tensors = {name: torch.from_numpy(array).to(model.device) for name, array in inputs.items()}
                return model(**tensors).logits[:, 0].float().cpu().numpy()
        finally:
            model.train(was_training)


def load_predictor(
    model: "RegressionModel | str | Path | None",
    batch_size: int | None = None,
    backend: str = "torch",
    interval: float | None = None,
) -> Predictor:
    """A model that predicts in this process; arguments and errors as in `predict`."""
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch size is {batch_size}; give at least 1")
    scorer = _scorer(model, backend)
    if batch_size is None:
        batch_size = scorer.batch_size
    if interval is None:
        return _LocalPredictor(scorer, batch_size)
    from .intervals import half_width

    return _IntervalPredictor(scorer, batch_size, half_width(scorer.config.calibration, interval))


class _LocalPredictor:
    """Predicts equal inserts once, in batches of one length."""

    columns: tuple[str, ...] = ("expression",)

    def __init__(self, scorer: _Scorer, batch_size: int):
        self.longest, self.chunk = longest_insert(scorer.config), CHUNK
        self._scorer, self._batch_size = scorer, batch_size

    def __call__(self, inserts: list[str]) -> np.ndarray:
        number = {insert: i for i, insert in enumerate(dict.fromkeys(inserts))}
        unique = list(number)
        lengths = np.array([len(insert) for insert in unique], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")
        values = np.empty(len(unique), dtype=np.float32)
        for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
            for start in range(0, len(group), self._batch_size):
                batch = group[start : start + self._batch_size]
                values[batch] = self._scorer(encode([unique[i] for i in batch], self._scorer.config))
        return values[np.array([number[insert] for insert in inserts], dtype=np.int64)]


class _IntervalPredictor(_LocalPredictor):
    """Predicts, and says how far the measurement may be."""

    columns = ("expression", "lower", "upper")

    def __init__(self, scorer: _Scorer, batch_size: int, half_width: Callable[[np.ndarray], np.ndarray]):
        super().__init__(scorer, batch_size)
        self._half_width = half_width

    def __call__(self, inserts: list[str]) -> np.ndarray:
        values = super().__call__(inserts)
        half = self._half_width(values)
        return np.stack([values, values - half, values + half], axis=1)


def _predict_records(records: Iterable[Record], predict: Predictor) -> Iterator[tuple[list[str], np.ndarray]]:
    """Ids and predictions, float32, of one chunk of records after the other."""
    records = iter(records)
    while True:
        chunk, inserts = [], []
        for record in islice(records, predict.chunk):
            # Checked as they come: sequences far too long are not gathered.
            inserts.append(check_insert(record.sequence, record.id, record.where, predict.longest))
            chunk.append(record._replace(sequence=""))
        if not chunk:
            return
        values = predict(inserts)
        if not (finite := np.isfinite(values).reshape(len(values), -1).all(1)).all():
            bad = chunk[int(finite.argmin())]
            where = f"{bad.where or 'input'}: record {quoted(bad.id)}"
            raise ModelError(f"{where}: the model gives no finite number; check it")
        yield [record.id for record in chunk], values
