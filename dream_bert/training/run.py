"""Do a training run: open its data, build its model, train, and save the weights in the output folder."""

import gc
import logging
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from traceback import clear_frames

import torch
import transformers
from packaging.version import Version
from torch import distributed, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from transformers import EarlyStoppingCallback, PreTrainedModel, TrainingArguments, set_seed

from ..data.batches import MaskedLMBatches, RegressionBatches
from ..data.dataset import PromoterDataset
from ..data.sampler import EpochSampler
from ..errors import ArgumentError, DataError, ModelError, RunFolderError
from ..extras import explain_missing
from ..inference.model_files import TRAINING_INFO
from ..io.output import new_folder
from ..sequence.tokenizer import write_tokenizer
from .arguments import ModelArguments, RunArguments
from .batch_norm import settle_normalization
from .local_attention import localise_attention
from .positions import load_with_positions
from .preemption import LeaveOnSigterm
from .ridge import mix_with_ridge
from .run_folder import last_complete_checkpoint, write_errors_in_one_line
from .trainer import PromoterTrainer

logger = logging.getLogger(__name__)

SETTLING_ROWS = 25_600
"""Most training rows on which batch normalisation's statistics are measured."""

RIDGE_ROWS = 131_072
"""Most training rows to which ridge regression is fitted."""


def open_split(folder: str, stage: str, split: str, args: RunArguments) -> PromoterDataset:
    """Open a split of a prepared folder; one process of each machine first verifies the checksums of all its files.

    Raises:
        DataError: if a file is missing or damaged; the message names it.
    """
    rows = PromoterDataset(folder, stage, split)
    if args.local_process_index == 0:
        rows.verify()
    return rows


def check_validation(rows: RegressionBatches | MaskedLMBatches, args: RunArguments) -> None:
    """Check before the first step that a run with evaluations has validation rows.

    Raises:
        DataError: if there are evaluations and fewer than two validation rows.
    """
    if args.eval_strategy == "no" or len(rows) >= 2:
        return
    stage, option = ("mlm", "--mlm-validation") if rows.rows.stage == "mlm" else ("regression", "--validation")
    raise DataError(
        f"{rows.rows.folder}: {stage}/validation has {len(rows)} rows, and evaluation needs 2 or more; prepare with "
        f"{option} 0.2, or train without evaluation: --eval_strategy no --load_best_model_at_end False "
        "--lr_scheduler_type cosine"
    )


def evaluate(trainer: PromoterTrainer) -> dict[str, dict[str, float]]:
    """Return the metrics of the validation split, or none if it is empty."""
    return {"validation": trainer.evaluate()} if len(trainer.eval_dataset) else {}


def build_model(kind: type[PreTrainedModel], arguments: ModelArguments, seed: int) -> PreTrainedModel:
    """Load or initialise the model to train, in float32; random weights depend on the seed alone.

    Raises:
        ArgumentError: if the model is of another kind, or its weights do not fit the arguments.
    """
    set_seed(seed)
    config = arguments.config()
    if not isinstance(config, kind.config_class):
        raise ArgumentError(f"a {config.model_type} model is no {kind.__name__}; choose another --preset or --model")
    config.calibration = None  # that of the weights before training
    if arguments.start is not None:
        try:
            return load_with_positions(kind, arguments.start, config)
        except ValueError as error:
            raise ArgumentError(str(error)) from error
    model = kind(config)
    if arguments.local_attention:
        localise_attention(model)
    return model


