"""Saturation mutagenesis of the sequences of files of any length, in constant memory."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ..errors import OutputError
from ..inference.files import IdCounter, Source, check_files, list_sources, scan_files
from ..inference.prediction import load_predictor
from ..inference.predictor import Predictor
from ..io.npz_writer import write_npz
from ..io.output import open_output, output_path
from ..io.records import USUAL, Columns
from ..io.rejects import open_rejects
from ..io.table_writer import PRECISION, TABLE_FORMATS, choose_format, write_table
from .change_tables import COLUMNS, SUMMARY_COLUMNS, Summaries, list_changes
from .mutagenesis import Mutated, check_normalised, mutate_records, normalise
from .single_changes import one_hot
from .targets import TargetReader

if TYPE_CHECKING:
    from ..inference.loading import RegressionModel

FORMATS = TABLE_FORMATS | {".npz": "npz"}
"""Formats of effects by the suffix of a file."""

_BATCH = 64
"""Sequences whose changes are written at a time."""


def mutagenesis_file(
    source: Source,
    output: str | Path | None = None,
    model: "RegressionModel | Predictor | str | Path | None" = None,
    format: str | None = None,
    *,
    positions: Iterable[int] | None = None,
    deletions: bool = False,
    insertions: bool = False,
    normalised: str | None = None,
    summary: str | Path | None = None,
    plot: str | Path | None = None,
    batch_size: int | None = None,
    backend: str = "torch",
    precision: int = PRECISION,
    columns: Columns = USUAL,
    orient: bool = False,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> int:
    """Predict every single change of every sequence of one or several files, in their order, in constant memory.

    A table has a row for each change: `id`, `position` (from 1 in the sequence as given), `ref`, `alt`, `expression`
    of the changed sequence and `effect`, its difference to that of the sequence. A deletion has the `alt` `-`. An
    insertion has the `ref` `-` and stands before the base at its position. Warnings as in `predict_file`.

    Args:
        source: as in `predict_file`.
        output: a file; it appears when it is whole. `-` or None: standard output.
        model: as in `predict`, or what `load_predictor` gave.
        format: `tsv`, `csv`, `jsonl`, `parquet`, or `npz`: arrays `ids`, `expression` (n,), `one_hot` int8 and
            `effects` float32 (n, 4, length) in the order A C G T, where an effect is 0 that was not predicted, of
            sequences of one length. Default: what the suffix of `output` says, or `tsv`.
        positions, deletions, insertions: as in `mutagenesis`; `npz` holds substitutions alone.
        normalised: as in `mutagenesis`, for `npz` alone.
        summary: a second table with a row for each sequence: `id`, `expression`, the most raising and the most
            lowering change as `A45G` with their effects (empty if there is none), `robustness` and `evolvability` as
            in `robustness.py`, the latter as numbers with commas. Default: none.
        plot: a picture, `.svg` or `.png`, of the effects of the only sequence. Default: none.
        batch_size, backend, orient: as in `predict`.
        precision: decimals in `tsv`, `csv` and of the evolvability vector, 0 to 20.
        columns, on_error, rejects: as in `predict_file`.

    Returns:
        How many sequences were changed.

    Raises:
        SequenceError: as in `mutagenesis`; the message gives file and line.
        ReadError: if `source` cannot be read as sequences, or none of its rows can be used.
        OutputError: if `format` or `plot` cannot be written, options do not go together, a file is named twice, or
            there are several sequences for one picture, or of several lengths for `npz`.
        ModelError, OSError: as in `predict_file`.
    """
    sources, output = list_sources(source), output_path(output)
    summary, plot, rejects = (None if path is None else Path(path) for path in (summary, plot, rejects))
    check_files(sources, output, summary, plot, rejects)
    check_normalised(normalised)
    format = choose_format(output, format, precision, FORMATS)
    summary_format = summary and choose_format(summary, None, precision)
    if format == "npz" and (deletions or insertions):
        raise OutputError("npz holds substitutions alone; leave deletions and insertions out, or write a table")
    if format != "npz" and normalised is not None:
        raise OutputError("a table holds effects as they are; leave normalised out, or write npz")
    if plot is not None:  # needs the extra
        from ..plots.mutagenesis import draw_mutagenesis
        from ..plots.pictures import check_picture

        check_picture(plot)
    with open_output(output) as file, open_rejects(on_error, rejects) as skipped, Summaries(precision) as summaries:
        predictor = load_predictor(model, batch_size, backend)
        read_target, ids = TargetReader(predictor, positions, insertions, orient), IdCounter()
        with tqdm(scan_files(sources, columns), unit=" sequences", disable=None) as rows:
            results = mutate_records(
                skipped.good(rows, read_target), predictor, deletions=deletions, insertions=insertions
            )
            # The first are there before a header is: a bad sequence among them leaves standard output empty.
            if not (first := [*islice(results, 1)]):
                raise skipped.none_left()
            results = _counted(chain(first, results), ids)
            if plot is not None:
                results = _only_one(results, plot)
            if summary is not None:
                results = summaries.collect(results)
            if format == "npz":
                write_npz(file, (_arrays(batch, normalised) for batch in _batches(_of_one_length(results))))
            else:
                write_table(file, output, format, COLUMNS, map(list_changes, _batches(results)), precision)
        if summary is not None:
            with open_output(summary) as table:
                write_table(table, summary, summary_format, SUMMARY_COLUMNS, summaries.parts(), precision)
        if plot is not None:
            (only,) = first
            draw_mutagenesis(only.sequence, only.changes.substitutions - only.changes.reference, plot, only.record.id)
    skipped.warn()
    read_target.warn()
    ids.warn()
    return len(ids)


def _counted(results: Iterable[Mutated], ids: IdCounter) -> Iterator[Mutated]:
    for result in results:
        ids.add([result.record.id])
        yield result


def _only_one(results: Iterable[Mutated], plot: Path) -> Iterator[Mutated]:
    """Yield the only result.

    Raises:
        OutputError: if there is another.
    """
    for number, result in enumerate(results):
        if number:
            what = f"a picture shows one sequence, and {result.record.where} has another"
            raise OutputError(f"{plot}: {what}; give one alone, or draw each by plot_mutagenesis in Python")
        yield result


def _of_one_length(results: Iterable[Mutated]) -> Iterator[Mutated]:
    """Yield results.

    Raises:
        OutputError: at a sequence of another length than the first.
    """
    length = None
    for result in results:
        length = length or len(result.sequence)
        if len(result.sequence) != length:
            what = f"the sequence has {len(result.sequence)} bp where those before have {length}"
            raise OutputError(f"{result.record.where}: {what}; npz holds one length, so choose another format")
        yield result


def _batches(results: Iterable[Mutated]) -> Iterator[list[Mutated]]:
    results = iter(results)
    while batch := [*islice(results, _BATCH)]:
        yield batch


def _arrays(batch: list[Mutated], normalised: str | None) -> dict[str, np.ndarray]:
    """Return the arrays of `npz`."""
    expression = np.array([result.changes.reference for result in batch], dtype=np.float32)
    effects = np.stack([result.changes.substitutions for result in batch]) - expression[:, None, None]
    return {
        "ids": np.array([result.record.id for result in batch], dtype=np.str_),
        "expression": expression,
        "one_hot": np.stack([one_hot(result.sequence) for result in batch]).astype(np.int8),
        "effects": np.nan_to_num(normalise(effects, normalised)),
    }
