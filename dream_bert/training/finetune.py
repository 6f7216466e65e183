"""Fine-tune a model on a user's own measurements: read, check, split, train, calibrate, compare, and report."""

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..inference.files import Source, list_sources
from ..inference.model_files import TRAINING_INFO
from ..io.output import new_folder
from ..io.records import Columns
from .arguments import DataArguments, ModelArguments
from .comparison import Comparison
from .finished import write_folder
from .measurements import read_measurements
from .peers import compare
from .plan import Plan, make_plan, read_plan
from .progress import Bar
from .recipe import choose_recipe, choose_start
from .run_regression import FineTuningArguments, fine_tune

UNFINISHED = ".unfinished"
"""Suffix of the folder that holds an unfinished fine-tuning, beside the one to make."""

_RUNS = {"tuned": "fine-tuning {}", "random": "its peer from random weights"}
"""The runs of a fine-tuning, and what their bars say."""


class FineTuned(NamedTuple):
    """A finished fine-tuning: its folder, what it started from and why, and how it compares with its peers."""

    folder: Path
    start: str
    comparison: Comparison


def finetune(
    data: Source,
    output: str | Path,
    model: str | None = None,
    *,
    target: str | Sequence[str] = (),
    test: str | Path | None = None,
    sequence_column: str | None = None,
    duplicates: str = "average",
    random_split: bool = False,
    seed: int = 0,
    on_error: str = "stop",
    rejects: str | Path | None = None,
) -> FineTuned | None:
    """Fine-tune a model on measured promoters, and compare it with simpler predictors of the same held-out rows.

    The folder appears when it is whole. A run that was stopped goes on when it is called again with the same
    arguments; until then it is in `OUTPUT.unfinished`. In the processes of a launcher, all call this.

    Args:
        data: a table, or several, in any format of `read_records`: 20 promoters or more, up to 512 bp each.
        output: the folder to make.
        model: folder, Hub id or shipped name of the model to start from. Default: the shipped BERT, or the shipped
            convolutions if an insert is too long for it.
        target: column of the labels, or several for a model with an output for each; some of a row's labels may be
            missing. Default: found by its usual names.
        test: a table of promoters to hold out. Default: 15 % of `data`.
        sequence_column: column of the sequences. Default: found by its usual names.
        duplicates: `average` the labels of rows with one sequence (default), or `refuse` different ones.
        random_split: split at random, instead of keeping rows that share 20 bp in one split. Default: False.
        seed: of the split and of the training. Default: 0.
        on_error, rejects: what to do with rows that cannot be used, and where to list them, as in `predict_file`.

    Returns:
        The folder and the comparison; None in all processes but the first.

    Raises:
        ReadError, SequenceError: if a file or row cannot be used.
        DataError: if there are too few promoters, all labels are equal, or no promoter can be held out.
        ModelError: if there is no such model.
        OSError: if the folder exists or cannot be written.
    """
    import accelerate  # noqa: F401  (a missing extra is named before anything is read)
    import matplotlib  # noqa: F401

    sources = list_sources(data)
    targets = [target] if isinstance(target, str) else list(target)
    output = Path(output)
    check_new(output)
    work = output.with_name(output.name + UNFINISHED)
    first = FineTuningArguments(output_dir=str(work / "tuned"), report_to="none")
    with first.main_process_first(local=False):
        if first.process_index == 0:
            command = {
                "model": model,
                "targets": targets,
                "sequence_column": sequence_column,
                "duplicates": duplicates,
                "random_split": random_split,
                "seed": seed,
                "on_error": on_error,
            }
            label = tuple(targets) if len(targets) > 1 else targets[0] if targets else None
            columns = Columns(sequence_column, None, label)
            reading = {"columns": columns, "duplicates": duplicates, "on_error": on_error}
            measured = read_measurements(sources, rejects=rejects, **reading)
            held_out = None if test is None else read_measurements([test], **reading)
            longest = max(len(insert) for part in (measured, held_out) if part for insert in part.inserts)
            make_plan(work, command, measured, held_out, choose_start(model, longest))
    plan = read_plan(work)
    for name in _RUNS:
        if not (work / name / TRAINING_INFO).exists():
            _train(name, work, plan)
    if first.process_index:
        return None
    comparison = compare(work, plan)
    with new_folder(output) as build:
        write_folder(build, output.name, work, plan, comparison)
    shutil.rmtree(work, ignore_errors=True)
    return FineTuned(output, f"{plan.model} ({plan.reason})", comparison)


def check_new(output: Path) -> None:
    """Check before a long run that its folder can be made.

    Raises:
        OSError: if it exists and is not empty, or its parent does not exist.
    """
    if not output.absolute().parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder; make it first", str(output.absolute().parent))
    if os.path.lexists(output) and not (output.is_dir() and not any(output.iterdir())):
        raise FileExistsError(errno.EEXIST, "exists; name a new folder, or remove it first", str(output))


def _train(name: str, work: Path, plan: Plan) -> None:
    """Train the model, or the same network from random weights, into a folder of the unfinished fine-tuning."""
    is_random = name == "random"
    recipe = choose_recipe(plan.rows["train"], plan.is_bert, is_random)
    model = ModelArguments(
        model=plan.model,
        positions=plan.positions,
        random_weights=is_random,
        local_attention=is_random and plan.is_bert,
    )
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    arguments = FineTuningArguments(
        output_dir=str(work / name),
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.steps(plan.rows["train"]) // 10,
        weight_decay=0.01,
        per_device_train_batch_size=max(1, recipe.batch_size // processes),
        per_device_eval_batch_size=64,
        num_train_epochs=recipe.epochs,
        patience=recipe.patience,
        # After few long inserts ridge regression is ahead of convolutions; validation tells how much of it to mix in.
        ridge_share=0.0 if plan.is_bert or is_random or len(plan.targets) > 1 else None,
        save_total_limit=1,
        logging_strategy="epoch",
        report_to="none",
        dataloader_pin_memory=False,
        disable_tqdm=True,
        seed=plan.seed,
    )
    fine_tune(model, DataArguments(str(work / "prepared")), arguments, Bar(_RUNS[name].format(plan.model)))
