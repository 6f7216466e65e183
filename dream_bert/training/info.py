"""The record of a training run, `training_info.json`: how the weights came about and what they reach."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainingArguments

from ..artifacts import INFO
from ..prediction import model_name
from .run_folder import writing

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
        "started_from": {"model": model.model, "weights_sha256": weights_hash(model.model)},
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
    path = Path(trainer.args.output_dir, INFO)
    partial = path.with_suffix(".partial")
    with writing(path):
        partial.write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)


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
