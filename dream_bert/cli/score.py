"""Score a file of predictions."""

import argparse
import json


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "score",
        help="the DREAM score of a file of predictions",
        description="Score predictions on the rows that the labels name: correlations and the two DREAM scores.",
    )
    parser.add_argument(
        "predictions", metavar="PREDICTIONS", help='TSV with columns id and expression, or JSON {"0": 3.2, ...}'
    )
    parser.add_argument("--labels", required=True, metavar="TSV", help="columns row and expression")
    parser.add_argument("--subsets", metavar="JSON", help="subset name -> rows or [alt, ref] pairs [only all rows]")
    parser.add_argument("--json", action="store_true", help="print JSON in full precision instead of a table")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..metrics.files import format_scores, score_files

    result = score_files(args.predictions, args.labels, args.subsets)
    print(json.dumps(result, indent=2) if args.json else format_scores(result))
