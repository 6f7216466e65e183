"""The record of a training run, `training_info.json`: how the weights came about and what they reach."""

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
    """Write `training_info.json`: how the weights came about and what they reach."""
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
        "taught_by": None
        if teacher is None
        else {"model": teacher, "weights_sha256": weights_hash(model_name(teacher))},
        "data": data_record(manifest)
        | {"train_rows": len(trainer.train_dataset), "validation_rows": len(trainer.eval_dataset)},
        "parameters": trainer.trained.num_parameters(),
        "processes": trainer.args.world_size,
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "device": str(trainer.args.device)},
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("dream-promoter-bert", "torch", "transformers", "accelerate", "numpy")},
        "git_commit": COMMIT,
        "results": results,
        # Trainer's closing summary counts from the last resume.
        "history": [entry for entry in trainer.state.log_history if "train_runtime" not in entry],
    }
    path = Path(trainer.args.output_dir, TRAINING_INFO)
    with write_errors_in_one_line(path), open_output(path) as file, text_stream(file, zipped=False) as text:
        text.write(to_json(info))


def to_json(info: dict[str, Any]) -> str:
    """A record as text; a metric that is not defined, as the correlation of one row, is null."""

    def defined(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: defined(entry) for name, entry in value.items()}
        if isinstance(value, list):
            return list(map(defined, value))
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(defined(info), indent=1, allow_nan=False) + "\n"


def _start(arguments: "ModelArguments") -> dict[str, Any]:
    """The model that a run started from; of a fine-tuned one with its own record."""
    start = {"model": arguments.model, "weights_sha256": weights_hash(arguments.start)}
    if arguments.start is None:
        return start
    config = arguments.config()
    start["architectures"] = config.architectures
    if has_output_layer(config):
        # A model of stock transformers has no record, and what is wrong in another's must not end a finished run.
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            record = json.loads(Path(arguments.start, TRAINING_INFO).read_text(encoding="utf-8"))
            record["started_from"].get("training_info", {}).pop("history", None)  # else records grow with each run
            start["training_info"] = record
    return start


def data_record(manifest: dict[str, Any]) -> dict[str, Any]:
    """What of a prepared folder's manifest tells which rows it holds and how they were dealt to splits."""
    return {key: manifest[key] for key in ("fingerprint", "seed", "keep_related", "threshold") if key in manifest}


def _changed(args: TrainingArguments) -> dict[str, Any]:
    """The arguments that differ from `TrainingArguments`' defaults."""
    defaults = {f.name: f.default for f in fields(TrainingArguments)}
    values = args.to_dict()
    return {name: value for name, value in values.items() if value != defaults.get(name) and name != "output_dir"}


def weights_hash(model: str | Path | None) -> str | None:
    """SHA-256 of the weights in a folder; None where it holds none."""
    weights = Path(model or "", "model.safetensors")
    return hashlib.sha256(weights.read_bytes()).hexdigest() if model and weights.exists() else None


def _git_commit() -> str | None:
    """The commit of this package's code, where it runs from a checkout with git at hand."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists() or not shutil.which("git"):
        return None
    git = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=checkout, capture_output=True, text=True)
    return git.stdout.strip() or None


# Asked when a run starts: the checkout may move on before it ends.
COMMIT = _git_commit()
