"""Write outputs that appear when they are whole, or not at all."""

import errno
import gzip
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

from .streams import naming


@contextmanager
def open_output(path: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file beside `path` that takes its place when all is written and goes if anything fails."""
    if path is None:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "is closed; name a file with -o", "stdout")
        with naming("stdout"):
            yield sys.stdout.buffer
        return
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file", str(path))
    if path.exists() and not path.is_file():  # a device or a pipe is written to, never replaced
        with naming(str(path)), path.open("wb") as file:
            yield file
        return
    path = Path(os.path.realpath(path))  # a link stays, and what it leads to is replaced
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", str(path.parent))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with naming(str(path)), part.open("wb") as file:
            yield file
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def text_stream(file: IO[bytes], zipped: bool) -> Iterator[IO[str]]:
    """A text stream onto a binary one, which stays open."""
    with gzip.GzipFile("", "wb", fileobj=file, mtime=0) if zipped else nullcontext(file) as binary:
        text = io.TextIOWrapper(binary, encoding="utf-8", newline="\n")
        try:
            yield text
        finally:
            text.detach()
