"""Read sequences, with or without their expression, from any of the usual formats.

The format is recognised by the content, never by the name of the file. Files are streamed:

- FASTA: the id is the header's first word; a label follows the last `|` of that word, as in `>promoter1|11.5`. The
  whole header is the id if it begins with white space, or if all headers begin with the same word and differ in the
  others, as `>seq 1`, `>seq 2`. Lines that begin with `;` or `#` are comments.
- TSV or CSV, also with semicolons, with a header row. Columns are found by the given names, or by their usual names in
  any case and order: `sequence` or `seq`, `id` or `name`, `expression` or `activity` (all: `columns.USUAL_NAMES`). If
  the header is one name shorter than the rows, the first column has the ids, as R writes them. Decimal commas are read
  if all labels have them. Lines that begin with `#` and have not as many cells as the header are comments.
- A table without a header, if its first rows are clearly `id, sequence`, `id, sequence, label` or `sequence, label`.
- Lines without a header: one sequence each, or `sequence TAB expression`, the challenge's own format.
- Parquet with the columns of TSV.
- Any of these gzipped. Standard input is `-`.

An id has at most 4,096 characters, a sequence 4,194,304, and the other columns of a row 65,536 together.
"""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from ..errors import ReadError
from .foreign_formats import HEAD, refuse_binary
from .records import FORMATS, USUAL, BadRow, Columns, Record
from .streams import copy, peek
from .text import scan_text
from .text_file import open_stream


def read_records(
    path: str | Path, labelled: bool = False, *, columns: Columns = USUAL, keep: bool = False
) -> Iterator[Record]:
    """Read the records of a file, one after the other, up to the first bad row.

    Args:
        path: a file, or `-` for standard input.
        labelled: parse the labels; one that is missing, not a number, NaN or infinite is an error. Default: ignore
            them, so that `expression` is None.
        columns: names of the columns of a table. Default: found by their usual names.
        keep: give each record its `others`, the other columns of its row. Default: leave them out.

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
    path: str | Path, labelled: bool = False, *, columns: Columns = USUAL, keep: bool = False
) -> Iterator[Record | BadRow]:
    """Read the records of a file as `read_records` does, but yield a `BadRow` for each bad row and go on after it."""
    with ExitStack() as stack:
        name, file = stack.enter_context(open_stream(path))
        head, stream = peek(file, name, HEAD)
        if zipped := head[:2] == b"\x1f\x8b":
            head, stream = peek(gzip.GzipFile(fileobj=stream), name, HEAD)
        if head[:4] == b"PAR1":
            from .parquet import scan_parquet

            if zipped or not file.seekable():  # the footer is read first
                file = stack.enter_context(tempfile.TemporaryFile())
                copy(stream, file, name)
            rows = scan_parquet(file, name, labelled, columns, keep)
        else:
            refuse_binary(head, name)
            rows = scan_text(stream, name, labelled, columns, keep)
        if (first := next(rows, None)) is None:
            raise ReadError(f"{name}: has no record; give {FORMATS}")
        yield first
        yield from rows
