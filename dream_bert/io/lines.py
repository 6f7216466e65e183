"""Read the lines of a text stream, also those that are too long or not text."""

import io
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from .records import FORMATS, LONGEST_RECORD, RowFault, too_long
from .streams import DAMAGE, damaged


def lines_of(stream: BinaryIO, name: str, number: int = 0) -> Iterator[tuple[int, str]]:
    """Yield the lines of a stream, each with its number.

    Faulty lines are yielded, too, so that `line_fault` can find them: a line that is too long is cut one character
    after the limit, and bytes that are not UTF-8 become lone surrogates. (A strict decoder reads ahead, so its errors
    do not belong to the current line.)

    Args:
        stream: the bytes to decode.
        name: the file's name, for messages.
        number: how many lines of the file come before the stream.

    Raises:
        ReadError: if the stream is gzip and damaged.
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
    """Return the fault of a line that is too long or not text, in any format; None for other lines."""
    if len(line) > LONGEST_RECORD:
        return too_long("line")
    if "\0" in line or not (line.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in line)):
        return RowFault("not text", f"is not UTF-8 text; give {FORMATS}")
    return None
