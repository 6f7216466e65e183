"""Labels on another scale than the starting model's."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from one_step import WITHOUT, train, write_rows

from dream_bert import predict
from dream_bert.data.batches import RegressionBatches
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.errors import DataError
from dream_bert.hub.card import render_card
from dream_bert.inference.loading import load_regression
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.training import run_regression
from dream_bert.training.label_scale import start_at_labels


def labelled(tmp_path: Path, folder: Path, slope: float, noise: float = 0.0) -> tuple[Path, np.ndarray, np.ndarray]:
    """Rows whose labels are a line of what a model predicts; the predictions and labels of the train split."""
    draw = np.random.default_rng(0)
    inserts = ["".join(draw.choice(list("ACGT"), 50)) for _ in range(60)]
    labels = slope * predict(inserts, folder) - 40 + noise * draw.normal(size=60)
    (tmp_path / "rows.txt").write_text("".join(f"{s}\t{y:.6f}\n" for s, y in zip(inserts, labels, strict=True)))
    prepare([tmp_path / "rows.txt"], tmp_path / "data", ["regression"], validation=5, test=5)
    rows = PromoterDataset(tmp_path / "data", "regression", "train")
    return tmp_path / "data", *rows.rows(np.arange(len(rows)))


@pytest.mark.parametrize("kind", ["bert", "conv"])
@pytest.mark.parametrize(("slope", "noise"), [(0.01, 0.0), (3.0, 0.5), (-2.0, 0.0)])
def test_a_trained_output_starts_at_the_line_that_fits_best(kind, slope, noise, start_folders, tmp_path):
    data, inserts, measured = labelled(tmp_path, start_folders[kind], slope, noise)
    model = load_regression(start_folders[kind])
    before = predict(inserts, model)
    start_at_labels(model, RegressionBatches(PromoterDataset(data, "regression", "train"), model.config), True)
    line = np.polyfit(before.astype(float), measured, 1)
    expected = np.polyval(line, before) if slope > 0 else np.full(len(measured), measured.mean())
    np.testing.assert_allclose(predict(inserts, model), expected, rtol=1e-4, atol=1e-4)
    assert model.config.label_mean == pytest.approx(measured.mean(dtype=float), rel=1e-6)
    assert model.config.label_std == pytest.approx(measured.std(dtype=float), rel=1e-4)


def test_fine_tuning_takes_the_scale_of_the_labels(start_folders, tmp_path):
    config = json.loads((start_folders["bert"] / "config.json").read_text())
    shutil.copytree(start_folders["bert"], tmp_path / "start")
    calibration = {"expression": [1.0], "spread": [1.0], "ratios": [1.0]}
    (tmp_path / "start" / "config.json").write_text(json.dumps(config | {"calibration": calibration}))
    (tmp_path / "start" / TRAINING_INFO).write_text("[]")
    data, inserts, measured = labelled(tmp_path, start_folders["bert"], 0.1)
    flags = f"--learning_rate 1e-9 --logging_steps 1 --dropout 0 --model {tmp_path / 'start'}"
    info = train(run_regression, data, tmp_path / "run", f"{flags} --num_train_epochs 1")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["label_mean"] == pytest.approx(measured.mean(dtype=float), rel=1e-6)
    assert "calibration" not in config or config["calibration"] is None
    np.testing.assert_allclose(predict(inserts, tmp_path / "run"), measured, rtol=1e-4)
    assert info["results"]["test"]["test_pearson"] == pytest.approx(1, abs=1e-4)
    assert info["history"][0]["loss"] < 1e-4
    card = " ".join(render_card("regression", "user/own", tmp_path / "run").split())
    assert "from 0 to 17" not in card
    assert f"mean {config['label_mean']:.3g}, standard deviation {config['label_std']:.3g}" in card
    assert "from the fine-tuned model start" in card


def test_a_fine_tuned_start_is_told_with_its_own_record(start_folders, few_rows, tmp_path):
    first = train(run_regression, few_rows, tmp_path / "first", f"{WITHOUT} --model {start_folders['bert']}")
    second = train(run_regression, few_rows, tmp_path / "second", f"{WITHOUT} --model {tmp_path / 'first'}")
    assert second["started_from"]["training_info"] == first
    third = train(run_regression, few_rows, tmp_path / "third", f"{WITHOUT} --model {tmp_path / 'second'}")
    assert "history" not in third["started_from"]["training_info"]["started_from"]["training_info"]
    assert "from a model fine-tuned on 30 promoters, from a" in render_card("regression", "a/b", tmp_path / "third")


def test_labels_that_are_all_one_value_end_a_run(start_folders, tmp_path):
    prepare([write_rows(tmp_path / "rows.txt", [2.0] * 20)], tmp_path / "data", ["regression"], validation=3)
    with pytest.raises(DataError, match="all training rows have the same expression"):
        train(run_regression, tmp_path / "data", tmp_path / "run", f"--model {start_folders['bert']}")
