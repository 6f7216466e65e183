"""Write tables of texts and numbers as they come: TSV, CSV, JSON lines or Parquet."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Literal, NamedTuple

import numpy as np

from ..errors import OutputError
from .output import text_stream
from .streams import printable

TABLE_FORMATS = {"": "tsv", ".tsv": "tsv", ".txt": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
"""Formats of tables by the suffix of a file; standard output has none."""

PRECISION = 4
"""Decimals of the numbers in `tsv` and `csv`: processors differ in the sixth."""

MOST_PRECISION = 20


class Column(NamedTuple):
    """A column of a table: texts, whole numbers (int64) or numbers (float32).

    NaN is an empty cell, and so is what a masked array of whole numbers masks.
    """

    name: str
    kind: Literal["text", "integer", "number"] = "text"


Part = Sequence[Sequence[str] | np.ndarray]
"""Some rows: the values of each column, in the columns' order."""


def choose_format(
    path: Path | None, format: str | None, precision: int = PRECISION, formats: dict[str, str] = TABLE_FORMATS
) -> str:
    """Return the format to write: the one asked for, else the one that the file's suffix names.

    Args:
        path: the output; None is standard output.
        format: one of `formats`; None: by the suffix.
        precision: decimals, 0 to 20.
        formats: formats by suffix.

    Raises:
        OutputError: if there is no such format, it cannot be written there, or the precision is out of range.
    """
    names = ", ".join(dict.fromkeys(formats.values()))
    if format is None:
        suffix = "" if path is None else (path.with_suffix("") if path.suffix == ".gz" else path).suffix
        if suffix not in formats:
            raise OutputError(f"{path}: the suffix {suffix!r} names no format; give one of {names}")
        format = formats[suffix]
    if format not in formats.values():
        raise OutputError(f"format {format!r} is unknown; choose from {names}")
    if format in ("parquet", "npz") and (path is None or path.suffix == ".gz"):
        raise OutputError(f"{format} compresses itself and needs a file of its own; name one with -o, without .gz")
    if not 0 <= precision <= MOST_PRECISION:
        raise OutputError(f"precision is {precision}; give 0 to {MOST_PRECISION} decimals")
    return format


def write_table(
    file: IO[bytes],
    path: Path | None,
    format: str,
    columns: Sequence[Column],
    parts: Iterable[Part],
    precision: int = PRECISION,
) -> int:
    """Write the parts of a table, and return the number of its rows.

    Args:
        file: what is written to, as `open_output` gives it.
        path: where that file goes; None is standard output. `.gz` is written as BGZF, and a terminal is given texts
            without control characters, which it would obey.
        format: one of `TABLE_FORMATS`.
        columns: the table's columns.
        parts: its rows.
        precision: decimals in `tsv` and `csv`; `jsonl` and `parquet` hold the float32.
    """
    if format == "parquet":
        return _write_parquet(file, columns, parts)
    if path is None and sys.stdout.isatty():
        columns, parts = _printable(columns, parts)
    with text_stream(file, path) as text:
        if format == "jsonl":
            return _write_jsonl(text, columns, parts)
        return _write_delimited(text, columns, parts, precision, "\t" if format == "tsv" else ",")


def _printable(columns: Sequence[Column], parts: Iterable[Part]) -> tuple[list[Column], Iterable[Part]]:
    def escaped(part: Part) -> Part:
        return [
            [*map(printable, values)] if column.kind == "text" else values
            for column, values in zip(columns, part, strict=True)
        ]

    return [column._replace(name=printable(column.name)) for column in columns], map(escaped, parts)


def _write_delimited(
    text: IO[str], columns: Sequence[Column], parts: Iterable[Part], precision: int, delimiter: str
) -> int:
    # The csv module does not quote a carriage return in every version of Python.
    unsafe = re.compile('["\r\n\t]' if delimiter == "\t" else '["\r\n,]|^[=+@-]')

    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"' if unsafe.search(value) else value

    def cells(kind: str, values: Sequence[str] | np.ndarray) -> Iterable[str]:
        if kind == "text":
            return map(cell, values)
        if kind == "integer":
            return ("" if value is None else str(value) for value in values.tolist())
        return (f"{value:z.{precision}f}" if value == value else "" for value in values.tolist())

    text.write(delimiter.join(cell(column.name) for column in columns) + "\n")
    return _write_rows(text, columns, parts, cells, delimiter.join)


# Control characters and line ends that JSON allows as they are, and that terminals and readers of lines do not.
_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def _write_jsonl(text: IO[str], columns: Sequence[Column], parts: Iterable[Part]) -> int:
    def quoted(value: str) -> str:
        text = json.dumps(value, ensure_ascii=False)
        return text if text.isprintable() else text.translate(_ESCAPES)

    def cells(kind: str, values: Sequence[str] | np.ndarray) -> Iterable[str]:
        if kind == "text":
            return map(quoted, values)
        if kind == "integer":
            return ("null" if value is None else str(value) for value in values.tolist())
        # Of a float32 the shortest decimals that read back as the same.
        return ("null" if value == "nan" else value for value in values.astype(str).tolist())

    names = [quoted(column.name) for column in columns]
    return _write_rows(
        text, columns, parts, cells, lambda row: "{" + ", ".join(map("{}: {}".format, names, row)) + "}"
    )


def _write_rows(
    text: IO[str],
    columns: Sequence[Column],
    parts: Iterable[Part],
    cells: Callable[[str, Sequence[str] | np.ndarray], Iterable[str]],
    line: Callable[[Sequence[str]], str],
) -> int:
    count = 0
    for part in parts:
        rows = zip(*(cells(column.kind, values) for column, values in zip(columns, part, strict=True)), strict=True)
        for row in rows:
            text.write(line(row) + "\n")
            count += 1
    return count


def _write_parquet(file: IO[bytes], columns: Sequence[Column], parts: Iterable[Part]) -> int:
    import pyarrow as pa
    import pyarrow.parquet

    types = {"text": pa.string(), "integer": pa.int64(), "number": pa.float32()}
    schema = pa.schema([(column.name, types[column.kind]) for column in columns])
    count = 0
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for part in parts:
            arrays = [
                pa.array(values, field.type, from_pandas=True) for values, field in zip(part, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(part[0])
    return count
