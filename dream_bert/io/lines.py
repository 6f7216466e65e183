"""Read the lines of a text stream, whatever they hold."""

import io
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from .records import FORMATS, LONGEST_RECORD, RowFault, too_long
from .streams import DAMAGE, damaged


def lines_of(stream: BinaryIO, name: str, number: int = 0) -> Iterator[tuple[int, str]]:
    """Yield line numbers and lines, after `number` others.

    What is wrong with a line, `line_fault` finds: of a line too long one character more than a line may have is
    yielded, and bytes that are not UTF-8 are lone surrogates. (A strict decoder works ahead of the lines, and so could
    not name the one at fault.)
    """
    encoding = "utf-8" if number else "utf-8-sig"
    try:
        text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape")
        read = partial(text.readline, LONGEST_RECORD + 1)
        for line in iter(read, ""):
            number += 1
            yield number, line
            while len(line) > LONGEST_RECORD and not line.endswith("\n"):
                line = read()
    except DAMAGE as error:
        raise damaged(f"{name}:{number + 1}", error) from error


def line_fault(line: str) -> RowFault | None:
    """Return what is wrong with a line, whatever its format."""
    if len(line) > LONGEST_RECORD:
        return too_long("line")
    if "\0" in line or not (line.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in line)):
        return RowFault("not text", f"is not UTF-8 text; give {FORMATS}")
    return None
