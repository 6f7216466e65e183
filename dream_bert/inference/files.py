"""Predict the expression of the promoters in files of any length, in constant memory."""

import os
import sys
import warnings
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ..errors import InputWarning, OutputError, ReadError
from ..io.output import open_output, text_stream
from ..io.predictions import (
    FORMATS,
    MOST_PRECISION,
    PRECISION,
    WRITERS,
    Layout,
    Part,
    format_of,
    layout,
    write_parquet,
)
from ..io.reader import scan_records
from ..io.records import USUAL, BadRow, Columns, Record
from ..io.rejects import open_rejects
from ..io.streams import printable, shown
from .notes import InsertReader
from .prediction import load_predictor, predict_records
from .predictor import Predictor

if TYPE_CHECKING:
    from .loading import RegressionModel

Source = str | Path | Sequence[str | Path]


def predict_file(
    source: Source,
    output: str | Path | None = None,
    model: "RegressionModel | str | Path | None" = None,
    format: str | None = None,
    batch_size: int | None = None,
    backend: str = "torch",
    interval: float | None = None,
    *,
    precision: int = PRECISION,
    columns: Columns = USUAL,
    keep_columns: bool = False,
    notes: bool = False,
    orient: bool = False,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> int:
    """Predict the expression of every sequence of one or several files, in their order, in constant memory.

    `InputWarning`s count what `predict` warns of, the sequences left out, and the ids that an earlier sequence has
    (for which a hash of 8 bytes an id is held).

    Args:
        source: any file that `read_records` reads, or `-` for standard input; or several, one after the other.
        output: a file, gzipped if its name ends in `.gz`; it appears when it is whole. `-` or None: standard output.
        model: as in `predict`.
        format: `tsv` (columns `id`, `expression`), `csv`, `jsonl`, `parquet` (the same columns), or `submission`, the
            challenge's JSON `{"0": ...}` by row number. Default: what the suffix of `output` says (`.json` is
            `submission`), or `tsv`.
        batch_size, backend: as in `predict`.
        interval: as in `predict`; the ends are columns `lower` and `upper`, which `submission` has no place for.
        precision: decimals in `tsv`, `csv` and `submission`, 0 to 20; `jsonl` and `parquet` hold the float32.
        columns: names of the sequence's and the id's column. Default: found by their usual names.
        keep_columns: write the input's other columns after `id`; all inputs have the same. One whose name the output
            has already becomes `input_NAME`. Not in `submission`.
        notes: write a last column `note`: what is warned of, for each sequence. Not in `submission`.
        orient: as in `predict`.
        on_error: `stop` (default) at the first row that cannot be used, or `skip` them.
        rejects: a file that lists the rows skipped: where, reason, text (TSV). Default: none.

    Returns:
        How many sequences were predicted.

    Raises:
        SequenceError: if a sequence cannot be scored; the message gives file and line.
        ReadError: if `source` cannot be read as sequences, or none of its rows can be used.
        OutputError: if `format` is unknown or cannot be written to `output`, or that is an input, too.
        ModelError, OSError: as in `predict`; OSError also if a file cannot be opened.
    """
    return write_predictions(
        source,
        output,
        partial(load_predictor, model, batch_size, backend, interval),
        format=format,
        precision=precision,
        columns=columns,
        keep_columns=keep_columns,
        notes=notes,
        orient=orient,
        on_error=on_error,
        rejects=rejects,
    )


def write_predictions(
    source: Source,
    output: str | Path | None,
    load: Callable[[], Predictor],
    *,
    format: str | None = None,
    precision: int = PRECISION,
    columns: Columns = USUAL,
    keep_columns: bool = False,
    notes: bool = False,
    orient: bool = False,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> int:
    """Do the work of `predict_file` with the model that `load` gives, which is called when the files are open."""
    sources = [source] if isinstance(source, str | Path) else list(source)
    output = None if output is None or str(output) == "-" else Path(output)
    rejects = None if rejects is None else Path(rejects)
    _check_files(sources, output, rejects)
    format = format or format_of(output)
    _check_format(format, output, precision)
    if format == "submission" and (keep_columns or notes):
        raise OutputError(
            "a submission holds predictions alone; leave notes and columns out, or choose another format"
        )
    with open_output(output) as file, open_rejects(on_error, rejects) as skipped:
        predictor = load()
        if format == "submission" and len(predictor.columns) > 1:
            raise OutputError("a submission holds predictions alone; leave the interval out, or choose another format")
        read_insert, ids = InsertReader(predictor.longest, predictor.insert_lengths, orient), _Ids()
        with tqdm(_scan(sources, columns, keep_columns), unit=" sequences", disable=None) as rows:
            predictions = predict_records(skipped.good(rows, read_insert), predictor)
            # The first are there before a header is: a bad sequence among them leaves standard output empty.
            if not (first := [*islice(predictions, 1)]):
                raise ReadError(f"no sequence of the input can be used ({skipped.summary()}); correct the input")
            kept = tuple(first[0][0][0].others or ())
            parts = ids.count(_part(*chunk, notes) for chunk in chain(first, predictions))
            count = _write(file, output, format, layout(kept, predictor.columns, notes), parts, precision)
    skipped.warn()
    read_insert.warn()
    if format != "submission":
        ids.warn()
    return count


def _check_files(sources: Sequence[str | Path], output: Path | None, rejects: Path | None) -> None:
    """Check that nothing is written over an input, or twice."""
    for path in filter(None, (output, rejects)):
        if any(str(source) != "-" and _is_one_file(path, source) for source in sources):
            raise OutputError(f"{path}: is an input, too; name another file to write to")
    if output and rejects and _is_one_file(output, rejects):
        raise OutputError(f"{rejects}: is the output, too; name another file for what is skipped")


def _is_one_file(path: str | Path, other: str | Path) -> bool:
    try:
        return os.path.samefile(path, other) and os.path.isfile(path)
    except OSError:  # one does not exist
        return os.path.realpath(path) == os.path.realpath(other)


def _check_format(format: str, output: Path | None, precision: int) -> None:
    if format not in FORMATS:
        raise OutputError(f"format {format!r} is unknown; choose from {', '.join(FORMATS)}")
    if format == "parquet" and (output is None or output.suffix == ".gz"):
        raise OutputError("parquet compresses itself and needs a file of its own; name one with -o, without .gz")
    if not 0 <= precision <= MOST_PRECISION:
        raise OutputError(f"precision is {precision}; give 0 to {MOST_PRECISION} decimals")


def _scan(sources: Iterable[str | Path], columns: Columns, keep: bool) -> Iterator[Record | BadRow]:
    """Read one input after the other; those kept have the same other columns."""
    kept = None
    for source in sources:
        for row in scan_records(source, columns=columns, keep=keep):
            if keep and isinstance(row, Record):
                names = tuple(row.others or ())
                kept = names if kept is None else kept
                if names != kept:
                    what = f"has the other columns {_listed(names)} where those before have {_listed(kept)}"
                    raise ReadError(f"{row.where}: {what}; give inputs with the same columns, or keep none")
            yield row


def _listed(names: Iterable[str]) -> str:
    return shown(", ".join(names)) or "none"


def _part(records: list[Record], notes: list[str], values: np.ndarray, has_notes: bool) -> Part:
    kept = [tuple((record.others or {}).values()) for record in records]
    return Part([record.id for record in records], kept, values, [(note,) if has_notes else () for note in notes])


def _write(
    file: IO[bytes], output: Path | None, format: str, table: Layout, parts: Iterable[Part], precision: int
) -> int:
    if format == "parquet":
        return write_parquet(file, table, parts)
    if output is None and sys.stdout.isatty():
        table = table._replace(kept=tuple(map(printable, table.kept)))
        parts = map(_escaped_part, parts)
    with text_stream(file, zipped=output is not None and output.suffix == ".gz") as text:
        return WRITERS[format](text, table, parts, precision)


def _escaped_part(part: Part) -> Part:
    """Escape control characters, which a terminal would obey."""
    return part._replace(ids=[*map(printable, part.ids)], kept=[tuple(map(printable, row)) for row in part.kept])


class _Ids:
    """Counts the ids that an earlier sequence has, too."""

    def __init__(self):
        self._hashes = array("q")  # 8 bytes an id

    def count(self, parts: Iterable[Part]) -> Iterator[Part]:
        for part in parts:
            self._hashes.extend(map(hash, part.ids))
            yield part

    def warn(self) -> None:
        hashes = np.frombuffer(self._hashes, dtype=np.int64)
        hashes.sort()
        if again := int(np.count_nonzero(hashes[1:] == hashes[:-1])):
            what = f"{again} of {len(hashes)} sequences have the id of an earlier one"
            warnings.warn(f"{what}; give each its own to tell them apart", InputWarning, stacklevel=3)
