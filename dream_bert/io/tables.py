"""Read the rows of tables, tab-, semicolon- or comma-separated."""

import csv
from collections.abc import Iterable, Iterator

from ..errors import ReadError
from .columns import other_columns
from .lines import line_fault
from .records import LONGEST_RECORD, BadRow, Record, RowFault, check_sizes, parse_labels, too_long
from .streams import shown
from .table_layout import Layout


def scan_table(
    lines: Iterable[tuple[int, str]], name: str, labelled: bool, layout: Layout, keep: bool
) -> Iterator[Record | BadRow]:
    """Read the rows of a table. Lines that begin with `#` and have not as many cells as the header are comments.

    Args:
        lines: numbers and lines of the whole text.
        name: the file's name, for messages.
        labelled: whether labels are read.
        layout: the table's, as `find_layout` returns it.
        keep: whether records have `others`.
    """
    delimiter, header, first, (sequence, labels, id), decimal_comma = layout
    others = other_columns(header, [sequence, *labels, id], f"{name}:{max(first, 1)}") if keep else None
    row = length = 0
    wrong = None

    def texts() -> Iterator[str]:
        nonlocal length, wrong
        for number, text in lines:
            if number <= first:
                continue
            if fault := line_fault(text):
                wrong, text = fault, text if len(text) <= LONGEST_RECORD else "\n"
            length += len(text)
            if length > LONGEST_RECORD:  # an open quote joins all lines to one row
                raise ReadError(f"{name}:{number}: {too_long('row').args[1]}")
            yield text

    reader = csv.reader(texts(), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            fault, length, wrong = wrong, 0, None
            if fault is None and (
                (len(cells) <= 1 and not "".join(cells).strip())
                or (cells[0].startswith("#") and (len(cells) == 1 or len(cells) != len(header)))
            ):
                continue
            where = f"{name}:{first + reader.line_num}"
            try:
                if fault:
                    raise fault
                if len(cells) != len(header):
                    what = f"the row has {len(cells)} columns and the header {len(header)}"
                    raise RowFault("wrong number of columns", f"{what}; correct or remove the row")
                expression = None
                if labelled:
                    texts = (cells[place] for place in labels)
                    expression = parse_labels([text.replace(",", ".") if decimal_comma else text for text in texts])
                named = cells[id].strip() if id is not None else ""
                kept = None if others is None else {key: cells[place] for key, place in others.items()}
                check_sizes(named, kept)
                yield Record(named or str(row), cells[sequence].strip(), expression, where, kept)
            except RowFault as fault:
                yield BadRow(where, delimiter.join(cells), *fault.args)
            row += 1
    except csv.Error as error:
        where, what = f"{name}:{first + reader.line_num}", shown(str(error))
        raise ReadError(f"{where}: the table cannot be read ({what}); check the quotes before this line") from error
