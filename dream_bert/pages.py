"""Read how large the pages of a Parquet file are, before a page is decoded.

A page of a few kilobytes may unpack to gigabytes. Its header says to how many bytes, and the decoder takes them at
once; pyarrow does not show it. The format is https://github.com/apache/parquet-format, in Thrift's compact protocol.
"""

from typing import BinaryIO

import pyarrow.parquet as pq

_DEEPEST = 16
"""Levels of structures in a header; a page's has 4."""


def held_bytes(file: BinaryIO, column: pq.ColumnChunkMetaData) -> int:
    """Return the bytes that are in memory while a column chunk is read: its dictionary and its largest page, unpacked.

    Raises:
        ValueError: if the headers cannot be read.
    """
    starts = (column.dictionary_page_offset, column.data_page_offset)
    place = min(start for start in starts if start is not None and start > 0)
    end = place + column.total_compressed_size
    dictionary = largest = 0
    while place < end:
        file.seek(place)
        kind, unpacked, packed = _page_header(file)
        if unpacked < 0 or packed < 0:
            raise ValueError("a page has a negative size")
        if kind == 2:
            dictionary += unpacked
        largest = max(largest, unpacked)
        place = file.tell() + packed
    return dictionary + largest


def _page_header(file: BinaryIO) -> tuple[int, int, int]:
    """Return a page's type and its sizes, unpacked and packed, in bytes; the file then stands at the page's data."""
    fields = {}
    field = 0
    while head := _byte(file):
        field = field + (head >> 4) if head >> 4 else _integer(file)
        if head & 15 == 5:
            fields[field] = _integer(file)
        else:
            _skip(file, head & 15, _DEEPEST)
    if not {1, 2, 3} <= fields.keys():
        raise ValueError("a page has no size")
    return fields[1], fields[2], fields[3]


def _skip(file: BinaryIO, kind: int, depth: int) -> None:
    """Skip a value of one of Thrift's types."""
    if depth == 0:
        raise ValueError("a page's header is nested too deeply")
    if kind in (1, 2):  # booleans: the type is the value
        return
    if kind in (4, 5, 6):
        _varint(file)
    elif kind in (3, 7):
        file.seek(1 if kind == 3 else 8, 1)
    elif kind == 8:
        file.seek(_varint(file), 1)
    elif kind == 12:
        while head := _byte(file):
            if not head >> 4:
                _varint(file)
            _skip(file, head & 15, depth - 1)
    else:  # lists and maps, which no page's header has
        raise ValueError("a page's header is damaged")


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
    raise ValueError("a page's header is damaged")


def _byte(file: BinaryIO) -> int:
    if not (byte := file.read(1)):
        raise ValueError("a page's header is cut off")
    return byte[0]
