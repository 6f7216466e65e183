"""Read the challenge's own format, lines of `sequence TAB expression`, thousands of lines at once.

A block of lines that holds anything unusual (a blank line, other characters than A C G T N, a label that is missing or
not finite) is read row by row as `io.text` does, and so is a file of another format. Rows and errors are the same.
"""

import codecs
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ..io.lines import lines_of
from ..io.reader import scan_records
from ..io.records import LARGEST_LABEL, LONGEST_RECORD, USUAL, BadRow, Columns, Record
from ..io.streams import DAMAGE, damaged, naming, printable
from ..io.text import scan_plain
from ..sequence.construct import OLIGO_END, OLIGO_START

LONGEST_INSERT = 4096
"""Bp; keeps a full shard below the 2^31 bytes that an Arrow string column can address."""

_BLOCK = 1 << 20
"""Bytes of text read at a time."""

_TABS = csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False)
_COLUMNS = csv.ConvertOptions(column_types={"sequence": pa.binary(), "expression": pa.float64()}, check_utf8=False)


class Block(NamedTuple):
    """n rows that need no further check: inserts, of A C G T N, and expression, float64 (n,)."""

    inserts: pa.StringArray
    expression: np.ndarray


def scan_blocks(path: str | Path, *, columns: Columns = USUAL) -> Iterator[Block | Record | BadRow]:
    """Read a file as `scan_records(path, labelled=True)` does, but give rows that need no closer look as `Block`s.

    Args:
        path: a file that can be opened twice.
        columns: names of the columns of a table. Default: found by their usual names.
    """
    if columns != USUAL or not _begins_with_a_row(path):
        yield from scan_records(path, labelled=True, columns=columns)
        return
    name = printable(str(path))
    with naming(name), open(path, "rb") as file:
        yield from _scan_lines(_unpacked(file), name)


def _begins_with_a_row(path: str | Path) -> bool:
    """Return whether a file's first line is a row in the challenge's format that needs no closer look."""
    with naming(printable(str(path))), open(path, "rb") as file:
        try:
            first = _unpacked(file).readline(_BLOCK)
        except DAMAGE:  # which is reported where the file is read row by row
            return False
    return first.endswith(b"\n") and parse_block(first) is not None


def _unpacked(file: BinaryIO) -> BinaryIO:
    """Return the file as it is, or what is in it if it is gzipped."""
    zipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if zipped else file


def _scan_lines(stream: BinaryIO, name: str) -> Iterator[Block | Record | BadRow]:
    lines = rows = 0
    try:
        for text in _whole_lines(stream):
            if block := parse_block(text):
                yield block
                lines, rows = lines + len(block.inserts), rows + len(block.inserts)
            else:
                lines, rows = yield from scan_plain(lines_of(io.BytesIO(text), name, lines), name, True, rows)
    except DAMAGE as error:
        raise damaged(f"{name}:{lines + 1}", error) from error


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the stream in blocks that end with a line; where it is damaged, the whole lines before come first."""
    rest, wanted = bytearray(), _BLOCK
    try:
        while data := stream.read1(_BLOCK):
            rest += data
            if len(rest) >= wanted:
                end = _end_of_lines(rest)
                if not end and len(rest) > 4 * LONGEST_RECORD:  # longer than a line may be in any encoding
                    end = len(rest)
                if end:
                    yield bytes(rest[:end])
                del rest[:end]
                wanted = _BLOCK + 2 * len(rest)  # twice, so that the time of a very long line stays linear
    except DAMAGE:
        if end := _end_of_lines(rest):
            yield bytes(rest[:end])
        raise
    if rest:
        yield bytes(rest)


def _end_of_lines(text: bytearray) -> int:
    return max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1  # after a last `\r` its `\n` may come


def parse_block(text: bytes) -> Block | None:
    """Parse whole lines; return None if any of them needs a closer look.

    >>> block = parse_block(b"TGCATTTTTTTCACATCACGT\\t11.5\\nAC\\t3\\n")
    >>> block.inserts.to_pylist(), block.expression.tolist()
    (['ACGT', 'AC'], [11.5, 3.0])
    >>> parse_block(b"AC\\t3\\nAX\\t3\\n")
    """
    if text.startswith(codecs.BOM_UTF8):  # which the parser would skip, also in the middle of a file
        return None
    whole = csv.ReadOptions(use_threads=False, column_names=["sequence", "expression"], block_size=len(text) + 1)
    try:
        table = csv.read_csv(pa.BufferReader(text), whole, _TABS, _COLUMNS).combine_chunks()
    except pa.ArrowInvalid:
        return None
    sequence, expression = table.column("sequence").chunk(0), table.column("expression").to_numpy()
    if pc.any(pc.starts_with(sequence, b"N")).as_py():  # N may choose a reading frame of an oligo
        return None
    # (A slice without an end fails on binary columns of some versions.)
    insert = pc.binary_slice(sequence, len(OLIGO_START), len(text))
    insert = pc.if_else(pc.starts_with(sequence, OLIGO_START.encode()), insert, sequence)
    trimmed = pc.binary_slice(insert, 0, -len(OLIGO_END))
    insert = pc.if_else(pc.ends_with(insert, OLIGO_END.encode()), trimmed, insert)
    lengths = pc.binary_length(insert).to_numpy()
    if lengths.min() < 1 or lengths.max() > LONGEST_INSERT or not (np.abs(expression) <= LARGEST_LABEL).all():
        return None
    if pc.any(pc.match_substring_regex(insert, "[^ACGTN]")).as_py():
        return None
    return Block(insert.cast(pa.string()), expression)
