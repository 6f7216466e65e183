"""Read the unpacked sizes of a Parquet file's pages from their headers, before any page is decoded.

A page of a few kilobytes may unpack to gigabytes, which the decoder allocates at once. The size is in the page's
header, which pyarrow does not show. The footer is read here, too, because pyarrow's view of a column chunk aborts the
process (an uncaught C++ exception) if the footer is damaged. The format, in Thrift's compact protocol, is that of
https://github.com/apache/parquet-format. A Thrift structure is read as a dictionary from field number to value.
"""

import io
import os
import struct
from typing import Any, BinaryIO, NamedTuple

_DEEPEST = 16
"""Levels of nested structures; a footer has 7."""

_LONGEST_TEXT = 1 << 20
"""Bytes of a text in a header or footer."""

_LARGEST_FOOTER = 1 << 26
"""Bytes of a footer; one of a thousand row groups has 1 MiB."""

_DICTIONARY_PAGE = 2
_DELTA_ENCODINGS = {6, 7}


class Chunk(NamedTuple):
    """A column's pages in one row group.

    `start` and `size`, in bytes, are their place in the file. With `is_delta`, a page stores each text as what differs
    from the one before.
    """

    column: str
    start: int
    size: int
    is_delta: bool


def read_chunks(file: BinaryIO) -> list[list[Chunk]]:
    """Read the column chunks of each row group from the footer.

    Raises:
        ValueError: if the footer is damaged.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(end - 8)
    size = struct.unpack("<I", file.read(4))[0]
    if size > min(end - 8, _LARGEST_FOOTER):
        raise ValueError("the footer is damaged")
    file.seek(end - 8 - size)
    footer = _structure(io.BytesIO(file.read(size)), _DEEPEST)
    try:
        return [[_chunk(column[3]) for column in group[1]] for group in footer.get(4, [])]
    except (LookupError, TypeError, AttributeError, UnicodeDecodeError):  # values of the wrong type
        raise ValueError("the footer is damaged") from None


def _chunk(fields: dict[int, Any]) -> Chunk:
    starts = [start for start in (fields[9], fields.get(11)) if start is not None and start > 0]
    column = ".".join(part.decode() for part in fields[3])
    return Chunk(column, min(starts, default=0), int(fields[7]), not _DELTA_ENCODINGS.isdisjoint(fields[2]))


def held_bytes(file: BinaryIO, chunk: Chunk) -> int:
    """Return the bytes in memory while a column chunk is read: those of its dictionary and its largest page, unpacked.

    Raises:
        ValueError: if the headers cannot be read.
    """
    place, end = chunk.start, chunk.start + chunk.size
    dictionary = largest = 0
    while place < end:
        file.seek(place)
        fields = _structure(file, _DEEPEST)
        kind, unpacked, packed = (fields.get(number) for number in (1, 2, 3))
        if not all(isinstance(value, int) and value >= 0 for value in (kind, unpacked, packed)):
            raise ValueError("a page has no size")
        if kind == _DICTIONARY_PAGE:
            dictionary += unpacked
        largest = max(largest, unpacked)
        place = file.tell() + packed
    return dictionary + largest


# --- Thrift's compact protocol ------------------------------------------------------------------------------------


def _structure(file: BinaryIO, depth: int) -> dict[int, Any]:
    fields, field = {}, 0
    while head := _byte(file):
        field = field + (head >> 4) if head >> 4 else _integer(file)
        kind = head & 15
        fields[field] = kind == 1 if kind in (1, 2) else _value(file, kind, depth - 1)
    return fields


def _value(file: BinaryIO, kind: int, depth: int) -> Any:
    """Read a value of a Thrift type, given by its number."""
    if depth == 0:
        raise ValueError("a header is nested too deeply")
    if kind in (1, 2, 3):  # in a list, a boolean is a byte
        return _byte(file)
    if kind in (4, 5, 6):
        return _integer(file)
    if kind == 7:
        return struct.unpack("<d", _bytes(file, 8))[0]
    if kind == 8:
        return _bytes(file, _varint(file))
    if kind in (9, 10):
        head = _byte(file)
        return [_value(file, head & 15, depth - 1) for _ in range(head >> 4 if head >> 4 < 15 else _varint(file))]
    if kind == 12:
        return _structure(file, depth)
    raise ValueError("a header is damaged")  # of maps, which Parquet does not use


def _integer(file: BinaryIO) -> int:
    value = _varint(file)
    return value >> 1 ^ -(value & 1)


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = _byte(file)
        value |= (byte & 127) << shift
        if byte < 128:
            return value
    raise ValueError("a header is damaged")


def _byte(file: BinaryIO) -> int:
    return _bytes(file, 1)[0]


def _bytes(file: BinaryIO, count: int) -> bytes:
    if count > _LONGEST_TEXT:
        raise ValueError("a header is damaged")
    if len(data := file.read(count)) < count:
        raise ValueError("a header is cut off")
    return data
