"""Define and read the arguments of pretraining and fine-tuning."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from transformers import HfArgumentParser, TrainingArguments
from transformers.integrations import is_tensorboard_available

from ..errors import ArgumentError
from ..inference.loading import regression_class
from ..inference.model_files import model_name
from ..models.configuration_dna import DnaConfig
from ..models.configuration_dream_bert import PRESETS, DreamBertConfig
from ..models.configuration_dream_conv import DreamConvConfig

CONVOLUTIONS = "conv"
"""Name of the preset of the convolutional model."""


@dataclass
class ModelArguments:
    model: str | None = field(default=None, metadata={"help": "Folder, Hub id or shipped name to start from."})
    preset: str = field(
        default="seed", metadata={"help": "Kind and size of a random model.", "choices": [*PRESETS, CONVOLUTIONS]}
    )
    stride: int | None = field(
        default=None, metadata={"help": "bp from token to token, 1 or 3; default: the preset's."}
    )
    context: int | None = field(default=None, metadata={"help": "bp of plasmid on each side; default: the preset's."})
    positions: int | None = field(
        default=None, metadata={"help": "Longest input in tokens; those of a trained BERT are extended."}
    )
    reading_frames: int | None = field(
        default=None, metadata={"help": "Frames averaged, 1 to 3; default: the preset's."}
    )
    dropout: float | None = field(default=None, metadata={"help": "Dropout of all kinds; default 0.1."})
    local_attention: bool = field(default=False, metadata={"help": "Random weights start as a convolution."})
    random_weights: bool = field(
        default=False, metadata={"help": "Take the sizes of --model, and start from random weights."}
    )

    @property
    def start(self) -> str | None:
        """Resolve the folder or Hub id of the model to start from; None means random weights.

        Raises:
            FileNotFoundError: if there is no such folder.
        """
        return None if self.model is None or self.random_weights else model_name(self.model)

    def config(self) -> DnaConfig:
        """Return the configuration of the model to start from, with the changes that the arguments make.

        Raises:
            ArgumentError: if an argument does not apply to this kind of model.
            ValueError: if the changes do not go together.
            OSError: if there is no such model.
        """
        sizes = None if self.model is None else model_name(self.model)
        changes = {
            "stride": self.stride,
            "context": self.context,
            "max_position_embeddings": self.positions,
            "reading_frames": self.reading_frames,
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
        }
        changes = {name: value for name, value in changes.items() if value is not None}
        if sizes is not None:
            kind = regression_class(sizes).config_class
        else:
            kind = DreamConvConfig if self.preset == CONVOLUTIONS else DreamBertConfig
        if kind is DreamConvConfig:
            changes.pop("attention_probs_dropout_prob", None)
            if self.local_attention:
                raise ArgumentError("--local_attention is for a BERT; leave it out")
        if sizes is not None:
            return kind.from_pretrained(sizes, **changes)
        return kind(**changes) if kind is DreamConvConfig else kind.preset(self.preset, **changes)


@dataclass
class DataArguments:
    data: str = field(metadata={"help": "Folder that `dream-bert prepare` wrote."})
    max_train_rows: int | None = field(default=None, metadata={"help": "Train on the first rows only."})


@dataclass
class RunArguments(TrainingArguments):
    """`TrainingArguments` with the entry's defaults: Adam at 1e-4, lowered on a plateau of the validation metric."""

    output_dir: str = field(default="output", metadata={"help": "Folder for the model and its checkpoints."})
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
    muon_rate: float | None = field(
        default=None,
        metadata={"help": "Learning rate of Muon for the matrices of a BERT's layers; default: no Muon."},
    )
    patience: int = field(default=5, metadata={"help": "Evaluations without a better metric before training stops."})


def parse_arguments(
    run_arguments: type[RunArguments], args: list[str] | None = None
) -> tuple[ModelArguments, DataArguments, RunArguments]:
    """Read the three groups of arguments from a command line, which may begin with a JSON or YAML file of arguments.

    Args:
        run_arguments: the class of the third group.
        args: the command line. Default: that of the process.

    Raises:
        ArgumentError: if the file has no arguments, an argument is unknown, or `TrainingArguments` refuses one.
        SystemExit: with status 2, if a value cannot be read or is missing.
    """
    parser = HfArgumentParser((ModelArguments, DataArguments, run_arguments))
    args = sys.argv[1:] if args is None else args
    if args and args[0].endswith((".json", ".yaml", ".yml")):
        args = [*_flags(Path(args[0])), *args[1:]]
    try:
        *groups, unknown = parser.parse_args_into_dataclasses(args, return_remaining_strings=True)
    except ValueError as error:
        raise ArgumentError(str(error)) from error
    if unknown:
        raise ArgumentError(f"there is no argument {unknown[0]}; --help lists all")
    if "tensorboard" in groups[-1].report_to and not is_tensorboard_available():
        advice = "pip install 'dream-promoter-bert[train]', or give --report_to none"
        raise ArgumentError(f"tensorboard is not installed; {advice}")
    return tuple(groups)


def _flags(path: Path) -> list[str]:
    """Turn a file of arguments into words of a command line."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML, too
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ArgumentError(
            f"{path}: cannot be read as YAML ({error}); write one argument a line, as in seed: 1"
        ) from error
    if not isinstance(values, dict):
        raise ArgumentError(f"{path}: holds no arguments; write one a line, as in seed: 1")
    flags = []
    for name, value in values.items():
        if isinstance(value, dict):
            value = json.dumps(value)
        if value is not None:
            flags += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return flags
