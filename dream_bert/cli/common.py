"""Options that several verbs share, and how they silence libraries."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..io.records import Columns


def add_columns(parser: argparse.ArgumentParser, *kinds: str) -> None:
    """Add options that name a table's columns: `sequence`, `id`, `label`."""
    for kind in kinds:
        parser.add_argument(
            f"--{kind}-column", metavar="NAME", help=f"a table's column of the {kind}s [by its usual names]"
        )


def columns(args: argparse.Namespace) -> "Columns":
    """Return the columns that the options of `add_columns` name."""
    from ..io.records import Columns

    return Columns(args.sequence_column, args.id_column, getattr(args, "label_column", None))


def add_on_error(parser: argparse.ArgumentParser) -> None:
    """Add the options for rows that cannot be used."""
    parser.add_argument(
        "--on-error",
        choices=("stop", "skip"),
        default="stop",
        help="at a row that cannot be used; skip counts them by reason [%(default)s]",
    )
    parser.add_argument("--rejects", metavar="FILE", help="list the rows skipped: where, reason, text (TSV)")


def quieten() -> None:
    """Silence the libraries, whose warnings and progress bars would come between a verb's own lines."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    hub_logging.set_verbosity_error()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
