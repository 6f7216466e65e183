"""Options that several verbs share, and how they silence libraries."""

import argparse
import csv
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..inference.registration import when_loaded

if TYPE_CHECKING:
    from ..inference.predictor import Predictor
    from ..io.records import Columns


def add_columns(parser: argparse.ArgumentParser, *kinds: str) -> None:
    """Add options that name a table's columns: `sequence`, `id`, `label`, or `labels` for several of the last."""
    for kind in kinds:
        several = ", or several separated by commas, for a model of several targets" if kind == "labels" else ""
        kind = kind.removesuffix("s")
        help = f"a table's column of the {kind}s{several} [by its usual names]"
        parser.add_argument(f"--{kind}-column", metavar="NAME", help=help)


def columns(args: argparse.Namespace, labels: bool = False) -> "Columns":
    """Return the columns that the options of `add_columns` name, `labels` as it was asked for there."""
    from ..io.records import Columns

    label = getattr(args, "label_column", None)
    return Columns(args.sequence_column, args.id_column, several_names(label) if labels and label else label)


def several_names(names: str) -> str | tuple[str, ...]:
    """Split names at commas; a name that has a comma stands in double quotes.

    >>> several_names("glucose, galactose"), several_names('"log2(a, b)"')
    (('glucose', 'galactose'), 'log2(a, b)')
    """
    parts = next(csv.reader(["".join(names.splitlines())], skipinitialspace=True))
    return tuple(map(str.strip, parts)) if len(parts) > 1 else parts[0]


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
        choices=("torch", "torch-bfloat16", "onnx", "onnx-int8"),
        default="torch",
        help="torch-bfloat16 is faster on GPUs and on processors that multiply bfloat16; onnx and onnx-int8 run ONNX "
        "Runtime on a folder that `export` made [%(default)s]",
    )
    parser.add_argument("--target-name", metavar="NAME", help="use this one of a model's several targets alone")


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

    If a target is named, or a launcher started several processes, `model` is what `load` gives for these arguments and
    `target`. Of several processes the first one works, and all predict for it. Default of `load`: `load_predictor`,
    with the option `interval` if there is one.
    """
    if args.backend.startswith("torch"):
        quieten()
    arguments = dict(model=args.model, batch_size=args.batch_size, backend=args.backend)
    is_alone = int(os.environ.get("WORLD_SIZE", "1")) == 1  # as a launcher says
    if is_alone and args.target_name is None:
        work(**arguments)
        return
    from functools import partial

    from ..inference.prediction import load_predictor

    load = load or partial(load_predictor, interval=getattr(args, "interval", None))
    load = partial(load, **arguments, target=args.target_name)
    if is_alone:
        work(model=load())
        return
    from ..inference.distributed import share_predictions

    share_predictions(load, lambda predictor: work(model=predictor))


def quieten() -> None:
    """Silence the libraries, whose warnings and progress bars would come between a verb's own lines."""
    when_loaded("transformers.utils.logging", _quieten)


def _quieten() -> None:
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    hub_logging.set_verbosity_error()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
