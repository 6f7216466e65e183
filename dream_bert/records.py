"""Rows as they are read, good and bad: sequences, labels, and the columns they stand in."""

from typing import NamedTuple

from .streams import ReadError, shown

LABEL_COLUMNS = ("expression", "activity")
ID_COLUMNS = ("id", "name")

LARGEST_LABEL = 3.4028234663852886e38
"""The largest float32; labels are stored as such."""


class Record(NamedTuple):
    """One sequence as read, not yet checked.

    `id` is the row's number from 0 where the input names none; blank lines are no rows. `where` is `FILE:LINE`
    from 1 (FASTA: the header's line), in Parquet `FILE:row N` from 1.
    """

    id: str
    sequence: str
    expression: float | None
    where: str


class BadRow(NamedTuple):
    """A row without a usable record: `reason` names the kind of fault, `detail` also the value and what to do."""

    where: str
    text: str
    reason: str
    detail: str

    def error(self) -> ReadError:
        return ReadError(f"{self.where}: {self.detail}")


class RowFault(ValueError):
    """What is wrong with one row, raised with (reason, detail)."""


def parse_label(text: str | float | None) -> float:
    """A label from text, or as a column of numbers holds it; finite as float32, in which labels are stored.

    Raises:
        RowFault: if it is missing, not a number, or not finite.
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


def parse_number(text: str) -> float:
    """The number in a text, not in Python's own spellings, as `1_0`.

    Raises:
        ValueError: if there is none.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"{text!r:.80} is no number")
    return float(text)


def find_columns(header: list[str], where: str, labelled: bool) -> tuple[int, int | None, int | None]:
    """The places of sequence, label and id among the columns' names, in lower case; None for one that is not there.

    Raises:
        ReadError: if there is no sequence, no label though `labelled`, or one name twice.
    """

    def place(*names: str) -> int | None:
        found = next((name for name in names if name in header), None)
        if found and header.count(found) > 1:
            raise ReadError(f"{where}: has {header.count(found)} columns {found!r}; keep one")
        return header.index(found) if found else None

    sequence, label, id = place("sequence"), place(*LABEL_COLUMNS), place(*ID_COLUMNS)
    names = shown(", ".join(header))
    if sequence is None:
        raise ReadError(f"{where}: has no column 'sequence' but {names}; rename the column")
    if labelled and label is None:
        raise ReadError(f"{where}: has no column 'expression' or 'activity' but {names}; add the labels")
    return sequence, label, id
