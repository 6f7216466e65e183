"""Read sequences, with or without their expression, from any of the usual formats.

A file is recognised by its content, never by its name, and is streamed:

- FASTA: the id is the header's first word; a label follows the last `|` of that word, as in `>promoter1|11.5`;
- TSV or CSV with a header row that has a column `sequence`, and perhaps `id` (or `name`) and `expression` (or
  `activity`), in any case and order;
- lines without a header: one sequence each, or `sequence TAB expression`, the challenge's own format;
- Parquet with the columns of TSV;
- any of these gzipped, and `-` for standard input.
"""

import csv
import gzip
import io
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from .columns import find_columns, is_header, other_columns
from .records import USUAL, BadRow, Columns, Record, RowFault, parse_label
from .streams import DAMAGE, ReadError, copy, damaged, naming, peek, shown

LONGEST_RECORD = 1 << 22
"""Characters of a line, a sequence or a table's row: what a small gzip file unpacks to may have no end."""

_FORMATS = "FASTA, TSV or CSV with a column 'sequence', one sequence a line, or Parquet, plain or gzipped"


def read_records(
    path: str | Path, labelled: bool = False, *, columns: Columns = USUAL, keep: bool = False
) -> Iterator[Record]:
    """Read the records of a file, one after the other; the first bad row ends the reading.

    Args:
        path: a file, or `-` for standard input.
        labelled: parse the labels. A label that is missing, not a number, NaN or infinite is an error.
            If False (the default) labels are not looked at, and `expression` is None.
        columns: names of the columns of a table. Default: found by their usual names.
        keep: give each record its `others`, the other columns of its row. Default: False.

    Raises:
        ReadError: if the input has no record, is not text or Parquet, is damaged, or has a bad row.
        OSError: if the file cannot be opened.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "promoters.fa")
    ...     _ = path.write_text(">p1|11.5\\nACGT\\nAC\\n")
    ...     for record in read_records(path, labelled=True):
    ...         print(record.id, record.sequence, record.expression)
    p1 ACGTAC 11.5
    """
    for row in scan_records(path, labelled, columns=columns, keep=keep):
        if isinstance(row, BadRow):
            raise row.error()
        yield row


def scan_records(
    path: str | Path,
    labelled: bool = False,
    text_scanner: Callable[..., Iterator] | None = None,
    *,
    columns: Columns = USUAL,
    keep: bool = False,
) -> Iterator[Record | BadRow]:
    """Like `read_records`, but a bad row comes as a `BadRow` in its place, and the reading goes on after it.

    `text_scanner` takes the place of `scan_text`.
    """
    with ExitStack() as stack:
        if str(path) == "-":
            if sys.stdin is None:
                raise ReadError("stdin: is closed; pipe the input in, or name a file")
            name, file = "stdin", sys.stdin.buffer
        elif Path(path).is_dir():
            raise ReadError(f"{path}: is a folder; give a file")
        else:
            name, file = str(path), stack.enter_context(open(path, "rb"))
        stack.enter_context(naming(name))
        head, stream = peek(file, name)
        if zipped := head[:2] == b"\x1f\x8b":
            head, stream = peek(gzip.GzipFile(fileobj=stream), name)
        if head == b"PAR1":
            from .columnar import scan_parquet

            if zipped or not file.seekable():  # Parquet is read from its end
                file = stack.enter_context(tempfile.TemporaryFile())
                copy(stream, file, name)
            rows = scan_parquet(file, name, labelled, columns, keep)
        else:
            rows = (text_scanner or scan_text)(stream, name, labelled, columns, keep)
        if (first := next(rows, None)) is None:
            raise ReadError(f"{name}: has no record; give {_FORMATS}")
        yield first
        yield from rows


# --- text -------------------------------------------------------------------------------------------------------


def scan_text(
    stream: BinaryIO, name: str, labelled: bool, columns: Columns = USUAL, keep: bool = False
) -> Iterator[Record | BadRow]:
    """The rows of a text in any of the formats."""
    lines = lines_of(stream, name)
    number, line = next((numbered for numbered in lines if numbered[1].strip()), (0, ""))
    if not line:
        return
    lines = chain([(number, line)], lines)
    if line.lstrip().startswith(">"):
        yield from _scan_fasta(lines, name, labelled, keep)
    elif is_header(_header(line, "\t" if "\t" in line else ","), columns):
        yield from _scan_table(lines, name, labelled, columns, keep)
    else:
        yield from scan_plain(lines, name, labelled)


