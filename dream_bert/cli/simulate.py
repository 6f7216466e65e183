"""Make training data of random promoters."""

import argparse
from pathlib import Path


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "simulate",
        help="make training data of random promoters",
        description="Write random promoters and their simulated expression in the challenge's format.",
    )
    parser.add_argument("-n", "--rows", type=int, required=True, metavar="ROWS", help="the challenge has 6739258")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="gzipped if it ends in .gz")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..data.simulate import simulate_file

    simulate_file(args.rows, Path(args.output), args.seed)
