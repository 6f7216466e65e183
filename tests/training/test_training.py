"""Training runs of a tiny model: the folders that they leave, resumed runs, ridge regression and teachers."""

import json
import os
import sys
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from closeness import assert_close
from random_deepatt import random_deepatt
from safetensors.torch import load_file
from training_runs import KINDS, metrics, teacher_flags, train
from transformers import TrainerCallback

from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training import deepatt
from dream_bert.training.run import run_script
from dream_bert.training.trainer import PromoterTrainer


@pytest.fixture(scope="module", params=KINDS)
def unbroken(request, data, models, tmp_path_factory):
    stage, output = request.param, tmp_path_factory.mktemp("unbroken") / "run"
    return stage, output, train(stage, data, models[stage], output, teacher_flags(stage, models))


def test_run_leaves_a_model_its_tokenizer_and_how_it_came_about(unbroken, data):
    stage, output, weights = unbroken
    info = json.loads((output / TRAINING_INFO).read_text())
    manifest = json.loads((data / "manifest.json").read_text())
    assert info["data"]["fingerprint"] == manifest["fingerprint"]
    assert info["data"]["train_rows"] == manifest["stages"]["mlm" if stage == "mlm" else "regression"]["train"]["rows"]
    assert info["training_arguments"]["learning_rate"] == 1e-2
    assert info["versions"]["torch"] == version("torch")
    assert info["parameters"] == sum(tensor.numel() for tensor in KINDS[stage].from_pretrained(output).parameters())
    assert {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"} <= set(os.listdir(output))
    wanted = "eval_masked_accuracy_random_dna" if stage == "mlm" else "eval_spearman"
    assert wanted in info["results"]["validation"]
    assert ("test" in info["results"]) == (stage != "mlm")


def test_finished_run_is_not_overwritten(unbroken, data, models):
    stage, output, _ = unbroken
    with pytest.raises(FileExistsError, match="finished"):
        train(stage, data, models[stage], output)


def test_scripts_end_with_one_line(unbroken, data, models, tmp_path, monkeypatch):
    stage, output, _ = unbroken
    monkeypatch.setattr(sys, "argv", ["/where/ever/run.py"])
    with pytest.raises(SystemExit, match="^run.py: .* holds a finished training run; name another --output_dir$"):
        run_script(lambda: train(stage, data, models[stage], output))
    with pytest.raises(SystemExit, match="^run.py: .* has no manifest.json"):
        run_script(lambda: train(stage, tmp_path, models[stage], tmp_path / "run"))


class Interrupt(TrainerCallback):
    def __init__(self, step: int):
        self.step = step

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == self.step:
            raise KeyboardInterrupt


def test_interrupted_run_ends_as_an_unbroken_one(unbroken, data, models, tmp_path, monkeypatch):
    stage, whole, weights = unbroken
    build = PromoterTrainer.__init__

    def interrupted(self, *args, **kwargs):
        build(self, *args, **kwargs)
        self.add_callback(Interrupt(5))

    monkeypatch.setattr(PromoterTrainer, "__init__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(stage, data, models[stage], tmp_path / "run", teacher_flags(stage, models))
    monkeypatch.undo()
    resumed = train(stage, data, models[stage], tmp_path / "run", teacher_flags(stage, models))
    assert all(torch.equal(resumed[name], weights[name]) for name in weights)
    assert metrics(tmp_path / "run") == metrics(whole)


def test_a_run_ends_with_its_share_of_ridge_regression(data, models, tmp_path):
    own = train("conv", data, models["conv"], tmp_path / "own", "--max_steps 3")
    mixed = train("conv", data, models["conv"], tmp_path / "mixed", "--max_steps 3 --ridge_share 0.25")
    assert_close(mixed["classifier.weight"], 0.75 * own["classifier.weight"])
    assert not own["sixmers"].any()
    assert mixed["sixmers"].any()


@pytest.fixture(scope="module")
def teachers(models, tmp_path_factory) -> dict[str, Path]:
    """Files of weights: convolutions in their folder, and DeepAtt's."""
    file = tmp_path_factory.mktemp("deepatt") / "deepatt.safetensors"
    deepatt.save(random_deepatt(), file)
    return {"conv": models["conv"] / "model.safetensors", "deepatt": file}


@pytest.mark.parametrize("stage", ["regression", "conv"])
@pytest.mark.parametrize("teacher", ["conv", "deepatt"])
def test_a_taught_run_leaves_the_student_alone_that_its_teacher_moved(
    stage, teacher, data, models, teachers, tmp_path
):
    name = teachers["deepatt"] if teacher == "deepatt" else models["conv"]
    alone = train(stage, data, models[stage], tmp_path / "alone", "--max_steps 2")
    taught = train(stage, data, models[stage], tmp_path / "taught", f"--max_steps 2 --teacher {name}")
    assert taught.keys() == alone.keys() == load_file(models[stage] / "model.safetensors").keys()
    inner = "bert.pooler.dense.weight" if stage == "regression" else "head.1.weight"
    assert not torch.equal(taught[inner], alone[inner])
    architecture = json.loads((models[stage] / "config.json").read_text())["architectures"]
    assert json.loads((tmp_path / "taught" / "config.json").read_text())["architectures"] == architecture
    info = json.loads((tmp_path / "taught" / TRAINING_INFO).read_text())
    assert info["taught_by"] == {
        "model": str(name),
        "weights_sha256": sha256(teachers[teacher].read_bytes()).hexdigest(),
    }
    assert json.loads((tmp_path / "alone" / TRAINING_INFO).read_text())["taught_by"] is None
