"""A training run, from its data and model to the weights in its output folder."""

import gc
import logging
import shutil
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
from ..sequence.tokenizer import write_tokenizer
from .arguments import ModelArguments, RunArguments
from .batch_norm import settle_normalization
from .local_attention import localise_attention
from .preemption import LeaveOnSigterm
from .ridge import mix_with_ridge
from .run_folder import last_complete_checkpoint, write_errors_in_one_line
from .trainer import PromoterTrainer

logger = logging.getLogger(__name__)

SETTLING_ROWS = 25_600
"""Training rows on which batch normalisation's statistics are measured."""

RIDGE_ROWS = 131_072
"""Training rows to which ridge regression is fitted."""


def open_split(folder: str, stage: str, split: str, args: RunArguments) -> PromoterDataset:
    """A split for training: one process a machine reads all of it first, to see that its bytes are as prepared.

    Raises:
        DataError: naming the file that cannot be used.
    """
    rows = PromoterDataset(folder, stage, split)
    if args.local_process_index == 0:
        rows.verify()
    return rows


def check_validation(rows: RegressionBatches | MaskedLMBatches, args: RunArguments) -> None:
    """Check, before the first step, that a run that evaluates has rows for it.

    Raises:
        DataError: if evaluation is asked for, and fewer than two validation rows are there.
    """
    if args.eval_strategy == "no" or len(rows) >= 2:
        return
    stage, option = ("mlm", "--mlm-validation") if rows.rows.stage == "mlm" else ("regression", "--validation")
    raise DataError(
        f"{rows.rows.folder}: {stage}/validation has {len(rows)} of the 2 rows or more that evaluation needs; prepare "
        f"with {option} 0.2, or train without: --eval_strategy no --load_best_model_at_end False "
        "--lr_scheduler_type cosine"
    )


def evaluate(trainer: PromoterTrainer) -> dict[str, dict[str, float]]:
    """The metrics of the validation split, or none where it has no row."""
    return {"validation": trainer.evaluate()} if len(trainer.eval_dataset) else {}


def build_model(kind: type[PreTrainedModel], arguments: ModelArguments, seed: int) -> PreTrainedModel:
    """The model to train, float32; what has no weights yet gets random ones that belong to the seed."""
    set_seed(seed)
    config = arguments.config()
    if not isinstance(config, kind.config_class):
        raise ArgumentError(f"a {config.model_type} model is no {kind.__name__}; choose another --preset or --model")
    config.calibration = None  # another model's
    if arguments.start is not None:
        try:
            return kind.from_pretrained(arguments.start, config=config, dtype=torch.float32)
        except ValueError as error:
            raise ArgumentError(str(error)) from error
    model = kind(config)
    if arguments.local_attention:
        localise_attention(model)
    return model


def train(trainer: PromoterTrainer, ridge_share: float = 0.0) -> None:
    """Train to the end, or on from the last complete checkpoint in the output folder, and save model and tokenizer.

    Args:
        trainer: with its model.
        ridge_share: of ridge regression in the prediction of convolutions, as `mix_with_ridge` takes it.

    Raises:
        FileExistsError: if the output folder holds a finished run.
        RunFolderError: if the output folder cannot be written, or its checkpoint not be gone on from.
        SystemExit: with status 143, after SIGTERM and one more checkpoint.
    """
    output = Path(trainer.args.output_dir)
    if (output / TRAINING_INFO).exists():
        raise FileExistsError(f"{output} holds a finished training run; name another --output_dir")
    checkpoint = trainer.args.resume_from_checkpoint or last_complete_checkpoint(output)
    if checkpoint:
        check_trainer_can_resume(trainer.args)
        logger.warning("Going on from %s", checkpoint)
    if trainer.args.load_best_model_at_end:
        trainer.add_callback(EarlyStoppingCallback(trainer.args.patience))
    leave = LeaveOnSigterm(trainer.accelerator)
    trainer.add_callback(leave)
    with leave.listening():
        trainer.train(resume_from_checkpoint=checkpoint)
    settle_normalization(trainer.model, _some_batches(trainer, SETTLING_ROWS))
    if ridge_share:
        mix_with_ridge(trainer.model, _some_batches(trainer, RIDGE_ROWS), ridge_share)
    weights = gather_weights(trainer.model_wrapped, trainer.trained)
    if trainer.trained is not trainer.model:
        of_student = {name: weight for name, weight in weights.items() if name.startswith("student.")}
        weights = {name.removeprefix("student."): weight for name, weight in of_student.items()}
    if trainer.is_world_process_zero():
        with write_errors_in_one_line(output):
            _save_model(trainer.trained, weights, output)
    trainer.accelerator.wait_for_everyone()


