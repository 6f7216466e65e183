"""What the command line prints about files and arguments: one line each, and no control character of theirs."""

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def printable(text: str) -> str:
    """Text on one line, with escapes for what a terminal does not print: control characters, and marks that change
    the direction of writing.

    >>> printable("a\\x1b[31mb\\n c")
    'a\\\\x1b[31mb c'
    """
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


class Parser(argparse.ArgumentParser):
    """A parser whose messages quote arguments without their control characters."""

    def _print_message(self, message: str, file=None) -> None:
        lines = message.split("\n")
        clean = ["".join(c if c.isprintable() else repr(c)[1:-1] for c in line) for line in lines]
        super()._print_message("\n".join(clean), file)


@contextmanager
def printed_warnings() -> Iterator[None]:
    """Print warnings about inputs on standard error, a line each; others as before."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message, category, *args, **kwargs) -> None:
            if category.__name__ == "InputWarning":
                print(f"dream-bert: warning: {printable(str(message))}", file=sys.stderr)
            else:
                others(message, category, *args, **kwargs)

        warnings.showwarning = show
        yield


def open_closed_streams() -> None:
    """Let nothing else take the place of a standard stream that is closed: a file that is opened later would, and
    what libraries write to standard error would end up in it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, this one
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
