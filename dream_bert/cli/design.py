"""Design promoters."""

import argparse
from functools import partial

from .common import add_columns, add_model, add_on_error, columns, quieten, with_predictor


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "design",
        help="design promoters of an expression, under constraints",
        description="Change start sequences, base by base, towards an expression that two models predict. Designs are "
        "judged by the worse prediction and the wider of the two 90 % intervals. Several processes share the "
        "work: accelerate launch --multi_gpu --num_processes N -m dream_bert design ...",
    )
    parser.add_argument("inputs", nargs="*", metavar="IN", help="start sequences, in any format that predict reads")
    add_columns(parser, "sequence", "id")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="start from N random inserts instead")
    parser.add_argument("--length", type=int, default=80, metavar="BP", help="of random inserts [%(default)s]")
    goal = parser.add_mutually_exclusive_group(required=True)
    for name in ("maximise", "minimise"):
        goal.add_argument(f"--{name}", dest="goal", action="store_const", const=name, help=f"{name} expression")
    goal.add_argument("--target", dest="goal", type=float, metavar="EXPRESSION", help="come close to an expression")
    parser.add_argument("-n", type=int, default=1, metavar="N", help="designs [%(default)s]")
    parser.add_argument("--edits", type=int, metavar="K", help="change at most K bases of a start [any number]")
    parser.add_argument(
        "--distance", type=int, default=10, metavar="BP", help="bases in which two designs differ [%(default)s]"
    )
    _add_constraints(parser)
    parser.add_argument(
        "--method",
        choices=("greedy", "evolution"),
        default="greedy",
        help="try every change, or draw some for a population of at least 50 [%(default)s]",
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="of changes [as many as help; in evolution at most 100]"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is random [%(default)s]")
    add_model(parser)
    parser.add_argument(
        "--second",
        metavar="DIR_OR_ID",
        help="model of the second opinion [dream-promoter-conv, and beside that dream-promoter-bert]",
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="FASTA of the designs, the best first [stdout]")
    parser.add_argument(
        "--steps", metavar="FILE", help="table of every change of every design: .tsv, .csv, .jsonl or .parquet"
    )
    parser.add_argument(
        "--precision", type=int, default=4, metavar="N", help="decimals of numbers in text [%(default)s]"
    )
    add_on_error(parser)
    parser.set_defaults(run=_run)


def _add_constraints(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keep",
        metavar="LIST",
        help="positions to keep, from 1 in the start as given, as 20-35 or 1-5,20; an oligo's constants count",
    )
    parser.add_argument(
        "--keep-motif", action="append", default=[], metavar="IUPAC", help="keep these sites of a start; repeatable"
    )
    parser.add_argument(
        "--forbid",
        action="append",
        default=[],
        metavar="SITE",
        help="be without a site on either strand, also across the insert's ends: IUPAC letters, or an enzyme's name; "
        "repeatable",
    )
    parser.add_argument("--gc", type=_shares, metavar="LEAST-MOST", help="share of G and C in the insert, as 0.3-0.6")
    parser.add_argument("--max-homopolymer", type=int, metavar="BP", help="longest run of one base")
    parser.add_argument("--no-atg", action="store_true", help="be without ATG on the gene's strand")


def _shares(text: str) -> tuple[float, float]:
    least, _, most = text.partition("-")
    try:
        return float(least), float(most)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no range of shares; give one, as 0.3-0.6") from None


def _run(args: argparse.Namespace) -> None:
    from ..analysis.constraints import Constraints
    from ..analysis.design_files import design_file
    from ..analysis.evolution import Plan
    from ..analysis.second_opinion import load_judges
    from ..analysis.targets import parse_positions

    keep = () if args.keep is None else parse_positions(args.keep)
    work = partial(
        design_file,
        args.inputs or None,
        args.output,
        steps=args.steps,
        plan=Plan(args.goal, args.n, args.edits, args.distance, args.method, args.rounds),
        constraints=Constraints(keep, args.keep_motif, args.forbid, args.gc, args.max_homopolymer, args.no_atg),
        second=args.second,
        random=args.random,
        length=args.length,
        seed=args.seed,
        precision=args.precision,
        columns=columns(args),
        on_error=args.on_error,
        rejects=args.rejects,
    )
    quieten()  # the second model runs in torch, whatever the backend
    with_predictor(args, work, partial(load_judges, second=args.second))