def lines_of(stream: BinaryIO, name: str, number: int = 0) -> Iterator[tuple[int, str]]:
    """Line numbers and lines, after `number` others; a line that is not text is an error.

    Bytes that are not UTF-8 become lone surrogates first: a strict decoder works ahead of the lines, and so could
    not name the one at fault.
    """
    encoding = "utf-8" if number else "utf-8-sig"
    try:
        text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape")
        for line in iter(partial(text.readline, LONGEST_RECORD + 1), ""):
            number += 1
            if len(line) > LONGEST_RECORD:
                raise _too_long(f"{name}:{number}", "the line")
            if "\0" in line or not (line.isascii() or _is_text(line)):
                raise ReadError(f"{name}:{number}: is not UTF-8 text; give {_FORMATS}")
            yield number, line
    except DAMAGE as error:
        raise damaged(f"{name}:{number + 1}", error) from error


def _too_long(where: str, what: str) -> ReadError:
    return ReadError(f"{where}: {what} has more than {LONGEST_RECORD} characters; give windows of it")


def _is_text(line: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in line)


def _scan_fasta(lines: Iterable[tuple[int, str]], name: str, labelled: bool, keep: bool) -> Iterator[Record | BadRow]:
    row, number, header, parts, length = -1, 0, "", [], 0
    for line_number, line in chain(lines, [(0, ">")]):
        text = line.strip()
        if not text.startswith(">"):
            length += len(text)
            if length > LONGEST_RECORD:
                raise _too_long(f"{name}:{number}", "the sequence")
            if text:
                parts.append(text)
            continue
        if row >= 0:
            yield _fasta_row(row, header, "".join(parts), f"{name}:{number}", labelled, keep)
        row, number, header, parts, length = row + 1, line_number, text, [], 0


def _fasta_row(row: int, header: str, sequence: str, where: str, labelled: bool, keep: bool) -> Record | BadRow:
    id, description, *_ = *header[1:].split(maxsplit=1), "", ""
    others = {"description": description} if keep else None
    if not labelled:
        return Record(id or str(row), sequence, None, where, others)
    id, bar, label = id.rpartition("|")
    try:
        return Record(id or str(row), sequence, parse_label(label if bar else ""), where, others)
    except RowFault as fault:
        return BadRow(where, header, *fault.args)


def scan_plain(
    lines: Iterable[tuple[int, str]], name: str, labelled: bool, row: int = 0
) -> Generator[Record | BadRow, None, tuple[int, int]]:
    """Rows of lines without a header, after `row` others; returns the last line's number and the number of rows."""
    number = 0
    for number, line in lines:
        sequence, _, label = line.partition("\t")
        if not label and not sequence.strip():
            continue
        where = f"{name}:{number}"
        try:
            yield Record(str(row), sequence.strip(), parse_label(label.strip()) if labelled else None, where)
        except RowFault as fault:
            yield BadRow(where, line.rstrip("\n"), *fault.args)
        row += 1
    return number, row


def _header(line: str, delimiter: str) -> list[str]:
    """The column names of a header row; none if the line is no row."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a field too long for the csv module: one long sequence
        return []


def _scan_table(
    lines: Iterable[tuple[int, str]], name: str, labelled: bool, columns: Columns, keep: bool
) -> Iterator[Record | BadRow]:
    lines = iter(lines)
    first, line = next(lines)
    delimiter = "\t" if "\t" in line else ","
    header = _header(line, delimiter)
    sequence, label, id = find_columns(header, f"{name}:{first}", labelled, columns)
    others = other_columns(header, (sequence, label, id), f"{name}:{first}") if keep else None
    row = length = 0

    def texts() -> Iterator[str]:
        nonlocal length
        for number, text in lines:
            length += len(text)
            if length > LONGEST_RECORD:  # quotes may join lines without end
                raise _too_long(f"{name}:{number}", "the row")
            yield text

    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            length = 0
            if len(cells) <= 1 and not "".join(cells).strip():
                continue
            where = f"{name}:{first + reader.line_num}"
            try:
                if len(cells) != len(header):
                    what = f"the row has {len(cells)} columns and the header {len(header)}"
                    raise RowFault("wrong number of columns", f"{what}; correct or remove the row")
                expression = parse_label(cells[label]) if labelled else None
                named = cells[id].strip() if id is not None else ""
                kept = None if others is None else {key: cells[place] for key, place in others.items()}
                yield Record(named or str(row), cells[sequence].strip(), expression, where, kept)
            except RowFault as fault:
                yield BadRow(where, delimiter.join(cells), *fault.args)
            row += 1
    except csv.Error as error:
        where, what = f"{name}:{first + reader.line_num}", shown(str(error))
        raise ReadError(f"{where}: the table cannot be read ({what}); check the quotes before this line") from error
