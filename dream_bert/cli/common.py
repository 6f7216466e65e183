"""Options that several verbs share, and how they silence libraries."""

import argparse
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..inference.predictor import Predictor
    from ..io.records import Columns


def add_columns(parser: argparse.ArgumentParser, *kinds: str) -> None:
    """Add options that name a table's columns: `sequence`, `id`, `label`."""
    for kind in kinds:
        parser.add_argument(
            f"--{kind}-column", metavar="NAME", help=f"a table's column of the {kind}s [by its usual names]"
        )


def columns(args: argparse.Namespace) -> "Columns":
    """Return the columns that the options of `add_columns` name."""
    from ..io.records import Columns

    return Columns(args.sequence_column, args.id_column, getattr(args, "label_column", None))


def add_on_error(parser: argparse.ArgumentParser) -> None:
    """Add the options for rows that cannot be used."""
    parser.add_argument(
        "--on-error",
        choices=("stop", "skip"),
        default="stop",
        help="at a row that cannot be used; skip counts them by reason [%(default)s]",
    )
    parser.add_argument("--rejects", metavar="FILE", help="list the rows skipped: where, reason, text (TSV)")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the options of a model that predicts."""
    parser.add_argument(
        "--model",
        metavar="DIR_OR_ID",
        help="folder or Hub id of a model, or dream-promoter-conv [dream-promoter-bert]",
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="sequences a batch [64; on a GPU 256]")
    parser.add_argument(
        "--backend",
        choices=("torch", "onnx", "onnx-int8"),
        default="torch",
        help="onnx and onnx-int8 run ONNX Runtime on a folder that `export` made [%(default)s]",
    )


def add_output(parser: argparse.ArgumentParser, *formats: str, explained: str = "", default: str = "tsv") -> None:
    """Add the options of a table that is written in one of the formats; `explained` says more of them."""
    parser.add_argument("-o", "--output", metavar="OUT", help="output file, gzipped if it ends in .gz [stdout]")
    parser.add_argument("--format", choices=formats, help=f"{explained}[by the suffix of OUT, or {default}]")
    parser.add_argument(
        "--precision", type=int, default=4, metavar="N", help="decimals of numbers in text [%(default)s]"
    )


def with_predictor(
    args: argparse.Namespace, work: Callable[..., object], load: Callable[..., "Predictor"] | None = None
) -> None:
    """Call `work` with the arguments `model`, `batch_size` and `backend` that the options of `add_model` give.

    Where a launcher started several processes, the first one works, and all predict for it, by what `load` gives for
    these arguments. Default: `load_predictor`, with the option `interval` if there is one.
    """
    if args.backend == "torch":
        quieten()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:  # as a launcher says
        work(model=args.model, batch_size=args.batch_size, backend=args.backend)
        return
    from functools import partial

    from ..inference.distributed import share_predictions
    from ..inference.prediction import load_predictor

    load = load or partial(load_predictor, interval=getattr(args, "interval", None))
    arguments = dict(model=args.model, batch_size=args.batch_size, backend=args.backend)
    share_predictions(partial(load, **arguments), lambda predictor: work(model=predictor))


def quieten() -> None:
    """Silence the libraries, whose warnings and progress bars would come between a verb's own lines."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    hub_logging.set_verbosity_error()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
