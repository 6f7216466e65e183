"""The formats of predictions: ids, expression and maybe its interval, written as they come."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

FORMATS = ("tsv", "jsonl", "parquet", "submission")
_SUFFIX_FORMATS = {"": "tsv", ".tsv": "tsv", ".txt": "tsv", ".jsonl": "jsonl", ".parquet": "parquet"}
_SUFFIX_FORMATS[".json"] = "submission"


class OutputError(ValueError):
    """An output format that cannot be written where it is asked for."""


def format_of(output: Path | None) -> str:
    """The format that a file's suffix names; `tsv` for standard output.

    Raises:
        OutputError: if it names none.
    """
    suffix = "" if output is None else (output.with_suffix("") if output.suffix == ".gz" else output).suffix
    if suffix not in _SUFFIX_FORMATS:
        raise OutputError(f"{output}: the suffix {suffix!r} names no format; give one of {', '.join(FORMATS)}")
    return _SUFFIX_FORMATS[suffix]


_Parts = Iterable[tuple[list[str], np.ndarray]]
"""Ids, and their values: (n,), or (n, columns) if there are several."""


def _rows(values: np.ndarray, columns: tuple[str, ...]) -> list[list[float]]:
    return values.reshape(len(values), len(columns)).tolist()


def _write_tsv(text: IO[str], columns: tuple[str, ...], predictions: _Parts) -> int:
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(("id", *columns))
    count = 0
    for ids, values in predictions:
        rows = zip(ids, _rows(values, columns), strict=True)
        writer.writerows((id, *(f"{value:.6f}" for value in row)) for id, row in rows)
        count += len(ids)
    return count


def _write_jsonl(text: IO[str], columns: tuple[str, ...], predictions: _Parts) -> int:
    count = 0
    for ids, values in predictions:
        for id, row in zip(ids, _rows(values, columns), strict=True):
            numbers = ", ".join(f'"{name}": {value:.6f}' for name, value in zip(columns, row, strict=True))
            text.write(f'{{"id": {json.dumps(id, ensure_ascii=False)}, {numbers}}}\n')
        count += len(ids)
    return count


def _write_submission(text: IO[str], columns: tuple[str], predictions: _Parts) -> int:
    text.write("{")
    count = 0
    for ids, values in predictions:
        for row, value in enumerate(values, count):
            text.write(f'{", " if row else ""}"{row}": {value:.6f}')
        count += len(ids)
    text.write("}\n")
    return count


def write_parquet(file: IO[bytes], columns: tuple[str, ...], predictions: _Parts) -> int:
    """Write parts of ids and values as Parquet; how many there were."""
    import pyarrow as pa
    import pyarrow.parquet

    schema = pa.schema({"id": pa.string(), **dict.fromkeys(columns, pa.float32())})
    count = 0
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for ids, values in predictions:
            parts = np.split(values.reshape(len(values), len(columns)), len(columns), axis=1)
            writer.write_table(pa.table([ids, *(part[:, 0] for part in parts)], schema=schema))
            count += len(ids)
    return count


WRITERS = {"tsv": _write_tsv, "jsonl": _write_jsonl, "submission": _write_submission}
"""Of the text formats: write parts of ids and values under names of columns, and return how many there were."""
