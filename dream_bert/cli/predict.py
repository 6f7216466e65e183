"""Predict the expression of the sequences of files."""

import argparse
from functools import partial

from .common import add_columns, add_model, add_on_error, add_output, columns, with_predictor


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "predict",
        help="predict the expression of the sequences of a file",
        description="Predict the expression of every sequence of a file, in its order. Several processes share the "
        "work: accelerate launch --multi_gpu --num_processes N -m dream_bert predict ...",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="IN",
        help="FASTA, TSV or CSV with a header, one sequence a line, or Parquet; gzipped or not; - for standard input; "
        "several are predicted one after the other",
    )
    add_columns(parser, "sequence", "id")
    add_model(parser)
    submission = "submission is the challenge's JSON by row number "
    add_output(parser, "tsv", "csv", "jsonl", "parquet", "submission", explained=submission)
    parser.add_argument(
        "--interval",
        type=float,
        metavar="SHARE",
        help="add columns lower and upper that enclose this share of measurements, as 0.9",
    )
    parser.add_argument(
        "--keep-columns", action="store_true", help="write the input's other columns, too, between id and expression"
    )
    parser.add_argument(
        "--notes",
        action="store_true",
        help="add a column note: what is outside of what the model was trained on, or read in a doubtful way",
    )
    parser.add_argument(
        "--orient",
        action="store_true",
        help="take an oligo on the other strand, with a few changed bases in its constants or bases outside of them, "
        "for the insert between them [cut off exact constants at the ends, score all else]",
    )
    add_on_error(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..inference.files import predict_file
    from ..inference.prediction import load_predictor

    predict = partial(
        predict_file,
        args.inputs,
        args.output,
        format=args.format,
        interval=args.interval,
        precision=args.precision,
        columns=columns(args),
        keep_columns=args.keep_columns,
        notes=args.notes,
        orient=args.orient,
        on_error=args.on_error,
        rejects=args.rejects,
    )
    with_predictor(args, predict, partial(load_predictor, interval=args.interval, every_target=True))
