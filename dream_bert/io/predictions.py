"""The formats of predictions: ids, the input's other columns, expression and maybe more, written as they come."""

import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ..errors import OutputError

FORMATS = ("tsv", "csv", "jsonl", "parquet", "submission")
_SUFFIX_FORMATS = {"": "tsv", ".tsv": "tsv", ".txt": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
_SUFFIX_FORMATS[".json"] = "submission"

PRECISION = 4
"""Decimals of the numbers in `tsv`, `csv` and `submission`: processors differ in the sixth."""

MOST_PRECISION = 20


def format_of(output: Path | None) -> str:
    """The format that a file's suffix names; `tsv` for standard output.

    Raises:
        OutputError: if it names none.
    """
    suffix = "" if output is None else (output.with_suffix("") if output.suffix == ".gz" else output).suffix
    if suffix not in _SUFFIX_FORMATS:
        raise OutputError(f"{output}: the suffix {suffix!r} names no format; give one of {', '.join(FORMATS)}")
    return _SUFFIX_FORMATS[suffix]


class Layout(NamedTuple):
    """The columns of an output: `id`, texts, numbers, texts."""

    kept: tuple[str, ...] = ()
    """Names of the input's other columns; one that the output has already becomes `input_NAME`."""
    numbers: tuple[str, ...] = ("expression",)
    notes: tuple[str, ...] = ()

    @property
    def header(self) -> tuple[str, ...]:
        return ("id", *self.kept, *self.numbers, *self.notes)


def layout(kept: Iterable[str], numbers: tuple[str, ...], notes: bool) -> Layout:
    """Lay out the columns of an output.

    >>> layout(["gene", "expression"], ("expression",), True).header
    ('id', 'gene', 'input_expression', 'expression', 'note')
    """
    own = Layout((), numbers, ("note",) if notes else ())
    taken = {*own.header, *kept}
    names = []
    for name in kept:
        if name in own.header:
            while name in taken:
                name = f"input_{name}"
            taken.add(name)
        names.append(name)
    return own._replace(kept=tuple(names))


class Part(NamedTuple):
    """Some predictions."""

    ids: list[str]
    kept: list[tuple[str, ...]]
    """The texts of the input's other columns, a row each."""
    values: np.ndarray
    """float32: (n,), or (n, numbers) if there are several."""
    notes: list[tuple[str, ...]]
    """The note of each row; empty rows if there is no such column."""


def _rows(part: Part, layout: Layout) -> list[list[float]]:
    return part.values.reshape(len(part.ids), len(layout.numbers)).tolist()


def _write_table(text: IO[str], layout: Layout, parts: Iterable[Part], precision: int, delimiter: str) -> int:
    # The csv module does not quote a carriage return in every version of Python.
    unsafe = re.compile('["\r\n\t]' if delimiter == "\t" else '["\r\n,]|^[=+@-]')

    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"' if unsafe.search(value) else value

    text.write(delimiter.join(map(cell, layout.header)) + "\n")
    count = 0
    for part in parts:
        for id, kept, row, note in zip(part.ids, part.kept, _rows(part, layout), part.notes, strict=True):
            numbers = [f"{value:z.{precision}f}" for value in row]
            text.write(delimiter.join([cell(id), *map(cell, kept), *numbers, *map(cell, note)]) + "\n")
        count += len(part.ids)
    return count


# Control characters and line ends that JSON allows as they are, and that terminals and readers of lines do not.
_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def _write_jsonl(text: IO[str], layout: Layout, parts: Iterable[Part], precision: int) -> int:
    def quoted(value: str) -> str:
        text = json.dumps(value, ensure_ascii=False)
        return text if text.isprintable() else text.translate(_ESCAPES)

    count = 0
    names = [quoted(name) for name in layout.header]
    for part in parts:
        # The shortest decimals that read back as the same float32.
        values = part.values.reshape(len(part.ids), len(layout.numbers)).astype(str).tolist()
        for id, kept, row, note in zip(part.ids, part.kept, values, part.notes, strict=True):
            fields = (quoted(id), *map(quoted, kept), *row, *map(quoted, note))
            text.write("{" + ", ".join(map("{}: {}".format, names, fields)) + "}\n")
        count += len(part.ids)
    return count


def _write_submission(text: IO[str], layout: Layout, parts: Iterable[Part], precision: int) -> int:
    text.write("{")
    count = 0
    for part in parts:
        for row, value in enumerate(part.values, count):
            text.write(f'{", " if row else ""}"{row}": {value:z.{precision}f}')
        count += len(part.ids)
    text.write("}\n")
    return count


def write_parquet(file: IO[bytes], layout: Layout, parts: Iterable[Part]) -> int:
    """Write parts of predictions as Parquet: texts, float32, texts; returns how many there were."""
    import pyarrow as pa
    import pyarrow.parquet

    texts, numbers = dict.fromkeys(("id", *layout.kept), pa.string()), dict.fromkeys(layout.numbers, pa.float32())
    schema = pa.schema(texts | numbers | dict.fromkeys(layout.notes, pa.string()))
    count = 0
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for part in parts:
            values = part.values.reshape(len(part.ids), len(layout.numbers)).T
            kept, notes = zip(*part.kept, strict=True), zip(*part.notes, strict=True)
            writer.write_table(pa.table([part.ids, *kept, *values, *notes], schema=schema))
            count += len(part.ids)
    return count


Writer = Callable[[IO[str], Layout, Iterable[Part], int], int]

WRITERS: dict[str, Writer] = {
    "tsv": partial(_write_table, delimiter="\t"),
    "csv": partial(_write_table, delimiter=","),
    "jsonl": _write_jsonl,
    "submission": _write_submission,
}
"""Functions of the text formats, which write parts of predictions and return how many there were."""
