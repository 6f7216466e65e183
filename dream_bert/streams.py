"""Streams of bytes: looking at their beginning, and what goes wrong in them, told in one short line."""

import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading from a damaged gzip file raises."""

_BUFFER = 1 << 20


class ReadError(ValueError):
    """An input that cannot be read; the message is `FILE:LINE: what; what to do`."""


class _Joined(io.RawIOBase):
    """Bytes already read from a stream, then the rest of it."""

    def __init__(self, head: bytes, rest: BinaryIO):
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._head[: len(buffer)] or self._rest.read1(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def peek(stream: BinaryIO, name: str) -> tuple[bytes, BinaryIO]:
    """The first 4 bytes, and the stream with them still in front. (`peek` may give fewer, from a pipe.)"""
    try:
        head = stream.read(4)
    except DAMAGE as error:
        raise damaged(name, error) from error
    return head, rejoin(head, stream)


def rejoin(head: bytes, rest: BinaryIO) -> BinaryIO:
    """A stream with bytes that were read from it in front again."""
    return io.BufferedReader(_Joined(head, rest), _BUFFER)


def copy(stream: BinaryIO, file: BinaryIO, name: str) -> None:
    try:
        shutil.copyfileobj(stream, file, _BUFFER)
    except DAMAGE as error:
        raise damaged(name, error) from error


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Adds the file's name to an OSError of reading or writing, which names none."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = path
        raise


def shown(text: str, longest: int = 80) -> str:
    """Text of a file, or of a library about it, as a message shows it: its first characters, on one line.

    >>> print(shown("a\\nb"))
    a\\nb
    """
    return repr(text[:longest])[1:-1]


def damaged(where: str, error: Exception) -> ReadError:
    return ReadError(f"{where}: the gzip data are damaged or cut off ({error}); copy or compress the file again")
