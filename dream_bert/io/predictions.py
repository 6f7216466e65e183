"""Lay out the table of predictions, and write the challenge's submission."""

from collections.abc import Iterable
from typing import IO

from .table_writer import TABLE_FORMATS, Column, Part

FORMATS = TABLE_FORMATS | {".json": "submission"}
"""Formats of predictions by the suffix of a file."""


def prediction_columns(kept: Iterable[str], numbers: Iterable[str], notes: bool) -> list[Column]:
    """Return the columns `id`, the input's other columns, the numbers, and `note` if asked for.

    One of the input whose name the table has already becomes `input_NAME`.

    >>> [column.name for column in prediction_columns(["gene", "expression"], ["expression"], notes=True)]
    ['id', 'gene', 'input_expression', 'expression', 'note']
    """
    last = [*(Column(name, "number") for name in numbers), *([Column("note")] if notes else [])]
    own = {"id", *(column.name for column in last)}
    taken = {*own, *kept}
    names = ["id"]
    for name in kept:
        if name in own:
            while name in taken:
                name = f"input_{name}"
            taken.add(name)
        names.append(name)
    return [*map(Column, names), *last]


def write_submission(text: IO[str], parts: Iterable[Part], precision: int) -> int:
    """Write expression by row number, `{"0": ...}`, and return the number of rows.

    Args:
        text: what is written to.
        parts: the columns `id` and `expression`.
        precision: decimals.
    """
    text.write("{")
    count = 0
    for _, expression in parts:
        for row, value in enumerate(expression.tolist(), count):
            text.write(f'{", " if row else ""}"{row}": {value:z.{precision}f}')
        count += len(expression)
    text.write("}\n")
    return count
