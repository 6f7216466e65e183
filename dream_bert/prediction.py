"""Predict the expression of promoters, in a list or in a file of any length."""

import csv
import errno
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import torch
from tqdm import tqdm

from .construct import check_insert
from .encoding import encode, longest_insert
from .modeling_dream_bert import BertForSequenceRegression
from .reading import Record, read_records
from .writing import open_output, text_stream

DEFAULT_MODEL = Path(__file__).parent / "checkpoints" / "dream-promoter-bert"
"""The checkpoint that comes with the package."""

BATCH_SIZE = 256
CHUNK = 8192
"""Records held in memory at a time; sorted by length, they fill batches with little padding."""

FORMATS = ("tsv", "jsonl", "parquet", "submission")
_SUFFIX_FORMATS = {"": "tsv", ".tsv": "tsv", ".txt": "tsv", ".jsonl": "jsonl", ".parquet": "parquet"}
_SUFFIX_FORMATS[".json"] = "submission"


class ModelError(ValueError):
    """A model that cannot predict expression."""


class OutputError(ValueError):
    """An output format that cannot be written where it is asked for."""


def predict(
    sequences: Iterable[str],
    model: BertForSequenceRegression | str | Path | None = None,
    batch_size: int = BATCH_SIZE,
) -> np.ndarray:
    """Predict the expression of sequences.

    Args:
        sequences: n inserts, oligos or sequences of another length that the model has positions for.
        model: a loaded model, used where it stands; or a folder or Hub id. Default: the package's own checkpoint.
        batch_size: sequences in a forward pass. Default 256.

    Returns:
        float32 (n,), in expression units, in the order of `sequences`.

    Raises:
        SequenceError: if a sequence cannot be scored; the message gives its number, from 0.
        ModelError: if the model has no regression weights, or gives a value that is not finite.
        OSError: if there is no such model.
    """
    if isinstance(sequences, str):
        raise TypeError("sequences is one string; give a list of strings")
    records = (Record(str(i), sequence, None, "") for i, sequence in enumerate(sequences))
    parts = [values for _, values in _predict_records(records, load_model(model), batch_size)]
    return np.concatenate([np.empty(0, dtype=np.float32), *parts])


def predict_file(
    source: str | Path,
    output: str | Path | None = None,
    model: BertForSequenceRegression | str | Path | None = None,
    format: str | None = None,
    batch_size: int = BATCH_SIZE,
) -> int:
    """Predict the expression of every sequence of a file, in its order, in constant memory.

    Args:
        source: any file that `read_records` reads, or `-` for standard input.
        output: a file, gzipped if its name ends in `.gz`; it appears when it is whole. `-` or None: standard output.
        model: as in `predict`.
        format: `tsv` (columns `id`, `expression`), `jsonl`, `parquet` (the same columns), or `submission`, the
            challenge's JSON `{"0": ...}` by row number. Default: what the suffix of `output` says (`.json` is
            `submission`), or `tsv`.
        batch_size: sequences in a forward pass. Default 256.

    Returns:
        How many sequences were predicted.

    Raises:
        SequenceError: if a sequence cannot be scored; the message gives file and line.
        ReadError: if `source` cannot be read as sequences.
        OutputError: if `format` is unknown or cannot be written to `output`.
        ModelError, OSError: as in `predict`; OSError also if a file cannot be opened.
    """
    output = None if output is None or str(output) == "-" else Path(output)
    format = format or _format_of(output)
    if format not in FORMATS:
        raise OutputError(f"format {format!r} is unknown; choose from {', '.join(FORMATS)}")
    if format == "parquet" and (output is None or output.suffix == ".gz"):
        raise OutputError("parquet compresses itself and needs a file of its own; name one with -o, without .gz")
    with open_output(output) as file, tqdm(read_records(source), unit=" sequences", disable=None) as records:
        predictions = _predict_records(records, load_model(model), batch_size)
        if format == "parquet":
            return _write_parquet(file, predictions)
        with text_stream(file, zipped=output is not None and output.suffix == ".gz") as text:
            return _WRITERS[format](text, predictions)


