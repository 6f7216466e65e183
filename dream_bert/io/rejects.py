"""Handle rows that cannot be used: stop at the first, or skip, count and list them."""

import csv
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from ..errors import InputWarning, ReadError
from ..sequence.construct import SequenceError
from .output import open_output, text_stream
from .records import BadRow, Record

ON_ERROR = ("stop", "skip")
"""Choices for a row that cannot be used."""

_Use = TypeVar("_Use")


class Rejects:
    """The rows of a run that cannot be used.

    Args:
        on_error: `stop` at the first, with its error; or `skip` them.
        listing: text stream for a TSV of the skipped rows, with the header `where`, `reason`, `text`. Default: none.

    Attributes:
        counts: the number of rows skipped for each reason.

    Raises:
        ValueError: if `on_error` is neither.
    """

    def __init__(self, on_error: str = "stop", listing: IO[str] | None = None):
        if on_error not in ON_ERROR:
            raise ValueError(f"on_error is {on_error!r:.80}; give {' or '.join(ON_ERROR)}")
        self.counts: Counter[str] = Counter()
        self._stop = on_error == "stop"
        self._writer = csv.writer(listing, delimiter="\t", lineterminator="\n") if listing else None
        if self._writer:
            self._writer.writerow(("where", "reason", "text"))

    def use(self, row: Record | BadRow, check: Callable[[Record], _Use]) -> _Use | None:
        """Return what `check` returns for a row, or None if the row is skipped.

        Args:
            row: as `scan_records` yields it.
            check: a function that never returns None, and raises a `SequenceError` for a sequence that cannot be used.

        Raises:
            ReadError, SequenceError: if the row cannot be used, unless such rows are skipped.
        """
        if isinstance(row, BadRow):
            if self._stop:
                raise row.error()
            self._add(row)
            return None
        try:
            return check(row)
        except SequenceError as error:
            if self._stop:
                hint = "--on-error skip leaves such sequences out"
                raise SequenceError(f"{error}; {hint}", error.reason) from error
            labels = row.expression if isinstance(row.expression, tuple) else (row.expression,)
            text = "\t".join([row.sequence, *(str(label) for label in labels if label is not None)])
            self._add(BadRow(row.where, text, error.reason, str(error).removeprefix(f"{row.where}: ")))
            return None

    def good(self, rows: Iterable[Record | BadRow], check: Callable[[Record], _Use]) -> Iterator[tuple[Record, _Use]]:
        """Yield the rows that are not skipped, each with what `check` returns for it."""
        for row in rows:
            if (use := self.use(row, check)) is not None:
                yield row, use

    def _add(self, row: BadRow) -> None:
        self.counts[row.reason] += 1
        if self._writer:
            self._writer.writerow((row.where, row.detail, row.text))

    def summary(self) -> str:
        """Return the reasons with their counts, in one line."""
        return ", ".join(f"{count} {reason}" for reason, count in self.counts.items())

    def none_left(self) -> ReadError:
        """Return the error of an input of which all rows were skipped."""
        return ReadError(f"no sequence of the input can be used ({self.summary()}); correct the input")

    def warn(self) -> None:
        """Warn of the skipped rows: one `InputWarning` for each reason, with its count."""
        for reason, count in self.counts.items():
            warnings.warn(f"skipped {count} rows: {reason}", InputWarning, stacklevel=3)


@contextmanager
def open_rejects(on_error: str = "stop", path: str | Path | None = None) -> Iterator[Rejects]:
    """Open `Rejects` that are listed in a file, which appears when it is complete; None for no listing.

    Raises:
        ValueError: if `on_error` is not one of `ON_ERROR`, or `path` is given but rows are not skipped.
        OSError: if the file cannot be written.
    """
    if path is None:
        yield Rejects(on_error)
        return
    if on_error == "stop":
        raise ValueError(f"{path}: is for skipped rows, and rows are not skipped; give --on-error skip, too")
    with open_output(Path(path)) as file, text_stream(file, Path(path)) as listing:
        yield Rejects(on_error, listing)
