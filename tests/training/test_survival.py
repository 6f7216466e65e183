"""Runs that are killed, told to stop or find no room: they resume as if nothing had been, or end with one line."""

import json
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import killable_runs
import pytest
import torch
from safetensors.torch import load_file

from dream_bert import BertForSequenceRegression, DreamBertForMaskedLM
from dream_bert.errors import RunFolderError
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training.preemption import PREEMPTED
from dream_bert.training.run import check_trainer_can_resume
from dream_bert.training.run_folder import last_complete_checkpoint

# 200 and 220 rows in batches of 20 make 10 and 11 steps an epoch; nothing else falls on the same steps.
RUN = "--use_cpu --report_to none --disable_tqdm True --num_train_epochs 2 --learning_rate 1e-2 --logging_steps 4"
RUN += " --eval_strategy steps --eval_steps 3 --save_strategy steps --save_steps 3 --patience 50"
STEPS_AN_EPOCH = {"mlm": 11, "regression": 10}
BATCH = 20


@pytest.fixture(scope="module")
def train(tiny_config, prepared, tmp_path_factory):
    """Runs the command of a stage in a folder until it ends: exit statuses and what the first process printed."""
    models = {}
    for stage, kind in {"mlm": DreamBertForMaskedLM, "regression": BertForSequenceRegression}.items():
        torch.manual_seed(0)
        models[stage] = tmp_path_factory.mktemp(stage)
        dropout = dict(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
        kind(tiny_config(stride=1, context=0, initializer_range=0.02, **dropout)).save_pretrained(models[stage])

    def run(stage, folder, moment="", step=0, processes=1, more="", data=prepared):
        arguments = [*RUN.split(), "--per_device_train_batch_size", str(BATCH // processes), *more.split()]
        arguments += ["--data", str(data), "--model", str(models[stage]), "--output_dir", str(folder / "run")]
        runs = killable_runs.start(stage, arguments, folder / "notes", moment, step, processes)
        return killable_runs.end(runs), (folder / "notes.0.err").read_text()

    return run


def outcome(folder: Path, stage: str, processes: int = 1) -> tuple:
    """Weights, metrics and rows of a finished run."""
    history = json.loads((folder / "run" / TRAINING_INFO).read_text())["history"]
    untimed = [{k: v for k, v in entry.items() if not k.endswith(("runtime", "per_second"))} for entry in history]
    weights = {name: tensor.numpy().tobytes() for name, tensor in load_file(folder / "run/model.safetensors").items()}
    return weights, untimed, killable_runs.rows_seen(folder / "notes", processes, STEPS_AN_EPOCH[stage])


@pytest.fixture(
    scope="module",
    params=[
        ("regression", 1, ""),
        pytest.param(
            ("mlm", 2, "--load_best_model_at_end False"), marks=[killable_runs.several_resume, pytest.mark.slow]
        ),
    ],
)
def unbroken(request, train, tmp_path_factory):
    stage, processes, more = request.param
    folder = tmp_path_factory.mktemp("unbroken")
    ends, errors = train(stage, folder, processes=processes, more=more)
    assert ends == [0] * processes, errors
    whole = outcome(folder, stage, processes)
    assert [sum(rows.values()) for rows in whole[2].values()] == [STEPS_AN_EPOCH[stage] * BATCH] * 2
    return stage, processes, more, whole


DEATHS = [
    ("half of the weights", 3),
    ("before the optimizer", 3),
    ("before the random states", 6),
    ("in a step", 8),
    ("before the mark", 9),
    ("half of an old checkpoint is deleted", 12),
    ("half of the final weights", 0),
    ("half of the final files are in place", 0),
    ("before the record", 0),
]


@pytest.mark.slow
def test_killed_at_every_bad_moment(unbroken, train, tmp_path):
    stage, processes, more, whole = unbroken
    for moment, step in DEATHS[:: 1 if processes == 1 else 2]:
        ends, errors = train(stage, tmp_path, moment, step, processes, more)
        assert ends[0] == -signal.SIGKILL, f"{moment}: {errors}"
        assert not (tmp_path / "run" / TRAINING_INFO).exists()
    ends, errors = train(stage, tmp_path, processes=processes, more=more)
    assert ends == [0] * processes, errors
    assert outcome(tmp_path, stage, processes) == whole
    assert [path.name for path in (tmp_path / "run").glob(".*")] == [".lock"]


def test_sigterm_saves_at_the_end_of_the_step_and_leaves(unbroken, train, tmp_path):
    stage, processes, more, whole = unbroken
    # The last process gets the signal: within an epoch, at a step with a checkpoint of its own, at an epoch's end.
    for step in (4, 6, STEPS_AN_EPOCH[stage]):
        ends, errors = train(stage, tmp_path, "SIGTERM", step, processes, more)
        assert ends == [PREEMPTED] * processes, errors
        assert f"SIGTERM: saved step {step};" in errors
        assert last_complete_checkpoint(tmp_path / "run") == str(tmp_path / "run" / f"checkpoint-{step}")
    ends, errors = train(stage, tmp_path, processes=processes, more=more)
    assert ends == [0] * processes, errors
    assert outcome(tmp_path, stage, processes) == whole


@pytest.mark.slow
def test_workers_that_get_sigterm_too_do_not_take_the_run_down(train, tmp_path):
    more = "--dataloader_num_workers 2 --eval_strategy no --load_best_model_at_end False --lr_scheduler_type constant"
    ends, errors = train("regression", tmp_path, "SIGTERM to the workers too", 4, more=more)
    assert ends == [PREEMPTED], errors
    assert last_complete_checkpoint(tmp_path / "run") == str(tmp_path / "run" / "checkpoint-4")


def test_what_transformers_cannot_resume_is_said(monkeypatch):
    args = SimpleNamespace(output_dir="run", world_size=2, device=torch.device("cpu", 0))
    monkeypatch.setattr("transformers.__version__", "5.17.0")
    with pytest.raises(RunFolderError, match="^run: transformers 5.17.0 cannot resume .* install transformers 5.18 "):
        check_trainer_can_resume(args)
    for alone in (dict(world_size=1), dict(device=torch.device("cuda", 0))):
        check_trainer_can_resume(SimpleNamespace(**vars(args) | alone))


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("no room for the weights", marks=pytest.mark.slow),
        pytest.param("no room for the optimizer", marks=pytest.mark.slow),
        "no room for the mark",
    ],
)
def test_a_full_disk_is_named_and_leaves_the_last_checkpoint(train, tmp_path, moment):
    ends, errors = train("regression", tmp_path, moment, 6)
    assert ends == [1], errors
    # Not the last line: what a process prints may come after what it says on standard error.
    message = f"run.py: {tmp_path}/run/checkpoint-6: cannot be written ("
    assert [line.startswith(message) for line in errors.splitlines()].count(True) == 1, errors
    assert "MiB free" in errors and "Traceback" not in errors
    assert not (tmp_path / "run/checkpoint-6").exists()
    assert last_complete_checkpoint(tmp_path / "run") == str(tmp_path / "run/checkpoint-3")
    ends, errors = train("regression", tmp_path, more="--max_steps 6")
    assert ends == [0], errors
    assert "Resuming from" in errors


@pytest.mark.parametrize(
    "more", ["--max_steps 7", pytest.param("--patience 1 --learning_rate 1", marks=pytest.mark.slow)]
)
def test_a_run_that_ended_within_an_epoch_takes_no_further_step(train, tmp_path, more):
    for name, moments in (("whole", [""]), ("killed", ["half of the final weights", ""])):
        (tmp_path / name).mkdir()
        for moment in moments:
            ends, errors = train("regression", tmp_path / name, moment, more=more)
        assert ends == [0], errors
    assert outcome(tmp_path / "killed", "regression") == outcome(tmp_path / "whole", "regression")


def test_an_output_folder_that_cannot_be_is_named(train, tmp_path):
    (tmp_path / "run").write_text("a file")
    ends, errors = train("regression", tmp_path)
    assert ends == [1]
    assert errors.startswith(f"run.py: {tmp_path}/run: cannot be written (File exists; ") and errors.count("\n") == 1


def test_a_flipped_byte_is_found_before_the_first_step(train, prepared, tmp_path):
    data = tmp_path / "data"
    subprocess.run(["cp", "-r", prepared, data], check=True)
    for split in ("train", "validation", "test"):
        shard = data / f"regression/{split}/part-00000.arrow"
        content = shard.read_bytes()
        shard.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        ends, errors = train("regression", tmp_path, data=data)
        assert ends == [1]
        assert errors.startswith(f"run.py: {shard}: is damaged") and errors.count("\n") == 1
        shard.write_bytes(content)
    shard.unlink()
    ends, errors = train("regression", tmp_path, data=data)
    assert errors.startswith(f"run.py: {shard}: is missing") and errors.count("\n") == 1
    assert (tmp_path / "notes.0.rows").read_text().strip() == ""
