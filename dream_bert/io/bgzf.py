"""Write BGZF: gzip in blocks of at most 64 KiB, so that tabix and bgzip can seek in it.

The format is that of the SAM specification, section 4.1 (https://samtools.github.io/hts-specs/SAMv1.pdf). The same
content gives the same bytes: no time and no name is written.
"""

import io
import os
import struct
import zlib
from typing import IO, BinaryIO

BLOCK = 0xFF00
"""Bytes of content in a block, as in bgzip; a block that does not compress then stays below 64 KiB."""

_HEADER = bytes.fromhex("1f8b08040000000000ff060042430200")
_EMPTY_BLOCK = _HEADER + bytes.fromhex("1b0003000000000000000000")
"""The block that marks the end of a file."""


def is_cut_off(file: BinaryIO) -> bool:
    """Return True if what follows in a stream is BGZF without the block at its end, as far as it can be sought."""
    if not file.seekable():
        return False
    place = file.tell()
    head = file.read(len(_HEADER))
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - len(_EMPTY_BLOCK)))
    tail = file.read()
    file.seek(place)
    return head[:4] == _HEADER[:4] and head[10:] == _HEADER[10:] and tail != _EMPTY_BLOCK


class BgzfWriter(io.BufferedIOBase):
    """A binary stream that compresses to another one, which stays open.

    Args:
        file: the stream that is written to.
    """

    def __init__(self, file: IO[bytes]):
        self._file, self._pending = file, bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._pending += data
        whole = len(self._pending) - len(self._pending) % BLOCK
        for start in range(0, whole, BLOCK):
            self._write_block(self._pending[start : start + BLOCK])
        del self._pending[:whole]
        return len(data)

    def close(self) -> None:
        """Write what is pending, and the block that marks the end."""
        if not self.closed:
            try:
                if self._pending:
                    self._write_block(self._pending)
                self._file.write(_EMPTY_BLOCK)
            finally:
                super().close()

    def _write_block(self, content: bytes) -> None:
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(content) + packer.flush()
        size = len(_HEADER) + 2 + len(packed) + 8
        self._file.write(_HEADER + struct.pack("<H", size - 1) + packed)
        self._file.write(struct.pack("<II", zlib.crc32(content), len(content)))
