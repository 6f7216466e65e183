"""Print messages about files and arguments on one line each, without their control characters."""

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import InputWarning
from ..io.streams import printable


def one_line(text: str) -> str:
    """Join the lines of a text, and escape characters that are not to be printed.

    >>> one_line("a\\x1b[31mb\\n c")
    'a\\\\x1b[31mb c'
    """
    return printable(" ".join(text.split()))


class Parser(argparse.ArgumentParser):
    """A parser whose messages quote arguments without their control characters."""

    def _print_message(self, message: str, file=None) -> None:
        super()._print_message("\n".join(map(printable, message.split("\n"))), file)


@contextmanager
def printed_warnings() -> Iterator[None]:
    """Print warnings about inputs on standard error, a line each; others as before."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message, category, *args, **kwargs) -> None:
            if issubclass(category, InputWarning):
                print(f"dream-bert: warning: {one_line(str(message))}", file=sys.stderr)
            else:
                others(message, category, *args, **kwargs)

        warnings.showwarning = show
        yield


def open_closed_streams() -> None:
    """Open standard streams that are closed on the null device.

    A file that is opened later would take their number, and messages of libraries would be written to it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, this one
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
