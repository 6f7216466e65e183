"""Read the challenge's own format, lines of `sequence TAB expression`, thousands of lines at once.

A block of lines that holds anything unusual (another format, blank lines, other characters than A C G T N, a label
that is missing or not finite) is read row by row by `reading`, so that rows and errors are the same, only sooner.
"""

import codecs
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
from ..io.streams import DAMAGE, damaged, rejoin
from ..io.text import scan_plain, scan_text
from ..sequence.construct import OLIGO_END, OLIGO_START

LONGEST_INSERT = 4096
"""Bp; keeps a full shard below the 2^31 values that an Arrow list column can address."""

_BLOCK = 1 << 20
_TABS = csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False)
_COLUMNS = csv.ConvertOptions(column_types={"sequence": pa.binary(), "expression": pa.float64()}, check_utf8=False)


class Block(NamedTuple):
    """Rows that need no further check.

    `text` is `NN`, and every insert and `NN` after it, as `encoding.kmer_ids` takes them; `lengths`, int64 (n,), are
    the inserts' in bp; `expression` is float64 (n,).
    """

    text: bytes
    lengths: np.ndarray
    expression: np.ndarray


def scan_blocks(path: str | Path, *, columns: Columns = USUAL) -> Iterator[Block | Record | BadRow]:
    """Like `scan_records(path, labelled=True)`, but rows that need no closer look come as `Block`s."""
    return scan_records(path, labelled=True, text_scanner=_scan_text, columns=columns)


def _scan_text(
    stream: BinaryIO, name: str, labelled: bool, columns: Columns, keep: bool
) -> Iterator[Block | Record | BadRow]:
    lines = rows = 0
    try:
        first = stream.readline(_BLOCK)
        stream = rejoin(first, stream)
        if columns != USUAL or not first.endswith(b"\n") or parse_block(first) is None:
            yield from scan_text(stream, name, labelled, columns, keep)
            return
        for text in _whole_lines(stream):
            if block := parse_block(text):
                yield block
                lines, rows = lines + len(block.lengths), rows + len(block.lengths)
            else:
                lines, rows = yield from scan_plain(lines_of(io.BytesIO(text), name, lines), name, labelled, rows)
    except DAMAGE as error:
        raise damaged(f"{name}:{lines + 1}", error) from error


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The stream in blocks that end with a line; where it is damaged, the whole lines before come first."""
    rest, wanted = bytearray(), _BLOCK
    try:
        while data := stream.read1(_BLOCK):
            rest += data
            if len(rest) >= wanted:
                end = _end_of_lines(rest)
                if not end and len(rest) > 4 * LONGEST_RECORD:  # too long in any characters, which is found out later
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
    """The rows of whole lines; None if any needs a closer look.

    >>> parse_block(b"TGCATTTTTTTCACATCACGT\\t11.5\\nAC\\t3\\n")
    Block(text=b'NNACGTNNACNN', lengths=array([4, 2]), expression=array([11.5,  3. ]))
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
    lengths = pc.binary_length(insert).to_numpy().astype(np.int64)
    if lengths.min() < 1 or lengths.max() > LONGEST_INSERT or not (np.abs(expression) <= LARGEST_LABEL).all():
        return None
    inserts = pc.binary_join(pa.ListArray.from_arrays([0, len(insert)], insert), b"NN")[0].as_py()
    return None if inserts.translate(None, b"ACGTN") else Block(b"NN" + inserts + b"NN", lengths, expression)
