"""The mean of several trainings' weights: what it is, what is recorded of it, and what has none."""

import json
import shutil
from pathlib import Path

import average
import numpy as np
import pytest
import torch
from closeness import assert_close
from safetensors.torch import load_file
from scipy.stats import pearsonr

from dream_bert import predict
from dream_bert.data.dataset import PromoterDataset
from dream_bert.errors import ArgumentError
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training import run_regression

FLAGS = "--use_cpu --report_to none --disable_tqdm True --max_steps 2 --eval_strategy no --save_strategy no"
FLAGS += " --load_best_model_at_end False --lr_scheduler_type constant --learning_rate 1e-2"


def train(start: Path, data: Path, output: Path, seed: int) -> Path:
    paths = ["--data", str(data), "--model", str(start), "--output_dir", str(output), "--seed", str(seed)]
    run_regression.main([*FLAGS.split(), *paths])
    return output


@pytest.fixture(scope="module")
def start(tiny_model, prepared, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    tiny_model(stride=1, context=0).save_pretrained(folder / "random")
    return train(folder / "random", prepared, folder / "trained", seed=0)


@pytest.fixture(scope="module")
def runs(start, prepared, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    return [train(start, prepared, folder / str(seed), seed) for seed in (1, 2, 3)]


def mean_of(runs: list[Path], data: Path, output: Path) -> Path:
    average.main([*map(str, runs), "--data", str(data), "-o", str(output)])
    return output


def test_the_weights_are_the_mean(runs, prepared, tmp_path):
    mean = load_file(mean_of(runs, prepared, tmp_path / "mean") / "model.safetensors")
    states = [load_file(run / "model.safetensors") for run in runs]
    assert any(not torch.equal(states[0][name], states[1][name]) for name in mean)
    for name, tensor in mean.items():
        expected = np.mean([state[name].numpy() for state in states], axis=0, dtype=np.float64)
        assert_close(tensor, expected, operations=4)
    assert {path.name for path in tmp_path.iterdir()} == {"mean"}


def test_the_mean_of_one_run_is_that_run(runs, prepared, tmp_path):
    mean_of(runs[:1], prepared, tmp_path / "mean")
    of_one, own = (load_file(folder / "model.safetensors") for folder in (tmp_path / "mean", runs[0]))
    assert all(torch.equal(of_one[name], own[name]) for name in own)


def test_the_record_tells_whose_mean_it_is_and_what_it_reaches(runs, start, prepared, tmp_path):
    info = json.loads((mean_of(runs, prepared, tmp_path / "mean") / TRAINING_INFO).read_text())
    assert [entry["model"] for entry in info["mean_of"]] == list(map(str, runs))
    assert [(entry["seed"], entry["data"]) for entry in info["mean_of"]] == [
        (seed, info["data"]["fingerprint"]) for seed in (1, 2, 3)
    ]
    assert len({entry["weights_sha256"] for entry in info["mean_of"]}) == 3
    assert info["started_from"]["training_info"] == json.loads((start / TRAINING_INFO).read_text())
    assert info["held_out"]["fingerprint"] == info["data"]["fingerprint"]
    rows = PromoterDataset(prepared, "regression", "test")
    inserts, expression = rows.rows(np.arange(len(rows)))
    said = predict(inserts, tmp_path / "mean")
    assert info["results"]["test"]["test_pearson"] == pytest.approx(pearsonr(said, expression).statistic, abs=1e-4)


def test_runs_that_do_not_belong_together_have_no_mean(runs, start, prepared, tmp_path):
    stranger = train(runs[0], prepared, tmp_path / "stranger", seed=1)
    with pytest.raises(ArgumentError, match=f"{stranger}: did not start from"):
        mean_of([runs[0], stranger], prepared, tmp_path / "mean")
    with pytest.raises(ArgumentError, match=f"{prepared}: has no {TRAINING_INFO}"):
        mean_of([runs[0], prepared], prepared, tmp_path / "mean")
    misfit = tmp_path / "misfit"
    misfit.mkdir()
    for name in (TRAINING_INFO, "config.json"):
        shutil.copy(runs[0] / name, misfit)
    shutil.copy(start / "model.safetensors", misfit / "model.safetensors")
    config = json.loads((misfit / "config.json").read_text())
    (misfit / "config.json").write_text(json.dumps(config | {"hidden_size": 2 * config["hidden_size"]}))
    with pytest.raises(ArgumentError, match="no fitting weights"):
        mean_of([runs[0], misfit], prepared, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_no_folder_is_overwritten(runs, prepared, tmp_path):
    with pytest.raises(ArgumentError, match="exists; name a new folder"):
        mean_of(runs, prepared, tmp_path)
    assert not list(tmp_path.iterdir())
