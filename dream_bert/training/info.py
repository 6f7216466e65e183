"""Write the record of a training run, `training_info.json`: arguments, versions, data, start, metrics and history."""

import hashlib
import json
import math
import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainingArguments

from ..inference.model_files import TRAINING_INFO, model_name
from ..io.output import open_output, text_stream
from .label_scale import has_output_layer
from .run_folder import write_errors_in_one_line

if TYPE_CHECKING:
    from .arguments import DataArguments, ModelArguments
    from .trainer import PromoterTrainer


def write_info(
    trainer: "PromoterTrainer", model: "ModelArguments", data: "DataArguments", results: dict[str, dict[str, float]]
) -> None:
    """Write `training_info.json` into a trainer's output folder, in the first process.

    Args:
        trainer: after training.
        model, data: the arguments of the run.
        results: metrics by split.

    Raises:
        RunFolderError: if it cannot be written.
    """
    if not trainer.is_world_process_zero():
        return
    manifest = trainer.train_dataset.rows.manifest
    teacher = getattr(trainer.args, "teacher", None)
    info = {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "model_arguments": asdict(model),
        "data_arguments": asdict(data),
        "training_arguments": _changed(trainer.args),
        "started_from": _start(model),
        "taught_by": None if teacher is None else {"model": teacher, "weights_sha256": weights_hash(teacher)},
        "data": data_record(manifest)
        | {"train_rows": len(trainer.train_dataset), "validation_rows": len(trainer.eval_dataset)},
        "parameters": trainer.trained.num_parameters(),
        "processes": trainer.args.world_size,
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "device": str(trainer.args.device)},
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("dream-promoter-bert", "torch", "transformers", "accelerate", "numpy")},
        "git_commit": COMMIT,
        "results": results,
        # Trainer's final summary is left out, because it counts from the last resume.
        "history": [entry for entry in trainer.state.log_history if "train_runtime" not in entry],
    }
    path = Path(trainer.args.output_dir, TRAINING_INFO)
    with write_errors_in_one_line(path), open_output(path) as file, text_stream(file) as text:
        text.write(to_json(info))


def to_json(info: dict[str, Any]) -> str:
    """Write a record as JSON; an undefined metric, such as the correlation of one row, is null."""

    def defined(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: defined(entry) for name, entry in value.items()}
        if isinstance(value, list):
            return list(map(defined, value))
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(defined(info), indent=1, allow_nan=False) + "\n"


def _start(arguments: "ModelArguments") -> dict[str, Any]:
    """Describe the model that a run started from, with its own record if it was fine-tuned."""
    start = {
        "model": None if arguments.start is None else arguments.model,
        "weights_sha256": weights_hash(arguments.start),
    }
    if arguments.start is None:
        return start
    config = arguments.config()
    start["architectures"] = config.architectures
    if has_output_layer(config):
        # A model of stock transformers has no record, and a damaged record must not end a finished run.
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            record = json.loads(Path(arguments.start, TRAINING_INFO).read_text(encoding="utf-8"))
            record["started_from"].get("training_info", {}).pop(
                "history", None
            )  # otherwise records would grow with each run
            start["training_info"] = record
    return start


def data_record(manifest: dict[str, Any]) -> dict[str, Any]:
    """Select from a manifest the fields that identify the rows and how they were assigned to splits."""
    keys = ("fingerprint", "seed", "keep_related", "threshold", "targets")
    return {key: manifest[key] for key in keys if key in manifest}


def _changed(args: TrainingArguments) -> dict[str, Any]:
    """Return the arguments that differ from the defaults of `TrainingArguments`."""
    defaults = {f.name: f.default for f in fields(TrainingArguments)}
    values = args.to_dict()
    return {name: value for name, value in values.items() if value != defaults.get(name) and name != "output_dir"}


def weights_hash(model: str | Path | None) -> str | None:
    """Return the SHA-256 of a file of weights, or of those of a model, or None if it has none."""
    if model is None:
        return None
    weights = Path(model) if Path(model).is_file() else Path(model_name(str(model)), "model.safetensors")
    return hashlib.sha256(weights.read_bytes()).hexdigest() if weights.exists() else None


def _git_commit() -> str | None:
    """Return the commit of this package's code, or None without a checkout and git."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists() or not shutil.which("git"):
        return None
    git = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=checkout, capture_output=True, text=True)
    return git.stdout.strip() or None


# Read when a run starts, because the checkout may change before it ends.
COMMIT = _git_commit()
