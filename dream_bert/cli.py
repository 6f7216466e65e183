"""`dream-bert VERB`: parses, calls one function, prints. Verbs import what they need when they run."""

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .extras import explain_missing
from .signals import stopping_on_signals
from .streams import naming
from .terminal import Parser, open_closed_streams, printable, printed_warnings


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        The exit status: 0, 2 after a user's error, 130 after Ctrl-C, 141 after a broken pipe. After SIGTERM and SIGHUP
        it is raised, as `SystemExit`: 143 and 129.
    """
    open_closed_streams()
    with stopping_on_signals() as stopped, printed_warnings():
        try:
            try:
                args = _parser().parse_args(argv)
                args.run(args)
            finally:
                if sys.stdout is not None:
                    with naming("stdout"):
                        sys.stdout.flush()
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:
            # The interpreter flushes standard output once more as it ends, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        except Exception as error:
            if stopped:  # a library answered the signal with an error of its own
                return 128 + stopped[0]
            if not isinstance(error, ValueError | OSError | ModuleNotFoundError):
                raise
            print(f"dream-bert: {printable(_one_line(error))}", file=sys.stderr)
            return 2
    return 0


def _one_line(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return explain_missing(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="dream-bert", description="Predict the expression of yeast promoters from their DNA.")
    parser.add_argument("--version", action="version", version=f"dream-bert {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for add in (_add_predict, _add_score, _add_prepare, _add_calibrate, _add_simulate, _add_export, _add_publish):
        add(verbs)
    return parser


def _add_predict(verbs) -> None:
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
    _add_columns(parser, "sequence", "id")
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
    _add_on_error(parser)
    parser.set_defaults(run=_run_predict)


def _run_predict(args: argparse.Namespace) -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # as a launcher of several processes says
        from .processes import predict_file
    else:
        from .prediction_files import predict_file

    if args.backend == "torch":
        _quieten()
    predict_file(
        args.inputs,
        args.output,
        args.model,
        args.format,
        args.batch_size,
        args.backend,
        args.interval,
        precision=args.precision,
        columns=_columns(args),
        keep_columns=args.keep_columns,
        notes=args.notes,
        orient=args.orient,
        on_error=args.on_error,
        rejects=args.rejects,
    )


def _add_columns(parser: argparse.ArgumentParser, *kinds: str) -> None:
    for kind in kinds:
        parser.add_argument(
            f"--{kind}-column", metavar="NAME", help=f"a table's column of the {kind}s [by its usual names]"
        )


def _columns(args: argparse.Namespace):
    from .records import Columns

    return Columns(args.sequence_column, args.id_column, getattr(args, "label_column", None))


def _add_on_error(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--on-error",
        choices=("stop", "skip"),
        default="stop",
        help="at a row that cannot be used; skip counts them by reason [%(default)s]",
    )
    parser.add_argument("--rejects", metavar="FILE", help="list the rows skipped: where, reason, text (TSV)")


def _add_score(verbs) -> None:
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
    parser.set_defaults(run=_run_score)


def _run_score(args: argparse.Namespace) -> None:
    from .metrics.files import format_scores, score_files

    result = score_files(args.predictions, args.labels, args.subsets)
    print(json.dumps(result, indent=2) if args.json else format_scores(result))


def _add_prepare(verbs) -> None:
    parser = verbs.add_parser(
        "prepare",
        help="make training data of labelled sequences",
        description="Read, check, select, split and tokenise labelled sequences into a folder that training reads.",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="file as `predict` reads them, with labels, or hub:OWNER/NAME[:CONFIG[:SPLIT]] for a Hub data set",
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder to make")
    _add_columns(parser, "sequence", "id", "label")
    parser.add_argument("--stage", choices=("mlm", "regression", "both"), default="both", help="[%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="of the random splits [%(default)s]")
    parser.add_argument(
        "--top-fraction", type=float, default=0.2, metavar="F", help="part of the rows, by expression, for mlm [0.2]"
    )
    for option, default in (("mlm-validation", "0.05"), ("validation", "0.02267"), ("test", "0.01134")):
        help = f"rows, or with a point a fraction [{default}]"
        parser.add_argument(f"--{option}", type=_share, default=argparse.SUPPRESS, metavar="N", help=help)
    parser.add_argument(
        "--keep-related", action="store_true", help="deal rows that have 20 bp in common, as tiles do, to one split"
    )
    parser.add_argument(
        "--on-error", choices=("stop", "skip"), default="stop", help="at a bad row; skip lists them [%(default)s]"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier prepared folder")
    parser.set_defaults(run=_run_prepare)


def _share(text: str) -> int | float:
    try:
        share = float(text) if "." in text else int(text)
    except ValueError:
        share = math.inf
    if share == math.inf:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is neither a number of rows nor, with a point, a fraction")
    return share


def _run_prepare(args: argparse.Namespace) -> None:
    from .prepare import prepare

    manifest = prepare(
        args.inputs,
        args.output,
        ("mlm", "regression") if args.stage == "both" else (args.stage,),
        seed=args.seed,
        top_fraction=args.top_fraction,
        keep_related=args.keep_related,
        columns=_columns(args),
        skip_bad=args.on_error == "skip",
        overwrite=args.overwrite,
        **{name: getattr(args, name) for name in ("mlm_validation", "validation", "test") if name in args},
    )
    for reason, count in manifest["rejected"].items():
        print(printable(f"skipped {count} {reason}"), file=sys.stderr)
    for stage, splits in manifest["stages"].items():
        for split, entry in splits.items():
            print(f"{stage}/{split}\t{entry['rows']} rows\t{entry['duplicates_dropped']} duplicates dropped")
            if split != "train" and entry["rows"] + entry["duplicates_dropped"] < entry["asked"]:
                print(
                    f"{stage}/{split} has fewer rows than the {entry['asked']} asked: related rows stay together",
                    file=sys.stderr,
                )


def _add_calibrate(verbs) -> None:
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
    _add_columns(parser, "sequence", "id", "label")
    _add_on_error(parser)
    parser.set_defaults(run=_run_calibrate)


def _run_calibrate(args: argparse.Namespace) -> None:
    from .intervals import calibrate

    _quieten()
    rows = calibrate(args.model, args.data, columns=_columns(args), on_error=args.on_error, rejects=args.rejects)
    print(printable(f"{args.model}: calibrated on {rows} rows"))


def _add_simulate(verbs) -> None:
    parser = verbs.add_parser(
        "simulate",
        help="make training data of random promoters",
        description="Write random promoters and their simulated expression in the challenge's format.",
    )
    parser.add_argument("-n", "--rows", type=int, required=True, metavar="ROWS", help="the challenge has 6739258")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="gzipped if it ends in .gz")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    parser.set_defaults(run=_run_simulate)


def _run_simulate(args: argparse.Namespace) -> None:
    from .simulate import simulate_file

    simulate_file(args.rows, Path(args.output), args.seed)


def _quieten() -> None:
    """Libraries' warnings and progress bars would stand between a verb's own lines."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    hub_logging.set_verbosity_error()
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _add_export(verbs) -> None:
    parser = verbs.add_parser(
        "export",
        help="make a folder of a model with ONNX files",
        description="Make a folder with a model, its tokenizer, and the model in ONNX, in float32 and in int8.",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="new folder to make")
    parser.add_argument("--model", metavar="DIR_OR_ID", help="folder or Hub id of a model [the package's own]")
    parser.set_defaults(run=_run_export)


