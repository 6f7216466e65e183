"""Training runs of a tiny model: what they write, that nothing in them depends on how they are cut up."""

import json
import os
import shutil
import sys
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import killable_runs
import numpy as np
import pytest
import torch
from closeness import OPERATIONS, assert_close
from safetensors.torch import load_file
from transformers import TrainerCallback

from dream_bert import (
    BertForSequenceRegression,
    DreamBertForMaskedLM,
    DreamConvConfig,
    DreamConvForSequenceRegression,
)
from dream_bert.data.prepare import prepare
from dream_bert.errors import ArgumentError
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training import run_mlm, run_regression
from dream_bert.training.arguments import ModelArguments, RunArguments, parse_arguments
from dream_bert.training.run import run_script
from dream_bert.training.run_folder import COMPLETE, last_complete_checkpoint
from dream_bert.training.trainer import PromoterTrainer

EXAMPLES = Path(__file__).parents[2] / "examples"

BERTS = {"mlm": DreamBertForMaskedLM, "regression": BertForSequenceRegression}
KINDS = BERTS | {"conv": DreamConvForSequenceRegression, "taught": BertForSequenceRegression}
SCRIPTS = {stage: run_mlm if stage == "mlm" else run_regression for stage in KINDS}
QUIET = "--use_cpu --report_to none --disable_tqdm True --logging_steps 1"
# 80 rows in regression's and 40 in MLM's training split make 10 and 5 steps an epoch: checkpoints fall within epochs.
RUN = (
    f"{QUIET} --per_device_train_batch_size 8 --eval_strategy steps --eval_steps 3 --save_steps 3 --learning_rate 1e-2"
)
RUN += " --save_strategy steps --num_train_epochs 2"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    inserts = ["".join(rng.choice(list("ACGT"), size=rng.integers(70, 90))) for _ in range(100)]
    lines = [f"{insert}\t{insert.count('A') / 5 + rng.normal():.3f}" for insert in inserts]
    (folder / "rows.txt").write_text("\n".join(lines) + "\n")
    prepare([folder / "rows.txt"], folder / "prepared", top_fraction=0.5, mlm_validation=10, validation=10, test=10)
    return folder / "prepared"


