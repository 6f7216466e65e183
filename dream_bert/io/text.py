"""Read sequences from text: FASTA, or one sequence on each line. Tables are read by `tables`."""

import warnings
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

from ..errors import InputWarning, ReadError
from .foreign_formats import refuse_text
from .lines import line_fault, lines_of
from .records import (
    LONGEST_RECORD,
    USUAL,
    BadRow,
    Columns,
    Record,
    RowFault,
    check_sizes,
    parse_label,
    too_long,
)
from .table_layout import find_layout
from .tables import scan_table

_AHEAD_LINES = 200
_AHEAD_CHARACTERS = 1 << 20
"""Size of the look-ahead, by which the format is recognised."""

_SHORTEST_WRAP = 50
"""Least length, in bases, of lines that may be one wrapped sequence; FASTA is wrapped at 50 to 80."""

Lines = Iterable[tuple[int, str]]
"""Line numbers, from 1, and lines."""


class Ahead(NamedTuple):
    """The first lines of a text, without blank ones.

    `whole` is True if there are no others. `lines` yields all lines, these included.
    """

    first: list[tuple[int, str]]
    whole: bool
    lines: Iterator[tuple[int, str]]


def scan_text(
    stream: BinaryIO, name: str, labelled: bool, columns: Columns = USUAL, keep: bool = False
) -> Iterator[Record | BadRow]:
    """Read the rows of a text in any of the formats. Other arguments are those of `scan_records`."""
    first, whole, lines = look_ahead(lines_of(stream, name))
    if not first:
        next(lines, None)  # raises the error that ended the look-ahead, if any
        return
    number, line = first[0]
    if line_fault(line) and len(line) <= LONGEST_RECORD:
        raise ReadError(f"{name}:{number}: {line_fault(line).args[1]}")
    refuse_text(first, name)
    content = next((line.lstrip() for _, line in first if line.lstrip()[0] not in "#;"), "")
    if content.startswith(">"):
        if columns != USUAL:
            raise ReadError(f"{name}: is FASTA, which has no columns; leave the names of columns out")
        yield from _scan_fasta(lines, name, labelled, keep, _share_first_word(first, labelled))
    elif layout := find_layout(first, name, labelled, columns):
        yield from scan_table(lines, name, labelled, layout, keep)
    else:
        if whole and _is_wrapped(first):
            what = "each line is read as a sequence of its own, though the lines look like one wrapped sequence"
            warnings.warn(f"{name}: {what}; if so, put a FASTA header before it, as >name", InputWarning, stacklevel=2)
        yield from _with_others(scan_plain(lines, name, labelled), keep)


def look_ahead(lines: Iterator[tuple[int, str]]) -> Ahead:
    """Read the first lines. An error among them is raised where `lines` comes to it."""
    read, first, size, fault, whole = [], [], 0, None, True
    try:
        for number, line in lines:
            if not line.isspace():
                first.append((number, line))
            if first:
                read.append((number, line))
                size += len(line)
            if len(first) == _AHEAD_LINES or size > _AHEAD_CHARACTERS:
                whole = False
                break
    except ReadError as error:
        fault = error

    def again() -> Iterator[tuple[int, str]]:
        yield from read
        read.clear()
        if fault is not None:
            raise fault
        yield from lines

    return Ahead(first, whole, again())


# --- FASTA ------------------------------------------------------------------------------------------------------


def _share_first_word(lines: Lines, labelled: bool) -> bool:
    """Return whether all headers have the same first word and differ in the others, as `>seq 1`, `>seq 2`."""
    headers = [line.strip() for _, line in lines if line.lstrip().startswith(">")]
    words = {"".join(header.split(maxsplit=1)[:1]) for header in headers}
    return len(headers) > 1 == len(words) and len({*headers}) == len(headers) and not (labelled and "|" in words.pop())


def _scan_fasta(lines: Lines, name: str, labelled: bool, keep: bool, whole_header: bool) -> Iterator[Record | BadRow]:
    """Read FASTA; lines that begin with `;` or `#` are comments."""
    row, number, header, parts, length, fault = -1, 0, "", [], 0, None
    for line_number, line in chain(lines, [(0, ">")]):
        text = line.strip()
        if text.startswith(">"):
            if fault:
                yield BadRow(f"{name}:{fault[0]}", header[:LONGEST_RECORD], *fault[1].args)
            elif row >= 0:
                yield _fasta_row(row, header, "".join(parts), f"{name}:{number}", labelled, keep, whole_header)
            row, number, header, parts, length, fault = row + 1, line_number, text, [], 0, None
        elif text[:1] in ";#":  # also true of an empty text
            continue
        else:
            length += len(text)
            if length <= LONGEST_RECORD:
                parts.append(text)
            elif fault is None:
                fault, parts = (number, too_long("sequence")), []
        if (wrong := line_fault(line)) and (fault is None or fault[0] == number):
            fault, parts = (line_number, wrong), []


def _fasta_row(
    row: int, header: str, sequence: str, where: str, labelled: bool, keep: bool, whole_header: bool
) -> Record | BadRow:
    word, description, *_ = *header[1:].split(maxsplit=1), "", ""
    id = header[1:].strip() if whole_header or header[1:2].isspace() else word
    others = {"description": description} if keep else None
    label = None
    try:
        if labelled:
            id, bar, text = id.rpartition("|")
            label = parse_label(text if bar else "")
        check_sizes(id, others)
    except RowFault as fault:
        return BadRow(where, header, *fault.args)
    return Record(id or str(row), sequence, label, where, others)


# --- one sequence a line ----------------------------------------------------------------------------------------


def scan_plain(
    lines: Lines, name: str, labelled: bool, row: int = 0
) -> Generator[Record | BadRow, None, tuple[int, int]]:
    """Read lines without a header, `sequence` or `sequence TAB label`. Lines that begin with `#` are comments.

    Args:
        lines: numbers and lines.
        name: the file's name, for messages.
        labelled: whether labels are read.
        row: how many rows of the file come before these lines.

    Returns:
        The last line's number, and how many rows of the file have come by then.
    """
    number = 0
    for number, line in lines:
        sequence, _, label = line.partition("\t")
        sequence = sequence.strip()
        if sequence.startswith("#") or not (label or sequence):
            continue
        where = f"{name}:{number}"
        try:
            if fault := line_fault(line):
                raise fault
            yield Record(str(row), sequence, parse_label(label.strip()) if labelled else None, where)
        except RowFault as fault:
            yield BadRow(where, line.rstrip("\n"), *fault.args)
        row += 1
    return number, row


def _with_others(rows: Iterator[Record | BadRow], keep: bool) -> Iterator[Record | BadRow]:
    """Give records without other columns an empty `others`, if `keep` is set."""
    return (row._replace(others={}) if isinstance(row, Record) else row for row in rows) if keep else rows


def _is_wrapped(lines: list[tuple[int, str]]) -> bool:
    """Return whether all lines have the same length but the last, which is shorter."""
    lengths = [len(line.strip()) for _, line in lines if not line.startswith("#") and "\t" not in line]
    if len(lengths) < 2 or len(lengths) < len([line for _, line in lines if not line.startswith("#")]):
        return False
    return len({*lengths[:-1]}) == 1 and lengths[0] >= _SHORTEST_WRAP and lengths[-1] < lengths[0]
