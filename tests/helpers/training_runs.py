"""Training runs of tiny models in this process, and what they logged."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from dream_bert import BertForSequenceRegression, DreamBertForMaskedLM, DreamConvForSequenceRegression
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training import run_mlm, run_regression

BERTS = {"mlm": DreamBertForMaskedLM, "regression": BertForSequenceRegression}
KINDS = BERTS | {"conv": DreamConvForSequenceRegression, "taught": BertForSequenceRegression}
SCRIPTS = {stage: run_mlm if stage == "mlm" else run_regression for stage in KINDS}
QUIET = "--use_cpu --report_to none --disable_tqdm True --logging_steps 1"
# 80 rows in regression's and 40 in MLM's training split make 10 and 5 steps an epoch: checkpoints fall within epochs.
RUN = (
    f"{QUIET} --per_device_train_batch_size 8 --eval_strategy steps --eval_steps 3 --save_steps 3 --learning_rate 1e-2"
)
RUN += " --save_strategy steps --num_train_epochs 2"


def train(
    stage: str, data: Path, model: Path, output: Path, more: str = "", run: str = RUN
) -> dict[str, torch.Tensor]:
    paths = ["--data", str(data), "--model", str(model), "--output_dir", str(output)]
    SCRIPTS[stage].main([*run.split(), *more.split(), *paths])
    return load_file(output / "model.safetensors")


def teacher_flags(stage: str, models: dict[str, Path]) -> str:
    return f"--teacher {models['conv']} --muon_rate 1e-2" if stage == "taught" else ""


def metrics(output: Path) -> list[dict[str, float]]:
    history = json.loads((output / TRAINING_INFO).read_text())["history"]
    timed = ("runtime", "per_second")
    return [{k: v for k, v in entry.items() if not k.endswith(timed)} for entry in history]