def load_model(model: BertForSequenceRegression | str | Path | None = None) -> BertForSequenceRegression:
    """A model from a folder or Hub id, on the accelerator if there is one; a loaded model as it is.

    Raises:
        ModelError: if the checkpoint lacks weights of a regression model.
        OSError: if there is no such model.
    """
    if isinstance(model, torch.nn.Module):
        return model
    model = DEFAULT_MODEL if model is None else model
    name = str(model)
    is_path = isinstance(model, Path) or name.startswith((".", "/", "~"))
    if is_path and not Path(name).is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such model folder; give a folder or a Hub id", name)
    loaded, info = BertForSequenceRegression.from_pretrained(
        name, output_loading_info=True, ignore_mismatched_sizes=True
    )
    # What a checkpoint lacks, `from_pretrained` fills with random numbers.
    if random := sorted({*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])}):
        raise ModelError(f"{name}: has no fitting weights for {', '.join(random)}; give a model trained on expression")
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    return loaded.to(device)


def _predict_records(
    records: Iterable[Record], model: BertForSequenceRegression, batch_size: int
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Ids and predictions, float32, of one chunk of records after the other."""
    if batch_size < 1:
        raise ValueError(f"batch size is {batch_size}; give at least 1")
    longest = longest_insert(model.config)
    records = iter(records)
    while chunk := list(islice(records, CHUNK)):
        inserts = [check_insert(record.sequence, record.id, record.where, longest) for record in chunk]
        values = _predict_inserts(inserts, model, batch_size)
        if not (finite := np.isfinite(values)).all():
            bad = chunk[int(finite.argmin())]
            raise ModelError(f"{bad.where or 'input'}: record {bad.id!r}: the model gives no finite number; check it")
        yield [record.id for record in chunk], values


@torch.inference_mode()
def _predict_inserts(inserts: list[str], model: BertForSequenceRegression, batch_size: int) -> np.ndarray:
    """float32 (n,); batches hold inserts of like length, the results stand in the order of `inserts`."""
    order = np.argsort([len(insert) for insert in inserts], kind="stable")
    values = np.empty(len(inserts), dtype=np.float32)
    was_training = model.training
    model.eval()
    try:
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            inputs = encode([inserts[i] for i in batch], model.config)
            tensors = {name: torch.from_numpy(array).to(model.device) for name, array in inputs.items()}
            values[batch] = model(**tensors).logits[:, 0].float().cpu().numpy()
    finally:
        model.train(was_training)
    return values


# --- output -----------------------------------------------------------------------------------------------------


def _format_of(output: Path | None) -> str:
    suffix = "" if output is None else (output.with_suffix("") if output.suffix == ".gz" else output).suffix
    if suffix not in _SUFFIX_FORMATS:
        raise OutputError(f"{output}: the suffix {suffix!r} names no format; give one of {', '.join(FORMATS)}")
    return _SUFFIX_FORMATS[suffix]


def _write_tsv(text: IO[str], predictions: Iterable[tuple[list[str], np.ndarray]]) -> int:
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(("id", "expression"))
    count = 0
    for ids, values in predictions:
        writer.writerows((id, f"{value:.6f}") for id, value in zip(ids, values, strict=True))
        count += len(ids)
    return count


def _write_jsonl(text: IO[str], predictions: Iterable[tuple[list[str], np.ndarray]]) -> int:
    count = 0
    for ids, values in predictions:
        for id, value in zip(ids, values, strict=True):
            text.write(f'{{"id": {json.dumps(id, ensure_ascii=False)}, "expression": {value:.6f}}}\n')
        count += len(ids)
    return count


def _write_submission(text: IO[str], predictions: Iterable[tuple[list[str], np.ndarray]]) -> int:
    text.write("{")
    count = 0
    for ids, values in predictions:
        for row, value in enumerate(values, count):
            text.write(f'{", " if row else ""}"{row}": {value:.6f}')
        count += len(ids)
    text.write("}\n")
    return count


def _write_parquet(file: IO[bytes], predictions: Iterable[tuple[list[str], np.ndarray]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet

    schema = pa.schema({"id": pa.string(), "expression": pa.float32()})
    count = 0
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for ids, values in predictions:
            writer.write_table(pa.table([ids, values], schema=schema))
            count += len(ids)
    return count


_WRITERS = {"tsv": _write_tsv, "jsonl": _write_jsonl, "submission": _write_submission}
