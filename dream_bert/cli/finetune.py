"""Fine-tune a model on measured promoters."""

import argparse

from ..io.streams import printable
from .common import add_on_error, quieten, several_names
from .terminal import one_line


def add(verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "finetune",
        help="fine-tune a model on your own measured promoters",
        description="Fine-tune a model on measured promoters: check and split them, train, calibrate intervals, and "
        "compare the model with simpler predictors in MODEL/report.html. After a stop, the same command goes on. "
        "Several processes: accelerate launch --multi_gpu --num_processes N -m dream_bert finetune ...",
    )
    parser.add_argument(
        "data", nargs="+", metavar="DATA", help="table of sequences and labels, in any form that `predict` reads"
    )
    parser.add_argument("-o", "--output", metavar="MODEL", required=True, help="folder to make")
    parser.add_argument("--model", metavar="DIR_OR_ID", help="model to start from [chosen by the inserts' length]")
    parser.add_argument(
        "--target",
        "--label-column",
        metavar="COLUMN",
        help="a table's column of the labels, or several separated by commas [by its usual names]",
    )
    parser.add_argument(
        "--sequence-column", metavar="NAME", help="a table's column of the sequences [by its usual names]"
    )
    parser.add_argument("--test", metavar="FILE", help="promoters to hold out [15 %% of DATA]")
    parser.add_argument(
        "--random-split",
        action="store_true",
        help="hold rows out at random, also those that share 20 bp with training rows",
    )
    parser.add_argument(
        "--duplicates",
        choices=("average", "refuse"),
        default="average",
        help="labels of rows with one sequence [%(default)s]",
    )
    parser.add_argument("--seed", type=int, default=0, help="of splits and training [%(default)s]")
    add_on_error(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from ..training.comparison import number
    from ..training.finetune import finetune
    from ..training.run import end_process_group

    quieten()
    finished = finetune(
        args.data,
        args.output,
        args.model,
        target=several_names(args.target) if args.target else (),
        test=args.test,
        sequence_column=args.sequence_column,
        duplicates=args.duplicates,
        random_split=args.random_split,
        seed=args.seed,
        on_error=args.on_error,
        rejects=args.rejects,
    )
    end_process_group()
    if finished is not None:
        print(one_line(f"started from {finished.start}"))
        for each in finished.comparison.targets:
            for peer in each.scores:
                numbers = (f"{name} {number(getattr(peer, name.lower()))}" for name in ("Pearson", "Spearman", "MSE"))
                print(printable(each.target), printable(peer.name), *numbers, sep="\t")
        print(one_line(f"{finished.folder}: {finished.comparison.verdict}"))
