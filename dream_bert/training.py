"""What pretraining and fine-tuning share: arguments, the trainer, and the record of a run."""

import hashlib
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler
from transformers import EarlyStoppingCallback, HfArgumentParser, PreTrainedModel, Trainer, TrainingArguments, set_seed

from .artifacts import INFO
from .batches import EpochSampler, follow_epochs
from .configuration_dream_bert import PRESETS, DreamBertConfig
from .data import DataError
from .initialization import localise_attention
from .tokenization_dream_bert import write_tokenizer

logger = logging.getLogger(__name__)

COMPLETE = "complete"
"""The file that a checkpoint gets when all else in it is written."""


@dataclass
class ModelArguments:
    model: str | None = field(default=None, metadata={"help": "Folder or Hub id to start from; else random weights."})
    preset: str = field(default="seed", metadata={"help": "Size of a random model.", "choices": [*PRESETS]})
    stride: int | None = field(default=None, metadata={"help": "bp from token to token, 1 or 3, not the preset's."})
    context: int | None = field(default=None, metadata={"help": "bp of plasmid on each side, not the preset's."})
    positions: int | None = field(default=None, metadata={"help": "Longest input in tokens of a random model."})
    reading_frames: int | None = field(default=None, metadata={"help": "Frames averaged, 1 to 3, not the preset's."})
    dropout: float | None = field(default=None, metadata={"help": "Dropout of all kinds; default 0.1."})
    local_attention: bool = field(default=False, metadata={"help": "Random weights start as a convolution."})

    def config(self) -> DreamBertConfig:
        """The configuration of the model to start from, with what the arguments change in it.

        Raises:
            ValueError: if the changes do not go together, or `positions` is given for a model that has weights.
        """
        if self.model is not None and self.positions is not None:
            raise ValueError(f"--positions is {self.positions}, but {self.model} has its own; leave it out")
        changes = {
            "stride": self.stride,
            "context": self.context,
            "max_position_embeddings": self.positions,
            "reading_frames": self.reading_frames,
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
        }
        changes = {name: value for name, value in changes.items() if value is not None}
        if self.model is None:
            return DreamBertConfig.preset(self.preset, **changes)
        return DreamBertConfig.from_pretrained(self.model, **changes)


@dataclass
class DataArguments:
    data: str = field(metadata={"help": "Folder that `dream-bert prepare` wrote."})
    max_train_rows: int | None = field(default=None, metadata={"help": "Train on the first rows only."})


@dataclass
class RunArguments(TrainingArguments):
    """`TrainingArguments` with the entry's defaults: Adam at 1e-4, lowered on a plateau of the validation metric."""

    output_dir: str = field(default="output", metadata={"help": "Where the model and its checkpoints go."})
    learning_rate: float = 1e-4
    lr_scheduler_type: str = "reduce_lr_on_plateau"
    per_device_train_batch_size: int = 64
    per_device_eval_batch_size: int = 256
    num_train_epochs: float = 20
    eval_strategy: str = "epoch"
    save_strategy: str = "epoch"
    save_total_limit: int = 2
    load_best_model_at_end: bool = True
    restore_callback_states_from_checkpoint: bool = True
    remove_unused_columns: bool = False
    report_to: str = "tensorboard"
    logging_steps: float = 50
    patience: int = field(default=5, metadata={"help": "Evaluations without a better metric before training stops."})


def parse_arguments(
    run_arguments: type[RunArguments], args: list[str] | None = None
) -> tuple[ModelArguments, DataArguments, RunArguments]:
    """The three groups of arguments, from the command line or from one JSON or YAML file named there."""
    parser = HfArgumentParser((ModelArguments, DataArguments, run_arguments))
    args = sys.argv[1:] if args is None else args
    if len(args) == 1 and args[0].endswith((".json", ".yaml", ".yml")):
        parse = parser.parse_json_file if args[0].endswith(".json") else parser.parse_yaml_file
        return parse(args[0])
    return parser.parse_args_into_dataclasses(args)


class PromoterTrainer(Trainer):
    """`Trainer` whose order of rows is a pure function of seed and epoch, and whose checkpoints say when complete."""

    def _get_train_sampler(self, train_dataset=None) -> Sampler:
        processes = self.args.world_size
        multiple = processes * self.args.train_batch_size if processes > 1 else 1
        return EpochSampler(len(train_dataset or self.train_dataset), self.args.seed, multiple)

    def get_train_dataloader(self) -> DataLoader:
        return follow_epochs(super().get_train_dataloader())

    def _save_checkpoint(self, model, trial) -> None:
        complete = Path(self.args.output_dir, f"checkpoint-{self.state.global_step}", COMPLETE)
        if self.args.should_save:
            complete.unlink(missing_ok=True)
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            complete.touch()


