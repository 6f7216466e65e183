"""`dream-bert VERB`: parses, calls one function, prints. Verbs import what they need when they run."""

import argparse
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..extras import explain_missing
from ..io.streams import naming
from . import (
    calibrate,
    design,
    export,
    finetune,
    mutagenesis,
    plot,
    predict,
    prepare,
    publish,
    score,
    simulate,
    variants,
    windows,
)
from .signals import stopping_on_signals
from .terminal import Parser, one_line, open_closed_streams, printed_warnings


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        The exit status: 0, 2 after a user's error, 130 after Ctrl-C, 141 after a broken pipe. After SIGTERM and SIGHUP
        it is raised, as `SystemExit`: 143 and 129.
    """
    open_closed_streams()
    with stopping_on_signals() as stopped, printed_warnings():
        try:
            try:
                args = _parser().parse_args(argv)
                args.run(args)
            finally:
                _flush()
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:
            return 141
        except Exception as error:
            if stopped:  # a library answered the signal with an error of its own
                return 128 + stopped[0]
            if not isinstance(error, ValueError | OSError | ModuleNotFoundError):
                raise
            print(f"dream-bert: {one_line(_message(error))}", file=sys.stderr)
            return 2
    return 0


def _flush() -> None:
    """Flush standard output, if there is one.

    What it does not take is dropped: the interpreter flushes once more as it ends, and would complain with status 120.
    """
    if sys.stdout is None:
        return
    try:
        with naming("stdout"):
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _message(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return explain_missing(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="dream-bert", description="Predict the expression of yeast promoters from their DNA.")
    parser.add_argument("--version", action="version", version=f"dream-bert {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb in (
        *(predict, mutagenesis, variants, windows, design, plot, score),
        *(finetune, prepare, calibrate, simulate, export, publish),
    ):
        verb.add(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