def _some_batches(trainer: PromoterTrainer, most: int) -> Iterator[dict[str, torch.Tensor]]:
    """At most so many training rows, the same in all processes."""
    rows, size = trainer.train_dataset, trainer.args.per_device_eval_batch_size
    numbers = list(islice(EpochSampler(len(rows), trainer.args.seed), most))
    for begin in range(0, len(numbers), size):
        batch = rows.__getitems__(numbers[begin : begin + size])
        yield {name: tensor.to(trainer.args.device) for name, tensor in batch.items()}


def check_trainer_can_resume(args: TrainingArguments) -> None:
    """Trainer before 5.18 asks torch to load what several processes saved to device cpu:0, which torch refuses.

    Raises:
        RunFolderError: if that is so here.
    """
    if args.world_size > 1 and args.device.type == "cpu" and Version(transformers.__version__) < Version("5.18"):
        raise RunFolderError(
            f"{args.output_dir}: transformers {transformers.__version__} cannot go on with a run of several processes "
            "on CPUs; install transformers 5.18 or newer, and give the command again"
        )


def gather_weights(wrapped: nn.Module, model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """The weights of a model whose parameters processes may share (FSDP): whole in the first, none in the others.

    All processes take part. A weight that is tied to another is left out, as in the files of stock transformers.
    """
    weights = get_model_state_dict(wrapped, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    return {name: weight for name, weight in weights.items() if name not in model.all_tied_weights_keys}


def _save_model(model: PreTrainedModel, weights: dict[str, torch.Tensor], output: Path) -> None:
    """Write weights, configuration and tokenizer beside their places, and then move them there."""
    part = output / ".part"
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(part, state_dict=weights)
    write_tokenizer(part, model.config.stride, model.config.context, model.config.max_position_embeddings)
    for path in part.iterdir():
        path.replace(output / path.name)
    part.rmdir()


def run_script(main: Callable[[], None]) -> None:
    """Run a script's `main`; what it cannot use (arguments, a model, data, an output folder, a package that is not
    installed) ends it with one line and exit status 1."""
    try:
        main()
    except (ArgumentError, DataError, ModelError, OSError, ImportError) as error:
        reason = f"{error.filename}: {error.strerror}" if getattr(error, "filename", None) else error
        reason = explain_missing(error) if isinstance(error, ImportError) else " ".join(str(reason).split())
        sys.exit(f"{Path(sys.argv[0]).name}: {reason}")
    except SystemExit as leaving:  # as all processes do after SIGTERM
        clear_frames(leaving.__traceback__)
        end_process_group()
        raise
    end_process_group()


def end_process_group() -> None:
    """End the processes' connection, when nothing of a trainer is held any more.

    The threads of gloo free tensors, for which they wait for Python's lock. The process group's own end waits for the
    threads without that lock. The end of a model of several processes (torch's `Reducer`), were it the last to hold
    the group, would wait for them with it, for ever; and a thread that is left at Python's end aborts the process.
    """
    if distributed.is_initialized():
        gc.collect()
        distributed.destroy_process_group()