def build_model(kind: type[PreTrainedModel], arguments: ModelArguments, seed: int) -> PreTrainedModel:
    """The model to train, float32; what has no weights yet gets random ones that belong to the seed."""
    set_seed(seed)
    config = arguments.config()
    if arguments.model is not None:
        return kind.from_pretrained(arguments.model, config=config, dtype=torch.float32)
    model = kind(config)
    if arguments.local_attention:
        localise_attention(model)
    return model


def train(trainer: PromoterTrainer) -> None:
    """Train to the end, or on from the last complete checkpoint in the output folder, and save model and tokenizer.

    Raises:
        FileExistsError: if the output folder holds a finished run.
    """
    output = Path(trainer.args.output_dir)
    if (output / INFO).exists():
        raise FileExistsError(f"{output} holds a finished training run; name another --output_dir")
    checkpoint = trainer.args.resume_from_checkpoint or last_complete_checkpoint(output)
    if checkpoint:
        logger.warning("Going on from %s", checkpoint)
    if trainer.args.load_best_model_at_end:
        trainer.add_callback(EarlyStoppingCallback(trainer.args.patience))
    trainer.train(resume_from_checkpoint=checkpoint)
    if trainer.is_world_process_zero():
        trainer.model.save_pretrained(output)
        config = trainer.model.config
        write_tokenizer(output, config.stride, config.context, config.max_position_embeddings)
    trainer.accelerator.wait_for_everyone()


def run_script(main: Callable[[], None]) -> None:
    """Run a script's `main`; data or an output folder that it cannot use end it with one line and exit status 1."""
    try:
        main()
    except (DataError, FileExistsError) as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")


def last_complete_checkpoint(output: Path) -> str | None:
    """The newest checkpoint that was written to its end; a run that was killed while it saved leaves half of one."""
    complete = [path.parent for path in output.glob(f"checkpoint-*/{COMPLETE}")]
    return str(max(complete, key=lambda folder: int(folder.name.split("-")[1]))) if complete else None


def write_info(
    trainer: PromoterTrainer, model: ModelArguments, data: DataArguments, results: dict[str, dict[str, float]]
) -> None:
    """Write `training_info.json`: how the weights came about and what they reach."""
    if not trainer.is_world_process_zero():
        return
    manifest = trainer.train_dataset.rows.manifest
    info = {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "model_arguments": asdict(model),
        "data_arguments": asdict(data),
        "training_arguments": _changed(trainer.args),
        "started_from": {"model": model.model, "weights_sha256": _weights_hash(model.model)},
        "data": {key: manifest[key] for key in ("fingerprint", "seed", "threshold") if key in manifest}
        | {"train_rows": len(trainer.train_dataset), "validation_rows": len(trainer.eval_dataset)},
        "parameters": trainer.model.num_parameters(),
        "processes": trainer.args.world_size,
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "device": str(trainer.args.device)},
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("dream-promoter-bert", "torch", "transformers", "accelerate", "numpy")},
        "git_commit": COMMIT,
        "results": results,
        # Trainer's closing summary counts from the last resume.
        "history": [entry for entry in trainer.state.log_history if "train_runtime" not in entry],
    }
    path = Path(trainer.args.output_dir, INFO)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _changed(args: RunArguments) -> dict[str, Any]:
    """The arguments that differ from `TrainingArguments`' defaults."""
    defaults = {f.name: f.default for f in fields(TrainingArguments)}
    values = args.to_dict()
    return {name: value for name, value in values.items() if value != defaults.get(name) and name != "output_dir"}


def _weights_hash(model: str | None) -> str | None:
    weights = Path(model or "", "model.safetensors")
    return hashlib.sha256(weights.read_bytes()).hexdigest() if model and weights.exists() else None


def _git_commit() -> str | None:
    """The commit of this package's code, where it runs from a checkout with git at hand."""
    checkout = Path(__file__).parents[1]
    if not (checkout / ".git").exists() or not shutil.which("git"):
        return None
    git = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=checkout, capture_output=True, text=True)
    return git.stdout.strip() or None


# Asked when a run starts: the checkout may move on before it ends.
COMMIT = _git_commit()
