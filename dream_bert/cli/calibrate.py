"""Find a model's prediction intervals."""

import argparse

from .common import add_columns, add_on_error, columns, quieten
from .terminal import one_line


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "calibrate",
        help="find how far a model's predictions are from what is measured",
        description="Find a model's prediction intervals on rows that are unlike all that it learned from, and write "
        "them to its config.json, for `predict --interval`.",
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        help="folder that `prepare` made and the model learned from, whose held-out rows that share no 20 bp with the "
        "others are taken; or a file of other sequences with their expression, on whatever scale",
    )
    parser.add_argument("--model", required=True, metavar="DIR", help="folder of the model")
    add_columns(parser, "sequence", "id", "labels")
    add_on_error(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..training.calibration import calibrate

    quieten()
    rows = calibrate(
        args.model, args.data, columns=columns(args, labels=True), on_error=args.on_error, rejects=args.rejects
    )
    print(one_line(f"{args.model}: calibrated on {rows} rows"))
