"""Predict the effect of every single change of the sequences of files."""

import argparse
from functools import partial

from .common import add_columns, add_model, add_on_error, add_output, columns, with_predictor


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "mutagenesis",
        help="predict the effect of every single change of the sequences of a file",
        description="In-silico saturation mutagenesis: predict the expression of every sequence with each of its "
        "bases changed to each other one, and the difference to the sequence as it is. Several processes share the "
        "work: accelerate launch --multi_gpu --num_processes N -m dream_bert mutagenesis ...",
    )
    parser.add_argument("inputs", nargs="+", metavar="IN", help="sequences in any format that predict reads")
    add_columns(parser, "sequence", "id")
    parser.add_argument(
        "--positions",
        metavar="LIST",
        help="positions to change, from 1 in the sequence as given, as 20-45 or 1-5,20 [all]; an oligo's constants "
        "count and are not changed",
    )
    parser.add_argument("--deletions", action="store_true", help="also leave out each base (alt is -)")
    parser.add_argument(
        "--insertions", action="store_true", help="also put each base in before each position (ref is -)"
    )
    add_model(parser)
    npz = "npz holds one_hot and effects, (n, 4, length), order A C G T "
    add_output(parser, "tsv", "csv", "jsonl", "parquet", "npz", explained=npz)
    parser.add_argument(
        "--normalised",
        choices=("mean", "reference"),
        help="in npz, take off the effects at each position their mean over the four bases, as tangermeme does, or "
        "over the three alternatives, as AlphaGenome does [nothing]",
    )
    parser.add_argument(
        "--summary",
        metavar="FILE",
        help="also write a table with a row a sequence: its most raising and lowering change, mutational robustness "
        "and evolvability vector",
    )
    parser.add_argument(
        "--plot", metavar="FILE", help="also draw the effects of the input's only sequence, as .svg or .png"
    )
    parser.add_argument(
        "--orient",
        action="store_true",
        help="read oligos on the other strand, with changed constants or bases outside of them as predict does; "
        "positions and bases stay those of the sequence as given",
    )
    add_on_error(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..analysis.mutagenesis_files import mutagenesis_file
    from ..analysis.targets import parse_positions

    work = partial(
        mutagenesis_file,
        args.inputs,
        args.output,
        format=args.format,
        positions=None if args.positions is None else parse_positions(args.positions),
        deletions=args.deletions,
        insertions=args.insertions,
        normalised=args.normalised,
        summary=args.summary,
        plot=args.plot,
        precision=args.precision,
        columns=columns(args),
        orient=args.orient,
        on_error=args.on_error,
        rejects=args.rejects,
    )
    with_predictor(args, work)
