"""Weights do not depend on how a batch is divided: by accumulation or among processes."""

import json
from pathlib import Path

import killable_runs
import pytest
import torch
from closeness import OPERATIONS, assert_close
from safetensors.torch import load_file
from training_runs import BERTS, QUIET, metrics, train

from dream_bert.inference.model_files import TRAINING_INFO

# 40 and 80 rows in batches of 16 end with a smaller batch, and MLM's batches differ in predicted tokens.
STEPS = (
    f"{QUIET} --num_train_epochs 2 --dropout 0 --eval_strategy no --save_strategy no --load_best_model_at_end False"
)
# Adam would turn the rounding errors of gradients that are zero, as those of key biases are, into steps.
STEPS += " --lr_scheduler_type constant --optim sgd --learning_rate 0.1"


def assert_same_training(weights: dict, others: dict, run: Path, other: Path) -> None:
    """Weights and losses, up to the roundings of all steps."""
    losses = [[entry["loss"] for entry in metrics(folder) if "loss" in entry] for folder in (run, other)]
    operations = len(losses[0]) * OPERATIONS
    assert weights.keys() == others.keys()
    for name in weights:
        assert_close(others[name], weights[name], operations=operations, name=name)
    assert_close(losses[1], losses[0], operations=operations)


# A batch is normalised as a whole in the convolutions.
@pytest.mark.parametrize("stage", [*BERTS, "taught"])
def test_weights_do_not_depend_on_accumulation(stage, data, models, tmp_path):
    def run(name: str, batch: str) -> dict[str, torch.Tensor]:
        teacher = f" --teacher {models['conv']}" if stage == "taught" else ""
        return train(stage, data, models[stage], tmp_path / name, batch + teacher, run=STEPS)

    whole = run("whole", "--per_device_train_batch_size 16")
    parts = run("parts", "--per_device_train_batch_size 4 --gradient_accumulation_steps 4")
    assert_same_training(whole, parts, tmp_path / "whole", tmp_path / "parts")
    before = load_file(models[stage] / "model.safetensors")
    assert max(float((whole[name] - before[name]).abs().max()) for name in whole) > 1e-4


@pytest.mark.parametrize("stage", BERTS)
def test_weights_do_not_depend_on_the_number_of_processes(stage, data, models, tmp_path):
    whole = train(stage, data, models[stage], tmp_path / "one", "--per_device_train_batch_size 16", run=STEPS)
    paths = ["--data", str(data), "--model", str(models[stage]), "--output_dir", str(tmp_path / "two")]
    arguments = [*STEPS.split(), "--per_device_train_batch_size", "8", *paths]
    ends = killable_runs.end(killable_runs.start(stage, arguments, tmp_path / "notes", processes=2))
    assert ends == [0, 0], (tmp_path / "notes.0.err").read_text()
    assert json.loads((tmp_path / "two" / TRAINING_INFO).read_text())["processes"] == 2
    parts = load_file(tmp_path / "two" / "model.safetensors")
    assert_same_training(whole, parts, tmp_path / "one", tmp_path / "two")
