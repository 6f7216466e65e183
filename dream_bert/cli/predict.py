"""Predict the expression of the sequences of files."""

import argparse
import os

from .common import add_columns, add_on_error, columns, quieten


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
    parser.add_argument("-o", "--output", metavar="OUT", help="output file, gzipped if it ends in .gz [stdout]")
    add_columns(parser, "sequence", "id")
    parser.add_argument(
        "--model",
        metavar="DIR_OR_ID",
        help="folder or Hub id of a model, or dream-promoter-conv [dream-promoter-bert]",
    )
    parser.add_argument(
        "--format",
        choices=("tsv", "csv", "jsonl", "parquet", "submission"),
        help="submission is the challenge's JSON by row number [by the suffix of OUT, or tsv]",
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="sequences a batch [64; on a GPU 256]")
    parser.add_argument(
        "--backend",
        choices=("torch", "onnx", "onnx-int8"),
        default="torch",
        help="onnx and onnx-int8 run ONNX Runtime on a folder that `export` made [%(default)s]",
    )
    parser.add_argument(
        "--interval",
        type=float,
        metavar="SHARE",
        help="add columns lower and upper that enclose this share of measurements, as 0.9",
    )
    parser.add_argument(
        "--precision", type=int, default=4, metavar="N", help="decimals in tsv, csv and submission [%(default)s]"
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
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # as a launcher of several processes says
        from ..inference.distributed import predict_file
    else:
        from ..inference.files import predict_file

    if args.backend == "torch":
        quieten()
    predict_file(
        args.inputs,
        args.output,
        args.model,
        args.format,
        args.batch_size,
        args.backend,
        args.interval,
        precision=args.precision,
        columns=columns(args),
        keep_columns=args.keep_columns,
        notes=args.notes,
        orient=args.orient,
        on_error=args.on_error,
        rejects=args.rejects,
    )
