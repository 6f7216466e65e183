"""Open files of lines, plain or gzipped, or standard input."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..errors import ReadError
from .foreign_formats import HEAD
from .lines import lines_of
from .streams import naming, peek, printable


class Lines(NamedTuple):
    """A file's name for messages, its first 64 unpacked bytes, and its lines with their numbers from 1."""

    name: str
    head: bytes
    lines: Iterator[tuple[int, str]]


@contextmanager
def open_stream(path: str | Path) -> Iterator[tuple[str, BinaryIO]]:
    """Open a file, or standard input for `-`; gives its name for messages, too.

    Raises:
        ReadError: if it is a folder, or standard input is closed.
        OSError: if it cannot be opened.
    """
    with ExitStack() as stack:
        if str(path) == "-":
            if sys.stdin is None:
                raise ReadError("stdin: is closed; pipe the input in, or name a file")
            name, file = "stdin", sys.stdin.buffer
        elif Path(path).is_dir():
            raise ReadError(f"{printable(str(path))}: is a folder; give a file")
        else:
            name, file = printable(str(path)), stack.enter_context(open(path, "rb"))
        stack.enter_context(naming(name))
        yield name, file


@contextmanager
def open_lines(path: str | Path) -> Iterator[Lines]:
    """Open a file of lines; what is gzipped is unpacked. Errors as of `open_stream`."""
    with open_stream(path) as (name, file):
        head, stream = peek(file, name, HEAD)
        if head[:2] == b"\x1f\x8b":
            head, stream = peek(gzip.GzipFile(fileobj=stream), name, HEAD)
        yield Lines(name, head, lines_of(stream, name))
