"""Find the layout of a table by its first lines: delimiter, header, and which column holds what."""

import csv
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from ..errors import ReadError
from .columns import find_columns, is_header, named_columns
from .records import USUAL, Columns, parse_number
from .streams import shown

_SEP = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""The first line of a file for Excel, which gives the delimiter."""

_SEQUENCE = re.compile(r"[ACGTURYSWKMBDHVN\s]+", re.IGNORECASE | re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?")
_MISSING = ("", "na", "n/a", "nan", "null", "none", ".", "-")
_MOST = 0.8
"""Share of a column's values that decides its kind."""

_SHORTEST_SEQUENCE = 4
"""Least length, in bases, of the longest sequence of a column. Labels of a letter or two may look like bases."""

_LONGEST_WORD = 12
"""Most letters of a column name that consists of IUPAC codes, as `mut`; a longer one is a sequence."""


class Layout(NamedTuple):
    """How to read a table.

    `header` has the names of its columns, `line` is the number of the line before its first row, and `places` are the
    columns of sequence, labels and id, as `find_columns` returns them.
    """

    delimiter: str
    header: list[str]
    line: int
    places: tuple[int, tuple[int, ...], int | None]
    decimal_comma: bool


def find_layout(lines: Sequence[tuple[int, str]], name: str, labelled: bool, columns: Columns) -> Layout | None:
    """Find the layout of a text that is not FASTA; None if its lines are `sequence` or `sequence TAB label`.

    Args:
        lines: numbers and lines from the beginning of the text, none of them blank.
        name: the file's name, for messages.
        labelled: whether labels are read.
        columns: names to find the columns by.

    Raises:
        ReadError: if the text is a table without these columns, or with another delimiter.
    """
    delimiter = None
    if sep := _SEP.fullmatch(lines[0][1].rstrip("\n")):
        delimiter, lines = sep[1], lines[1:]
    comments = [(number, line) for number, line in lines if line.startswith("#")]
    body = [(number, line) for number, line in lines if not line.startswith("#")]
    if not body:  # comments, or a header such as `#id TAB sequence` without rows
        return None
    number, line = body[0]
    delimiter = delimiter or _delimiter(line, columns)
    rows = _cells((line for _, line in body), delimiter or ",")
    if not rows:  # a field too long for the csv module: one long sequence
        return None
    if columns == USUAL and delimiter == "\t" and _is_challenge(rows[0]):
        return None
    if is_header(rows[0], columns):
        header, rows = rows[0], rows[1:]
    elif commented := _commented_header(comments, delimiter or ",", len(rows[0]), columns):
        number, header = commented
    else:
        _refuse_other_delimiters(line, f"{name}:{number}")
        if columns != USUAL or _is_unknown_header(rows[0], rows[1:]):
            raise _no_known_column(rows[0], f"{name}:{number}", columns)
        header, number = _name_columns(rows, delimiter, f"{name}:{number}"), number - 1
        if header is None:
            return None
    if delimiter is None and (split := next((d for d in "\t;" if all(d in line for _, line in body[1:])), None)):
        delimiter, rows = split, _cells((line for _, line in body[1:]), split)  # row names beside one column
    header = _with_row_names(header, rows, name, columns)
    places = find_columns(header, f"{name}:{max(number, 1)}", labelled, columns)
    comma = delimiter in ("\t", ";") and any(_has_decimal_commas(rows, place, delimiter) for place in places[1])
    return Layout(delimiter or ",", header, number, places, comma)


# --- delimiter --------------------------------------------------------------------------------------------------


def _delimiter(line: str, columns: Columns) -> str | None:
    """Return the first delimiter of a line that gives a header, or else the first it has."""
    candidates = [delimiter for delimiter in "\t;," if delimiter in line]
    known = (d for d in candidates if any(is_header(cells, columns) for cells in _cells([line], d)))
    return next(known, next(iter(candidates), None))


