"""Training of several targets: from every kind of start, its scale, its loss, its metrics and its intervals."""

import json

import numpy as np
import pytest
import torch
from closeness import assert_close
from scipy.stats import pearsonr, spearmanr
from several_targets import NAMES, build, write_measurements
from transformers import EvalPrediction

from dream_bert import PromoterDataset, predict
from dream_bert.cli.main import main
from dream_bert.data.batches import IGNORED, RegressionBatches
from dream_bert.data.prepare import prepare
from dream_bert.errors import ArgumentError, DataError
from dream_bert.inference.intervals import fit
from dream_bert.inference.loading import load_regression
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.io.records import Columns
from dream_bert.training import run_regression
from dream_bert.training.label_scale import start_at_labels
from dream_bert.training.metrics import regression_metrics
from dream_bert.training.outputs import set_targets

QUICK = "--use_cpu --report_to none --disable_tqdm True --dropout 0 --seed 3"
KINDS = ["bert", "conv"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A prepared folder of three targets, each of which some rows lack."""
    folder = tmp_path_factory.mktemp("measured")
    write_measurements(folder / "rows.tsv")
    columns = Columns(label=tuple(NAMES))
    prepare([folder / "rows.tsv"], folder / "data", ["regression"], columns=columns, validation=60, test=40)
    return folder / "data"


@pytest.fixture(scope="module")
def starts(tiny_masked_lm, tmp_path_factory):
    root = tmp_path_factory.mktemp("starts")
    models = {kind: build(kind, ["expression"]) for kind in KINDS}
    models |= {f"{kind} of three": build(kind) for kind in KINDS} | {"mlm": tiny_masked_lm}
    for name, model in models.items():
        model.save_pretrained(root / name)
    return root


def train(data, output, *options):
    run_regression.main([*QUICK.split(), *options, "--data", str(data), "--output_dir", str(output)])
    return json.loads((output / TRAINING_INFO).read_text())


# --- outputs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_of_one_target_are_repeated(kind, inserts):
    model = build(kind, ["expression"])
    before = predict(inserts, model)
    set_targets(model, ["a", "b"])
    assert model.config.targets == ["a", "b"] and model.config.num_labels == model.num_labels == 2
    assert torch.equal(model.classifier.weight[0], model.classifier.weight[1])
    assert_close(predict(inserts, model), np.stack([before, before], axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_known_targets_keep_their_outputs_and_new_ones_start_at_the_mean(kind, inserts):
    model = build(kind)
    before = predict(inserts, model)
    set_targets(model, [NAMES[2], "ethanol", NAMES[0]])
    after = predict(inserts, model)
    assert_close(after[:, [0, 2]], before[:, [2, 0]])
    assert_close(after[:, 1], before.mean(1))
    set_targets(model, ["expression"])
    assert_close(predict(inserts, model), after.mean(1))


@pytest.mark.parametrize("kind", KINDS)
def test_targets_that_are_there_change_nothing(kind):
    model = build(kind, label_std=[1.0, 2.0, 3.0])
    classifier = model.classifier
    set_targets(model, NAMES)
    assert model.classifier is classifier and model.config.label_std == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("kind", KINDS)
def test_each_output_starts_at_the_line_that_fits_its_labels_best(kind, data):
    model = build(kind)
    rows = PromoterDataset(data, "regression", "train")
    inserts, measured = rows.rows(np.arange(len(rows)))
    before = predict(inserts, model).astype(float)
    start_at_labels(model, RegressionBatches(rows, model.config), True)
    after = predict(inserts, model)
    for x, y, line in zip(before.T, measured.T, after.T, strict=True):
        known = ~np.isnan(y)
        slope, intercept = np.polyfit(x[known], y[known], 1)
        expected = slope * x + intercept if slope > 0 else np.full(len(x), y[known].mean())
        np.testing.assert_allclose(line, expected, rtol=1e-4, atol=1e-3)
    assert model.config.label_mean == rows.manifest["label_mean"]
    assert model.config.label_std == rows.manifest["label_std"]


def test_a_target_without_labels_in_the_first_rows_starts_at_its_mean(tmp_path, monkeypatch):
    monkeypatch.setattr("dream_bert.training.label_scale.FITTED_ROWS", 8)
    rows = "".join(f"ACG{'T' * n}A\t{n}\t{n if n > 20 else 'NA'}\n" for n in range(40))
    (tmp_path / "rows.tsv").write_text("sequence\ta\tb\n" + rows)
    columns = Columns(label=("a", "b"))
    prepare([tmp_path / "rows.tsv"], tmp_path / "data", ["regression"], columns=columns, validation=5, test=5)
    train_rows, model = PromoterDataset(tmp_path / "data", "regression", "train"), build("conv", ["a", "b"])
    start_at_labels(model, RegressionBatches(train_rows, model.config), True)
    assert_close(predict(["ACGT" * 9, "GG"], model)[:, 1], 2 * [train_rows.manifest["label_mean"][1]])


def test_a_target_of_one_value_ends_a_run(starts, tmp_path):
    rows = "".join(f"ACG{'T' * n}A\t{n}\t7\n" for n in range(40))
    (tmp_path / "rows.tsv").write_text("sequence\ta\tb\n" + rows)
    columns = Columns(label=("a", "b"))
    prepare([tmp_path / "rows.tsv"], tmp_path / "data", ["regression"], columns=columns, validation=5, test=5)
    with pytest.raises(DataError, match="all training rows have the same b; prepare other data"):
        train(tmp_path / "data", tmp_path / "run", "--model", str(starts / "conv"))


# --- runs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["bert", "conv", "conv of three", "mlm"])
def test_a_model_learns_all_targets_from_any_start(start, data, starts, tmp_path):
    options = f"--num_train_epochs 12 --learning_rate 1e-2 --per_device_train_batch_size 16 --model {starts}".split()
    options[-1] += f"/{start}"
    info = train(data, tmp_path / "run", *options)
    assert info["data"]["targets"] == load_regression(tmp_path / "run").config.targets == NAMES
    rows = PromoterDataset(data, "regression", "test")
    inserts, measured = rows.rows(np.arange(len(rows)))
    predicted, results = predict(inserts, tmp_path / "run").astype(float), info["results"]["test"]
    squares = []
    for x, y, name, std in zip(predicted.T, measured.T, NAMES, rows.manifest["label_std"], strict=True):
        x, y = x[~np.isnan(y)], y[~np.isnan(y)].astype(float)
        assert results[f"test_pearson_{name}"] == pytest.approx(pearsonr(x, y)[0], abs=1e-3)
        assert results[f"test_mse_{name}"] == pytest.approx(np.mean((x - y) ** 2), rel=1e-3)
        squares.append(((x - y) / std) ** 2)
        assert np.mean(squares[-1]) < (0.9 if start == "mlm" else 0.7)  # 1 is what the mean of the labels reaches
    assert results["test_mse"] == pytest.approx(np.mean([each.mean() for each in squares]), rel=1e-3)
    assert results["test_loss"] == pytest.approx(np.concatenate(squares).mean(), rel=1e-3)


def test_the_loss_does_not_depend_on_accumulation(data, starts, tmp_path):
    weights = []
    for size, steps in ((24, 1), (4, 6)):
        run = tmp_path / str(steps)
        options = f"--max_steps 3 --per_device_train_batch_size {size} --gradient_accumulation_steps {steps}"
        options += f" --optim sgd --learning_rate 1e-3 --lr_scheduler_type constant --model {starts / 'bert'}"
        train(data, run, *options.split(), "--eval_strategy", "no", "--load_best_model_at_end", "False")
        weights.append(load_regression(run).state_dict())
    for name, weight in weights[0].items():
        assert_close(weights[1][name], weight, name=name)


def test_a_teachers_features_are_learned_beside_all_targets(data, starts, tmp_path):
    options = f"--max_steps 4 --logging_steps 1 --learning_rate 1e-3 --model {starts / 'bert'}".split()
    info = train(data, tmp_path / "run", *options, "--teacher", str(starts / "conv"))
    losses = [entry["loss"] for entry in info["history"] if "loss" in entry]
    assert len(losses) == 4 and np.isfinite(losses).all()
    assert load_regression(tmp_path / "run").config.targets == NAMES


def test_ridge_regression_is_for_one_target(data, starts, tmp_path):
    with pytest.raises(ArgumentError, match="--ridge_share is for one target, and the data have 3; leave it out"):
        train(data, tmp_path / "run", "--ridge_share", "0.1", "--model", str(starts / "conv"))
    assert not (tmp_path / "run").exists()


def test_one_target_after_several_has_one_output(starts, prepared, tmp_path):
    train(prepared, tmp_path / "run", "--max_steps", "1", "--model", str(starts / "bert of three"))
    model = load_regression(tmp_path / "run")
    assert model.config.targets == ["expression"] and isinstance(model.config.label_mean, float)
    assert predict(["ACGT" * 20], model).shape == (1,)


# --- metrics ----------------------------------------------------------------------------------------------------


def test_metrics_leave_out_what_was_not_measured():
    draw = np.random.default_rng(0)
    predicted, measured = draw.normal(size=(2, 30, 3)).astype(np.float32)
    measured[::4, 0], measured[1:, 2], std = IGNORED, np.nan, [1.0, 2.0, 3.0]
    reached = regression_metrics(EvalPrediction(predicted, measured), NAMES, std)
    known = np.arange(30) % 4 > 0
    first, second = (predicted[known, 0], measured[known, 0]), (predicted[:, 1], measured[:, 1])
    for metric, function in (("pearson", pearsonr), ("spearman", spearmanr)):
        each = [function(*(values.astype(float) for values in pair))[0] for pair in (first, second)]
        assert [reached[f"{metric}_{name}"] for name in NAMES[:2]] == pytest.approx(each)
        assert np.isnan(reached[f"{metric}_{NAMES[2]}"])
        assert reached[metric] == pytest.approx(np.mean(each))  # of the targets where it is defined
    squares = [np.mean((x.astype(float) - y) ** 2) for x, y in (first, second, (predicted[:1, 2], measured[:1, 2]))]
    assert [reached[f"mse_{name}"] for name in NAMES] == pytest.approx(squares)
    assert reached["mse"] == pytest.approx(np.mean(squares / np.square(std)))


# --- intervals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["prepared", "file"])
def test_each_target_is_calibrated_on_the_rows_where_it_was_measured(source, data, tmp_path, capsys):
    torch.manual_seed(1)
    build("conv").save_pretrained(tmp_path / "model")
    given = str(data if source == "prepared" else data.parent / "rows.tsv")
    assert main(["calibrate", given, "--model", str(tmp_path / "model")]) == 0
    calibrations = load_regression(tmp_path / "model").config.calibration
    assert len(calibrations) == 3
    if source == "prepared":
        splits = [PromoterDataset(data, "regression", name) for name in ("validation", "test")]
        inserts = [insert for split in splits for insert in split.rows(np.arange(len(split)))[0]]
        measured = np.concatenate([split.rows(np.arange(len(split)))[1] for split in splits])
        predicted = predict(inserts, tmp_path / "model")
        for calibration, x, y in zip(calibrations, predicted.T, measured.T, strict=True):
            assert calibration == fit(x[~np.isnan(y)], y[~np.isnan(y)])
    assert predict(["ACGT" * 15], tmp_path / "model", interval=0.8).shape == (1, 3, 3)


def test_data_of_other_targets_are_no_calibration(data, tmp_path, capsys):
    build("conv", ["a", "b"]).save_pretrained(tmp_path / "model")
    before = (tmp_path / "model/config.json").read_text()
    rows = str(data.parent / "rows.tsv")
    for given, message in (
        ([str(data)], "has the targets glucose, galactose, log2(gal/glu) and the model a, b; give the data that"),
        ([rows], "has no column 'a'"),
        ([rows, "--label-column", "glucose"], "1 columns of labels are named and the model has 2 targets"),
    ):
        assert main(["calibrate", *given, "--model", str(tmp_path / "model")]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert (tmp_path / "model/config.json").read_text() == before


def test_a_target_of_few_measurements_is_named(tmp_path, capsys):
    build("conv", ["a", "b"]).save_pretrained(tmp_path / "model")
    rows = "".join(f"ACG{'T' * n}A\t{n}\t{n if n < 9 else ''}\n" for n in range(40))
    (tmp_path / "rows.tsv").write_text("sequence\ta\tb\n" + rows)
    assert main(["calibrate", str(tmp_path / "rows.tsv"), "--model", str(tmp_path / "model")]) == 2
    assert "b: 9 held-out rows unrelated to the others are too few" in capsys.readouterr().err