def _run_export(args: argparse.Namespace) -> None:
    from .export import export_folder

    _quieten()
    export_folder(args.output, args.model)


def _add_publish(verbs) -> None:
    parser = verbs.add_parser(
        "publish",
        help="push a model to the Hugging Face Hub",
        description="Push a model with its card, ONNX files and endpoint handler to the Hub, as one commit.",
    )
    parser.add_argument(
        "kind",
        choices=("mlm", "regression", "conv"),
        help="the pretrained or the fine-tuned BERT, or the convolutions",
    )
    parser.add_argument("--repo", required=True, metavar="USER/NAME", help="made if there is none")
    parser.add_argument("--model", metavar="DIR", help="folder of a trained model [the package's own]")
    parser.add_argument("--revision", metavar="BRANCH", help="an existing branch [main]")
    parser.add_argument("--private", action="store_true", help="make the repository private")
    parser.add_argument("--dry-run", action="store_true", help="list files, bytes and SHA-256, and send nothing")
    parser.set_defaults(run=_run_publish)


def _run_publish(args: argparse.Namespace) -> None:
    from .hub import preview, publish

    _quieten()
    if args.dry_run:
        for file in preview(args.kind, args.repo, args.model):
            print(*file, sep="\t")
    else:
        print(printable(publish(args.kind, args.repo, args.model, args.revision, args.private)))


if __name__ == "__main__":
    sys.exit(main())
