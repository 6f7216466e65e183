"""Represent rows as they are read, good and bad, and check their parts."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import ReadError

LONGEST_RECORD = 1 << 22
"""Characters of a line, a sequence or a table's row. (A small gzip file may unpack to gigabytes on one line.)"""

LONGEST_ID = 4096
"""Characters of a record's id."""

LONGEST_OTHERS = 1 << 16
"""Characters of a record's other columns together."""

FORMATS = "FASTA, TSV or CSV with a column 'sequence', one sequence a line, or Parquet, plain or gzipped"

LARGEST_LABEL = 3.4028234663852886e38
"""The largest float32; labels are stored as such."""


class Record(NamedTuple):
    """One sequence as read, not yet checked.

    `id` is the row's number from 0 if the input has no ids; blank lines are not counted. `where` is `FILE:LINE` from 1
    (FASTA: the header's line), in Parquet `FILE:row N` from 1. `others`, if wanted, are the row's other columns by
    name, as text, in the order of the file; for FASTA it is `description`, the header after its first word.
    `expression` is a number for each column of labels, if there are several; NaN where it is missing.
    """

    id: str
    sequence: str
    expression: float | tuple[float, ...] | None
    where: str
    others: dict[str, str] | None = None


class Columns(NamedTuple):
    """Names of a table's columns; None for one that is found by its usual names. Several may hold labels."""

    sequence: str | None = None
    id: str | None = None
    label: str | tuple[str, ...] | None = None


USUAL = Columns()
"""All columns are found by their usual names."""


class BadRow(NamedTuple):
    """A row that gives no record: `reason` is the kind of fault, `detail` has also the value and what to do."""

    where: str
    text: str
    reason: str
    detail: str

    def error(self) -> ReadError:
        return ReadError(f"{self.where}: {self.detail}")


class RowFault(ValueError):
    """The fault of a row, raised with (reason, detail)."""


def check_sizes(id: str, others: dict[str, str] | None) -> None:
    """Check the lengths of an id and of the other columns.

    Raises:
        RowFault: if one is too long.
    """
    if len(id) > LONGEST_ID:
        raise RowFault("id too long", f"the id has more than {LONGEST_ID} characters; shorten it")
    if others is not None and sum(map(len, others.values())) > LONGEST_OTHERS:
        what = f"the other columns have more than {LONGEST_OTHERS} characters"
        raise RowFault("other columns too long", f"{what}; shorten them or leave them out")


def too_long(what: str) -> RowFault:
    """Return the fault of a line, sequence or row that is longer than `LONGEST_RECORD`."""
    return RowFault(f"{what} too long", f"the {what} has more than {LONGEST_RECORD} characters; give windows of it")


def parse_label(text: str | float | None) -> float:
    """Return the label in a text, or in a value of a column of numbers.

    Raises:
        RowFault: if it is missing, not a number, or not finite as float32, in which labels are stored.
    """
    if text is None or text == "" or str(text).isspace():
        raise RowFault("missing label", "the label is missing; give an expression to every row")
    try:
        value = parse_number(text) if isinstance(text, str) else float(text)
    except (TypeError, ValueError):
        what = f"the label {text!r:.80} is no number"
        raise RowFault("label not a number", f"{what}; correct or remove the row") from None
    if not abs(value) <= LARGEST_LABEL:
        raise RowFault("label not finite", f"the label {text!r:.80} is not finite; correct or remove the row")
    return value


def parse_labels(values: Sequence[str | float | None]) -> float | tuple[float, ...]:
    """Return the label of a row, or its several labels, of which some may be missing: empty, `NA` or `NaN`.

    Raises:
        RowFault: as `parse_label`; and if all of several are missing.

    >>> parse_labels(["1.5"]), parse_labels(["1.5", "NA"])
    (1.5, (1.5, nan))
    """
    if len(values) == 1:
        return parse_label(values[0])
    labels = tuple(math.nan if _is_missing(value) else parse_label(value) for value in values)
    if all(map(math.isnan, labels)):
        raise RowFault("missing label", "all labels are missing; give one to every row")
    return labels


def _is_missing(value: str | float | None) -> bool:
    return value is None or str(value).strip().lower() in ("", "na", "nan")


def parse_number(text: str) -> float:
    """Return the number in a text. Spellings that only Python has, as `1_0`, are none.

    Raises:
        ValueError: if there is none.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"{text!r:.80} is no number")
    return float(text)
