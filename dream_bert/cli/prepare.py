"""Make training data of labelled sequences."""

import argparse
import math
import sys

from .common import add_columns, columns
from .terminal import one_line


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "prepare",
        help="make training data of labelled sequences",
        description="Read, check, select, and split labelled sequences into a folder that training reads.",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="file as `predict` reads them, with labels, or hub:OWNER/NAME[:CONFIG[:SPLIT]] for a Hub data set",
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder to make")
    add_columns(parser, "sequence", "id", "labels")
    parser.add_argument("--stage", choices=("mlm", "regression", "both"), default="both", help="[%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="of the random splits [%(default)s]")
    parser.add_argument(
        "--top-fraction", type=float, default=0.2, metavar="F", help="part of the rows, by expression, for mlm [0.2]"
    )
    for option, default in (("mlm-validation", "0.05"), ("validation", "0.02267"), ("test", "0.01134")):
        help = f"rows, or with a point a fraction [{default}]"
        parser.add_argument(f"--{option}", type=_share, default=argparse.SUPPRESS, metavar="N", help=help)
    parser.add_argument(
        "--keep-related", action="store_true", help="put rows that have 20 bp in common, as tiles do, into one split"
    )
    parser.add_argument(
        "--on-error", choices=("stop", "skip"), default="stop", help="at a bad row; skip lists them [%(default)s]"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier prepared folder")
    parser.set_defaults(run=_run)


def _share(text: str) -> int | float:
    try:
        share = float(text) if "." in text else int(text)
    except ValueError:
        share = math.inf
    if share == math.inf:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is neither a number of rows nor, with a point, a fraction")
    return share


def _run(args: argparse.Namespace) -> None:
    from ..data.prepare import prepare

    manifest = prepare(
        args.inputs,
        args.output,
        ("mlm", "regression") if args.stage == "both" else (args.stage,),
        seed=args.seed,
        top_fraction=args.top_fraction,
        keep_related=args.keep_related,
        columns=columns(args, labels=True),
        skip_bad=args.on_error == "skip",
        overwrite=args.overwrite,
        **{name: getattr(args, name) for name in ("mlm_validation", "validation", "test") if name in args},
    )
    for reason, count in manifest["rejected"].items():
        print(one_line(f"skipped {count} {reason}"), file=sys.stderr)
    for stage, splits in manifest["stages"].items():
        for split, entry in splits.items():
            print(f"{stage}/{split}\t{entry['rows']} rows\t{entry['duplicates_dropped']} duplicates dropped")
            if split != "train" and entry["rows"] + entry["duplicates_dropped"] < entry["asked"]:
                print(
                    f"{stage}/{split} has fewer rows than the {entry['asked']} asked: related rows stay together",
                    file=sys.stderr,
                )
