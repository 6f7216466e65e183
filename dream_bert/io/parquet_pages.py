"""Read how large the pages of a Parquet file are, before a page is decoded.

A page of a few kilobytes may unpack to gigabytes. Its header says to how many bytes, and the decoder takes them at
once; pyarrow does not show it. What pyarrow shows of a column chunk ends the process where the footer is damaged, as a
C++ exception passes through. So the footer is read here, too. The format is https://github.com/apache/parquet-format,
in Thrift's compact protocol, whose structures are read as dictionaries by the fields' numbers.
"""

import io
import os
import struct
from typing import Any, BinaryIO, NamedTuple

_DEEPEST = 16
"""Levels of structures within each other; a footer has 7."""

_LONGEST_TEXT = 1 << 20
"""Bytes of a text in a header or footer."""

_LARGEST_FOOTER = 1 << 26
"""Bytes of a footer; one of a thousand row groups has 1 MiB."""

_DICTIONARY_PAGE = 2
_DELTA_ENCODINGS = {6, 7}


class Chunk(NamedTuple):
    """A column's pages in one row group.

    `start` and `size`, in bytes, are their place in the file; `is_delta` says whether a page stores texts by what they
    share with the ones before.
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
    except (LookupError, TypeError, AttributeError, UnicodeDecodeError):  # values of other kinds than they should be
        raise ValueError("the footer is damaged") from None


def _chunk(fields: dict[int, Any]) -> Chunk:
    starts = [start for start in (fields[9], fields.get(11)) if start is not None and start > 0]
    column = ".".join(part.decode() for part in fields[3])
    return Chunk(column, min(starts, default=0), int(fields[7]), not _DELTA_ENCODINGS.isdisjoint(fields[2]))


def held_bytes(file: BinaryIO, chunk: Chunk) -> int:
    """Return the bytes that are in memory while a column chunk is read: its dictionary and its largest page, unpacked.

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
    """Read a value of one of Thrift's types."""
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
    raise ValueError("a header is damaged")  # maps, which Parquet has not


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
