"""Predict long sequences window by window."""

import argparse
from functools import partial

from .common import add_columns, add_model, add_on_error, add_output, columns, with_predictor
from .variants import add_genes, add_step


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "windows",
        help="predict long sequences, or a genome, window by window",
        description="Predict sequences of any length, or parts of a genome, as windows of 80 bp: a table, a track or "
        "a picture of the expression along them.",
    )
    parser.add_argument("inputs", nargs="*", metavar="IN", help="long sequences in any format that predict reads")
    parser.add_argument("--genome", metavar="FASTA", help="scan this instead: its regions, upstreams, or all of it")
    parser.add_argument("--regions", metavar="BED", help="regions of the genome")
    add_genes(parser)
    add_step(parser, "at least 1")
    parser.add_argument("--both-strands", action="store_true", help="read each window on both strands")
    parser.add_argument("--plot", metavar="FILE", help="also draw the only sequence or region, as .svg or .png")
    add_columns(parser, "sequence", "id")
    add_model(parser)
    add_output(
        parser,
        *("tsv", "csv", "jsonl", "parquet", "bedgraph", "bigwig"),
        explained="bedgraph and bigwig are tracks of a genome, of one strand ",
    )
    add_on_error(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..analysis.window_files import windows_file

    scan = partial(
        windows_file,
        args.inputs or None,
        args.output,
        format=args.format,
        genome=args.genome,
        regions=args.regions,
        genes=args.genes,
        upstream=args.upstream,
        step=args.step,
        both_strands=args.both_strands,
        plot=args.plot,
        precision=args.precision,
        columns=columns(args),
        on_error=args.on_error,
        rejects=args.rejects,
    )
    with_predictor(args, scan)
