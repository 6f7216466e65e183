"""Look at the beginning of a stream of bytes, and report its errors in one short line."""

import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from ..errors import ReadError

DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)
"""Exceptions that reading a damaged gzip file raises."""

_BUFFER = 1 << 20


class _Joined(io.RawIOBase):
    """The bytes already read from a stream, then the rest of it, or the error that came in its place."""

    def __init__(self, head: bytes, rest: BinaryIO, fault: Exception | None = None):
        self._head, self._rest, self._fault = head, rest, fault

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self._fault is not None and not self._head:
            raise self._fault
        data = self._head[: len(buffer)] or self._rest.read1(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def peek(stream: BinaryIO, name: str, size: int = 4) -> tuple[bytes, BinaryIO]:
    """Read the first `size` bytes, and return them and a stream that begins with them.

    (The stream's own `peek` may return fewer bytes of a pipe.)
    """
    head, fault = b"", None
    try:
        while len(head) < size and (data := stream.read1(size - len(head))):
            head += data
    except DAMAGE as error:
        if not head:
            raise damaged(name, error) from error
        fault = error
    return head, io.BufferedReader(_Joined(head, stream, fault), _BUFFER)


def copy(stream: BinaryIO, file: BinaryIO, name: str) -> None:
    """Copy a stream, named in errors, to a file."""
    try:
        shutil.copyfileobj(stream, file, _BUFFER)
    except DAMAGE as error:
        raise damaged(name, error) from error


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Add the file's name to an OSError that names no file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = path
        raise


def shown(text: str, longest: int = 80) -> str:
    """Return the beginning of a text of unknown origin, safe to print in a message.

    >>> print(shown("a\\nb", longest=2))
    a\\n
    """
    return printable(text[:longest])


def printable(text: str) -> str:
    """Escape characters that must not be printed: line breaks, terminal escapes, bidirectional controls and others.

    >>> print(printable("a\\x1b[31m \\u202e'é'"))
    a\\x1b[31m \\u202e'é'
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def damaged(where: str, error: Exception) -> ReadError:
    """Return the error of a damaged gzip file."""
    return ReadError(f"{where}: the gzip data are damaged or cut off ({error}); copy or compress the file again")
