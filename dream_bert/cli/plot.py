"""Draw the measured against the predicted expression of the sequences of files."""

import argparse
from functools import partial

from .common import add_columns, add_model, add_on_error, columns, with_predictor


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "plot",
        help="draw the measured against the predicted expression of the sequences of a file",
        description="Predict the expression of every sequence of a file with measurements, and draw a point for each.",
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="IN", help="sequences with their expression, in any format that prepare reads"
    )
    add_columns(parser, "sequence", "id", "label")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="the picture, .svg or .png")
    add_model(parser)
    parser.add_argument(
        "--interval",
        type=float,
        metavar="SHARE",
        help="draw intervals that enclose this share of measurements, as 0.9",
    )
    add_on_error(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..plots.files import plot_file

    work = partial(
        plot_file,
        args.inputs,
        args.output,
        interval=args.interval,
        columns=columns(args),
        on_error=args.on_error,
        rejects=args.rejects,
    )
    with_predictor(args, work)