def _cells(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    """Return the cells of rows, up to the first that cannot be read."""
    rows = []
    with suppress(csv.Error):
        rows.extend(cells for cells in csv.reader(lines, delimiter=delimiter) if cells)
    return rows


def _refuse_other_delimiters(line: str, where: str) -> None:
    for delimiter, kind in (("|", "'|'"), (None, "spaces")):
        cells = [cell.strip().strip("\"'") for cell in line.split(delimiter)]
        if len(cells) > 1 and is_header(cells):
            raise ReadError(f"{where}: the columns are separated by {kind}; separate them by tabs or commas")


# --- header -----------------------------------------------------------------------------------------------------


def _is_challenge(cells: list[str]) -> bool:
    return len(cells) == 2 and _is_sequence(cells[0]) and _is_number(cells[1])


def _commented_header(
    comments: list[tuple[int, str]], delimiter: str, width: int, columns: Columns
) -> tuple[int, list[str]] | None:
    """Return the line number and the cells of the last comment that is a header of this width."""
    for number, line in reversed(comments):
        for cells in _cells([line.lstrip("#")], delimiter):
            if len(cells) == width and is_header(cells, columns):
                return number, cells
    return None


def _is_unknown_header(first: list[str], rows: list[list[str]]) -> bool:
    """Return whether the first line differs from the rows as a header does: a word above numbers or sequences."""
    rows = [row for row in rows if len(row) == len(first)]
    if not rows or any(_is_number(cell) for cell in first):
        return False
    for name, values in zip(first, zip(*rows, strict=True), strict=True):
        values = [value.strip() for value in values if value.strip().lower() not in _MISSING]
        name = name.strip()
        if not values or name.lower() in _MISSING:
            continue
        if _are_most(_is_number, values) or (_are_most(_is_sequence, values) and _is_word(name, values)):
            return True
    return False


def _is_word(name: str, values: list[str]) -> bool:
    """Return whether a cell above sequences is a name, as `tag` above 80 bp, and not a sequence."""
    sequences = [value for value in values if _is_sequence(value)]
    lengths = sorted(map(len, sequences))
    if not _is_sequence(name):  # a sequence with an error has mostly bases, and the others' length
        return 2 * sum(letter in "ACGTUNacgtun" for letter in name) <= len(name) or 2 * len(name) <= lengths[0]
    if len(name) > _LONGEST_WORD or name in sequences:
        return False
    other_case = not name.isupper() and _are_most(str.isupper, sequences)
    other_codes = not _has_plain_bases(name) and _are_most(_has_plain_bases, sequences)
    return len(name) < lengths[len(lengths) // 2] if other_case or other_codes else 2 * len(name) < lengths[0]


def _no_known_column(first: list[str], where: str, columns: Columns) -> ReadError:
    names = shown(", ".join(cell.strip() for cell in first))
    asked = next(iter(named_columns(columns)), None)
    if asked is not None:
        return ReadError(f"{where}: has no column {asked!r:.80} but {names}; name one of these, or add a header")
    remedy = "rename the column, or name it with --sequence-column"
    if any(_is_sequence(cell) for cell in first):
        remedy += "; if this line is a sequence, put a line 'sequence' before it"
    return ReadError(f"{where}: has no column 'sequence' but {names}; {remedy}")


def _with_row_names(header: list[str], rows: list[list[str]], name: str, columns: Columns) -> list[str]:
    """Return the header with an unnamed column first, if all rows have one cell more: R's row names."""
    if not rows or any(len(row) != len(header) + 1 for row in rows):
        return header
    place = find_columns(header, name, labelled=False, columns=columns)[0]
    named, unnamed = ([row[i] for row in rows] for i in (place + 1, place))
    return ["", *header] if _are_most(_is_sequence, named) and not _are_most(_is_sequence, unnamed) else header


def _name_columns(rows: list[list[str]], delimiter: str | None, where: str) -> list[str] | None:
    """Return names for the columns of a table without a header; None if it is lines of sequences.

    Raises:
        ReadError: if a column has sequences, but it is not clear what the others have.
    """
    if delimiter is None:
        return None
    kinds = [_kind(values) for values in zip(*rows, strict=False)]
    if any(len(row) != len(rows[0]) for row in rows):
        kinds = kinds[:1] + ["mixed"] * (len(kinds) > 1)
    if "sequence" not in kinds or (delimiter == "\t" and "sequence" not in kinds[1:]) or kinds[0] == "missing":
        return None
    known = {
        ("text", "sequence"): ["id", "sequence"],
        ("text", "sequence", "number"): ["id", "sequence", "expression"],
        ("sequence", "number"): ["sequence", "expression"],
    }
    kinds[0] = "text" if kinds[0] == "count" else kinds[0]
    kinds = ["number" if kind == "count" else kind for kind in kinds]
    if (header := known.get(tuple(kinds))) is None:
        what = f"has {len(rows[0])} columns and no header, and it is unclear which holds the sequences"
        raise ReadError(f"{where}: {what}; add a header, as id, sequence, expression")
    return header


# --- values -----------------------------------------------------------------------------------------------------


def _kind(values: Sequence[str]) -> str:
    given = [value.strip() for value in values if value.strip()]
    if not given:
        return "missing"
    if all(map(_is_sequence, given)) and max(map(len, given)) >= _SHORTEST_SEQUENCE and len(given) == len(values):
        return "sequence"
    if all(value.isdecimal() for value in given):
        return "count"
    return "number" if all(map(_is_number, given)) else "text"


def _are_most(test, values: Sequence[str]) -> bool:
    return sum(map(test, values)) >= _MOST * len(values)


def _is_sequence(text: str) -> bool:
    return bool(_SEQUENCE.fullmatch(text)) and not text.isspace()


def _has_plain_bases(text: str) -> bool:
    return not set(text.upper()) - set("ACGTUN")


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except ValueError:
        return False
    return True


def _has_decimal_commas(rows: list[list[str]], place: int, delimiter: str) -> bool:
    """Return whether labels have decimal commas. (Before three digits, a comma may separate thousands.)"""
    labels = [row[place].strip() for row in rows if len(row) > place and row[place].strip()]
    fractions = [label.partition(",")[2] for label in labels if "," in label]
    if not fractions or not all(map(_DECIMAL_COMMA.fullmatch, labels)):
        return False
    return delimiter == ";" or any(len(fraction) != 3 for fraction in fractions)