def train(trainer: PromoterTrainer, ridge_share: float | None = 0.0) -> float:
    """Train, or resume from the last complete checkpoint in the output folder, and save model and tokenizer.

    Args:
        trainer: with its model.
        ridge_share: share of ridge regression in the prediction of convolutions, as in `mix_with_ridge`; None lets
            the validation rows choose it. Default: 0.

    Returns:
        That share.

    Raises:
        FileExistsError: if the output folder has a finished run.
        RunFolderError: if the output folder cannot be written, or its checkpoint cannot be resumed from.
        SystemExit: with status 143, after SIGTERM and one more checkpoint.
    """
    output = Path(trainer.args.output_dir)
    if (output / TRAINING_INFO).exists():
        raise FileExistsError(f"{output} holds a finished training run; name another --output_dir")
    checkpoint = trainer.args.resume_from_checkpoint or last_complete_checkpoint(output)
    if checkpoint:
        check_trainer_can_resume(trainer.args)
        logger.warning("Resuming from %s", checkpoint)
    if trainer.args.load_best_model_at_end:
        trainer.add_callback(EarlyStoppingCallback(trainer.args.patience))
    leave = LeaveOnSigterm(trainer.accelerator)
    trainer.add_callback(leave)
    with leave.listening():
        trainer.train(resume_from_checkpoint=checkpoint)
    settle_normalization(trainer.model, _some_batches(trainer, trainer.train_dataset, SETTLING_ROWS))
    if ridge_share != 0:
        training, validation = (
            _some_batches(trainer, rows, RIDGE_ROWS) for rows in (trainer.train_dataset, trainer.eval_dataset)
        )
        ridge_share = mix_with_ridge(trainer.model, training, ridge_share, validation)
    weights = gather_weights(trainer.model_wrapped, trainer.trained)
    if trainer.trained is not trainer.model:
        of_student = {name: weight for name, weight in weights.items() if name.startswith("student.")}
        weights = {name.removeprefix("student."): weight for name, weight in of_student.items()}
    if trainer.is_world_process_zero():
        with write_errors_in_one_line(output):
            _save_model(trainer.trained, weights, output)
    trainer.accelerator.wait_for_everyone()
    return ridge_share


def _some_batches(
    trainer: PromoterTrainer, rows: RegressionBatches | MaskedLMBatches, most: int
) -> Iterator[dict[str, torch.Tensor]]:
    """Yield batches of at most so many rows, the same in all processes."""
    size = trainer.args.per_device_eval_batch_size
    numbers = list(islice(EpochSampler(len(rows), trainer.args.seed), most))
    for begin in range(0, len(numbers), size):
        batch = rows.__getitems__(numbers[begin : begin + size])
        yield {name: tensor.to(trainer.args.device) for name, tensor in batch.items()}


def check_trainer_can_resume(args: TrainingArguments) -> None:
    """Check that this transformers can resume a run of several processes on CPUs.

    Trainer before 5.18 asks torch to load their checkpoints to the device cpu:0, which torch refuses.

    Raises:
        RunFolderError: if it cannot.
    """
    if args.world_size > 1 and args.device.type == "cpu" and Version(transformers.__version__) < Version("5.18"):
        raise RunFolderError(
            f"{args.output_dir}: transformers {transformers.__version__} cannot resume a run of several processes on "
            "CPUs; install transformers 5.18 or newer, and give the command again"
        )


def gather_weights(wrapped: nn.Module, model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Gather the weights of a model that FSDP may have sharded: all of them in the first process, none in the others.

    All processes call this. A weight that is tied to another is left out, as in the files of stock transformers.
    """
    weights = get_model_state_dict(wrapped, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    return {name: weight for name, weight in weights.items() if name not in model.all_tied_weights_keys}


def _save_model(model: PreTrainedModel, weights: dict[str, torch.Tensor], output: Path) -> None:
    """Write weights, configuration and tokenizer to a folder of their own, and move them up when all are written."""
    saved = output / ".saved"
    with new_folder(saved, replace=True) as build:
        model.save_pretrained(build, state_dict=weights)
        write_tokenizer(build, model.config.stride, model.config.context, model.config.max_position_embeddings)
    for path in saved.iterdir():
        path.replace(output / path.name)
    saved.rmdir()


def run_script(main: Callable[[], None]) -> None:
    """Run a script's `main`.

    Unusable arguments, models, data or output folders, and missing packages, end it with one line and exit status 1.
    """
    try:
        main()
    except (ArgumentError, DataError, ModelError, OSError, ImportError) as error:
        reason = f"{error.filename}: {error.strerror}" if getattr(error, "filename", None) else error
        reason = explain_missing(error) if isinstance(error, ImportError) else " ".join(str(reason).split())
        sys.exit(f"{Path(sys.argv[0]).name}: {reason}")
    except SystemExit as leaving:  # after SIGTERM, in all processes
        clear_frames(leaving.__traceback__)
        end_process_group()
        raise
    end_process_group()


def end_process_group() -> None:
    """Destroy the process group, after all objects of a trainer are gone.

    Gloo's threads need the GIL to free tensors. If DDP's Reducer is the last object that holds the process group, its
    destructor waits for those threads while it holds the GIL: a deadlock. A thread still alive at interpreter exit
    aborts the process. So collect garbage first, then destroy the group.
    """
    if distributed.is_initialized():
        gc.collect()
        distributed.destroy_process_group()