@pytest.fixture(scope="module")
def models(tiny_config, tmp_path_factory) -> dict[str, Path]:
    """A folder with random weights for each stage, with dropout, so that a resumed run must restore random states."""
    folders, dropout = {}, dict(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    for stage, kind in KINDS.items():
        torch.manual_seed(0)
        config = tiny_config(stride=1, context=0, initializer_range=0.02, **dropout)
        if stage == "conv":
            config = DreamConvConfig(hidden_size=8, dilations=[1, 2])
        if stage == "taught":
            folders[stage] = folders["regression"]
            continue
        folders[stage] = tmp_path_factory.mktemp(stage)
        kind(config).save_pretrained(folders[stage])
    return folders


def train(
    stage: str, data: Path, model: Path, output: Path, more: str = "", run: str = RUN
) -> dict[str, torch.Tensor]:
    paths = ["--data", str(data), "--model", str(model), "--output_dir", str(output)]
    SCRIPTS[stage].main([*run.split(), *more.split(), *paths])
    return load_file(output / "model.safetensors")


def more(stage: str, models: dict[str, Path]) -> str:
    return f"--teacher {models['conv']} --muon_rate 1e-2" if stage == "taught" else ""


def metrics(output: Path) -> list[dict[str, float]]:
    history = json.loads((output / TRAINING_INFO).read_text())["history"]
    timed = ("runtime", "per_second")
    return [{k: v for k, v in entry.items() if not k.endswith(timed)} for entry in history]


@pytest.fixture(scope="module", params=KINDS)
def unbroken(request, data, models, tmp_path_factory):
    stage, output = request.param, tmp_path_factory.mktemp("unbroken") / "run"
    return stage, output, train(stage, data, models[stage], output, more(stage, models))


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
        train(stage, data, models[stage], tmp_path / "run", more(stage, models))
    monkeypatch.undo()
    resumed = train(stage, data, models[stage], tmp_path / "run", more(stage, models))
    assert all(torch.equal(resumed[name], weights[name]) for name in weights)
    assert metrics(tmp_path / "run") == metrics(whole)


def test_half_written_checkpoints_are_passed_over(tmp_path):
    assert last_complete_checkpoint(tmp_path / "none") is None
    for step, complete in ((3, True), (12, True), (20, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if complete:
            (folder / COMPLETE).touch()
    assert last_complete_checkpoint(tmp_path) == str(tmp_path / "checkpoint-12")


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


def test_arguments_may_come_from_a_file(data, models, tmp_path):
    flags = {
        "data": str(data),
        "model": str(models["regression"]),
        "output_dir": str(tmp_path / "run"),
        "max_steps": 1,
    }
    flags |= {"use_cpu": True, "report_to": "none", "lr_scheduler_type": "constant"}
    flags |= {"eval_strategy": "no", "save_strategy": "no"}
    (tmp_path / "run.yaml").write_text(json.dumps(flags | {"load_best_model_at_end": False, "disable_tqdm": True}))
    run_regression.main([str(tmp_path / "run.yaml"), "--seed", "3"])
    info = json.loads((tmp_path / "run" / TRAINING_INFO).read_text())["training_arguments"]
    assert (info["max_steps"], info["seed"]) == (1, 3)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_file_says_what_flags_would(tmp_path, suffix):
    values = {"data": "a folder", "dropout": 0, "label_names": ["a", "b"], "lr_scheduler_kwargs": {"num_cycles": 3}}
    path = tmp_path / f"run.{suffix}"
    path.write_text(json.dumps(values | {"learning_rate": "6e-4", "model": None, "use_cpu": True}))
    flags = ["--data", "a folder", "--dropout", "0", "--label_names", "a", "b", "--use_cpu"]
    flags += ["--lr_scheduler_kwargs", '{"num_cycles": 3}', "--learning_rate", "6e-4"]
    for args in ([str(path)], flags):
        model, data, run = parse_arguments(RunArguments, args)
        assert (model.dropout, model.model, data.data) == (0.0, None, "a folder")
        assert (run.learning_rate, run.label_names, run.lr_scheduler_kwargs) == (6e-4, ["a", "b"], {"num_cycles": 3})


@pytest.mark.parametrize(
    "text, why",
    [("- seed", "holds no"), ("", "holds no"), ("a: [", "cannot be read"), ("nonsense: 1", "no argument --nonsense")],
)
def test_a_file_without_arguments_is_told(tmp_path, text, why):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(ArgumentError, match=why):
        parse_arguments(RunArguments, [str(tmp_path / "run.yaml"), "--data", "a folder"])


def test_what_training_arguments_refuse_is_told():
    with pytest.raises(ArgumentError, match="eval strategy"):
        parse_arguments(RunArguments, ["--data", "a folder", "--use_cpu", "--eval_strategy", "no"])


@pytest.mark.parametrize("flag", ["--partial_rows", "--ridge_share"])
@pytest.mark.parametrize("share", ["-0.1", "1.01", "nan"])
def test_a_share_is_from_0_to_1(data, tmp_path, flag, share):
    with pytest.raises(ArgumentError, match=f"{flag} is"):
        run_regression.main(["--data", str(data), "--output_dir", str(tmp_path / "run"), flag, share])
    assert not (tmp_path / "run").exists()


def test_a_run_ends_with_its_share_of_ridge_regression(data, models, tmp_path):
    own = train("conv", data, models["conv"], tmp_path / "own", "--max_steps 3")
    mixed = train("conv", data, models["conv"], tmp_path / "mixed", "--max_steps 3 --ridge_share 0.25")
    assert_close(mixed["classifier.weight"], 0.75 * own["classifier.weight"])
    assert not own["sixmers"].any()
    assert mixed["sixmers"].any()


def test_ridge_regression_is_for_convolutions(data, tmp_path):
    with pytest.raises(ArgumentError, match="--ridge_share is for convolutions"):
        run_regression.main(["--data", str(data), "--output_dir", str(tmp_path / "run"), "--ridge_share", "0.1"])
    assert not (tmp_path / "run").exists()


def test_a_taught_run_leaves_stock_bert_that_its_teacher_moved(data, models, tmp_path):
    alone = train("regression", data, models["regression"], tmp_path / "alone", "--max_steps 2")
    steps = f"--max_steps 2 --teacher {models['conv']}"
    taught = train("taught", data, models["taught"], tmp_path / "taught", steps)
    assert taught.keys() == alone.keys() == load_file(models["regression"] / "model.safetensors").keys()
    assert not torch.equal(taught["bert.pooler.dense.weight"], alone["bert.pooler.dense.weight"])
    assert json.loads((tmp_path / "taught" / "config.json").read_text())["architectures"] == [
        "BertForSequenceRegression"
    ]
    info = json.loads((tmp_path / "taught" / TRAINING_INFO).read_text())
    assert (
        info["taught_by"]["weights_sha256"] == sha256((models["conv"] / "model.safetensors").read_bytes()).hexdigest()
    )
    assert json.loads((tmp_path / "alone" / TRAINING_INFO).read_text())["taught_by"] is None


def test_a_teacher_without_weights_is_told(data, models, tmp_path):
    folder = tmp_path / "teacher"
    shutil.copytree(models["conv"], folder)
    (folder / "config.json").write_text('{"model_type": "dream_conv", "hidden_size": -1}')
    with pytest.raises(ArgumentError, match="--teacher .*: .*hidden_size"):
        train("taught", data, models["taught"], tmp_path / "run", f"--teacher {folder}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "flags, reason",
    [
        ("--teacher dream-promoter-bert", "--teacher is .*dream-promoter-bert; give convolutions"),
        ("--teacher dream-promoter-conv --preset seed", "--teacher is for a BERT with stride 1"),
        ("--teacher dream-promoter-conv --preset conv", "--teacher is for a BERT with stride 1"),
        ("--muon_rate 1e-3 --preset conv", "--muon_rate is 0.001; give it for a BERT"),
        ("--muon_rate 0 --preset compact", "--muon_rate is 0.0; give it for a BERT, above 0"),
        ("--muon_rate nan --preset compact", "--muon_rate is nan"),
    ],
)
def test_a_teacher_or_muon_that_cannot_be_is_told(flags, reason, data, tmp_path):
    with pytest.raises(ArgumentError, match=reason):
        run_regression.main([*RUN.split(), *flags.split(), "--data", str(data), "--output_dir", str(tmp_path / "run")])


def test_arguments_change_the_preset():
    config = ModelArguments(preset="compact", stride=3, context=30, positions=99, dropout=0.0).config()
    assert (config.hidden_size, config.stride, config.context, config.max_position_embeddings) == (256, 3, 30, 99)
    assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == 0
    entry = ModelArguments().config()
    assert (entry.hidden_size, entry.stride, entry.context, entry.reading_frames) == (512, 3, 150, 3)
    assert entry.hidden_dropout_prob == 0.1


def test_arguments_change_a_trained_model(models):
    assert ModelArguments(model=str(models["mlm"]), dropout=0.3).config().hidden_dropout_prob == 0.3
    assert ModelArguments(model=str(models["mlm"]), positions=600).config().max_position_embeddings == 600
