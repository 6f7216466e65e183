"""Predict the expression of the promoters in files of any length, in constant memory."""

import os
import warnings
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ..errors import InputWarning, OutputError, ReadError
from ..io.output import open_output, output_path, text_stream
from ..io.predictions import FORMATS, prediction_columns, write_submission
from ..io.reader import scan_records
from ..io.records import USUAL, BadRow, Columns, Record
from ..io.rejects import open_rejects
from ..io.streams import shown
from ..io.table_writer import PRECISION, Part, choose_format, write_table
from .notes import InsertReader
from .prediction import load_predictor, predict_records
from .predictor import Predictor

if TYPE_CHECKING:
    from .loading import RegressionModel

Source = str | Path | Sequence[str | Path]


def list_sources(source: Source | None) -> list[str | Path]:
    """Return one or several inputs as a list; None is no input.

    >>> list_sources("a.fa"), list_sources(("a.fa", "b.fa")), list_sources(None)
    (['a.fa'], ['a.fa', 'b.fa'], [])
    """
    if source is None:
        return []
    return [source] if isinstance(source, str | Path) else list(source)


def predict_file(
    source: Source,
    output: str | Path | None = None,
    model: "RegressionModel | Predictor | str | Path | None" = None,
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
        model: as in `predict`, or what `load_predictor` gave.
        format: `tsv` (columns `id`, `expression`; of several targets, one column for each), `csv`, `jsonl`, `parquet`
            (the same columns), or `submission`, the challenge's JSON `{"0": ...}` by row number. Default: what the
            suffix of `output` says (`.json` is `submission`), or `tsv`.
        batch_size, backend: as in `predict`.
        interval: as in `predict`; the ends are columns `lower` and `upper`, of several targets `NAME_lower` and
            `NAME_upper`, which `submission` has no place for.
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
    sources, output = list_sources(source), output_path(output)
    rejects = None if rejects is None else Path(rejects)
    check_files(sources, output, rejects)
    format = choose_format(output, format, precision, FORMATS)
    if format == "submission" and (keep_columns or notes):
        raise OutputError(
            "a submission holds predictions alone; leave notes and columns out, or choose another format"
        )
    with open_output(output) as file, open_rejects(on_error, rejects) as skipped:
        predictor = load_predictor(model, batch_size, backend, interval, every_target=True)
        if format == "submission" and len(predictor.columns) > 1:
            advice = "leave the interval out, choose one by --target-name, or another format"
            raise OutputError(f"a submission holds predictions alone, of one target; {advice}")
        read_insert, ids = InsertReader(predictor.longest, predictor.insert_lengths, orient), IdCounter()
        with tqdm(scan_files(sources, columns, keep_columns), unit=" sequences", disable=None) as rows:
            predictions = predict_records(skipped.good(rows, read_insert), predictor)
            # The first are there before a header is: a bad sequence among them leaves standard output empty.
            if not (first := [*islice(predictions, 1)]):
                raise skipped.none_left()
            kept = tuple(first[0][0][0].others or ())
            parts = ids.count(_part(*chunk, notes) for chunk in chain(first, predictions))
            if format == "submission":
                with text_stream(file, output) as text:
                    count = write_submission(text, parts, precision)
            else:
                table = prediction_columns(kept, predictor.columns, notes)
                count = write_table(file, output, format, table, parts, precision)
    skipped.warn()
    read_insert.warn()
    if format != "submission":
        ids.warn()
    return count


def check_files(sources: Sequence[str | Path], *outputs: Path | None) -> None:
    """Check that nothing is written over an input, or twice.

    Raises:
        OutputError: if it were; the message names the file.
    """
    paths = [path for path in outputs if path is not None]
    for number, path in enumerate(paths):
        if any(str(source) != "-" and _is_one_file(path, source) for source in sources):
            raise OutputError(f"{path}: is an input, too; name another file to write to")
        if any(_is_one_file(path, earlier) for earlier in paths[:number]):
            raise OutputError(f"{path}: is another output, too; name a file for each")


def _is_one_file(path: str | Path, other: str | Path) -> bool:
    try:
        return os.path.samefile(path, other) and os.path.isfile(path)
    except OSError:  # one does not exist
        return os.path.realpath(path) == os.path.realpath(other)


def scan_files(
    sources: Iterable[str | Path], columns: Columns, keep: bool = False, labelled: bool = False
) -> Iterator[Record | BadRow]:
    """Read one input after the other, as `scan_records` does.

    Raises:
        ReadError: as `read_records`, or if `keep` is asked for and inputs have not the same other columns.
    """
    kept = None
    for source in sources:
        for row in scan_records(source, labelled=labelled, columns=columns, keep=keep):
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
    kept = zip(*((record.others or {}).values() for record in records), strict=True)
    return [[record.id for record in records], *kept, *np.atleast_2d(values.T), *([notes] if has_notes else [])]


class IdCounter:
    """Counts the ids that an earlier sequence has, too."""

    def __init__(self):
        self._hashes = array("q")  # 8 bytes an id

    def count(self, parts: Iterable[Part]) -> Iterator[Part]:
        for part in parts:
            self.add(part[0])
            yield part

    def add(self, ids: Iterable[str]) -> None:
        """Count more ids."""
        self._hashes.extend(map(hash, ids))

    def __len__(self) -> int:
        return len(self._hashes)

    def warn(self) -> None:
        hashes = np.frombuffer(self._hashes, dtype=np.int64)
        hashes.sort()
        if again := int(np.count_nonzero(hashes[1:] == hashes[:-1])):
            what = f"{again} of {len(hashes)} sequences have the id of an earlier one"
            warnings.warn(f"{what}; give each its own to tell them apart", InputWarning, stacklevel=3)
