"""Prediction intervals: coverage on made data, related rows against plain Python, and what users see."""

import csv
import json

import numpy as np
import pyarrow.parquet
import pytest
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta
from transformers import BertForSequenceClassification

from dream_bert import BertForSequenceRegression, DreamBertConfig, predict
from dream_bert.cli.main import main
from dream_bert.data.prepare import prepare
from dream_bert.data.related import unrelated_rows
from dream_bert.errors import DataError
from dream_bert.inference.files import predict_file
from dream_bert.inference.intervals import CONFIDENCE, fit, half_width
from dream_bert.training.arguments import ModelArguments
from dream_bert.training.run import build_model

CALIBRATION = {"expression": [2.0, 12.0], "spread": [0.5, 2.0], "ratios": [1.0 + i / 10 for i in range(45)]}


@pytest.fixture(scope="module")
def folder(tiny_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("calibrated")
    tiny_model(stride=1, context=0, calibration=CALIBRATION).save_pretrained(path)
    return path


def errors_of(draw, n):
    """Predictions, and measurements whose error grows with them."""
    predicted = draw.uniform(0, 17, n)
    return predicted, predicted + draw.standard_t(4, n) * (0.2 + 0.1 * predicted)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_intervals_cover_what_they_say_and_hardly_more(level):
    draw = np.random.default_rng(0)
    covered = []
    for _ in range(60):
        reach = half_width(fit(*errors_of(draw, 300)), level)
        predicted, measured = errors_of(draw, 4000)
        covered.append(np.mean(np.abs(measured - predicted) <= reach(predicted)))
    assert np.mean(np.array(covered) >= level) >= CONFIDENCE - 0.05
    assert np.mean(covered) < level + 0.06


def test_intervals_are_wide_where_errors_are_large():
    predicted, measured = errors_of(np.random.default_rng(1), 2000)
    reach = half_width(fit(predicted, measured), 0.9)
    assert reach(np.float32([16]))[0] > 2 * reach(np.float32([2]))[0]
    constant = np.quantile(np.abs(measured - predicted), 0.9)
    assert reach(predicted).mean() < constant


@given(st.integers(29, 400), st.floats(0.5, 0.9))
def test_the_rank_is_the_least_that_serves_with_the_confidence(n, level):
    """The share that the k-th of n errors covers has the distribution Beta(k, n + 1 - k)."""
    errors = np.arange(1, n + 1) / n
    calibration = fit(np.zeros(n), errors)
    rank = round(float(half_width(calibration, level)(np.zeros(1, dtype=np.float32))[0]) * n)
    level = np.ceil(100 * (level - 1e-9)) / 100
    assert beta.sf(level, rank, n + 1 - rank) >= CONFIDENCE - 1e-9
    assert beta.sf(level, rank - 1, n + 2 - rank) < CONFIDENCE


def test_few_rows_give_no_interval():
    with pytest.raises(DataError, match="^28 held-out rows .* give at least 29$"):
        fit(np.arange(28.0), np.arange(28.0))
    known = fit(np.arange(29.0), np.arange(29.0) + 1)
    with pytest.raises(ValueError, match="calibrated for at most 0.9; calibrate it on more rows$"):
        half_width(known, 0.95)


@pytest.mark.parametrize("level", [0.49, 0.995, 90, float("nan")])
def test_a_level_is_a_share(level):
    with pytest.raises(ValueError, match="from 0.5 to 0.99"):
        half_width(CALIBRATION, level)


# --- related rows ----------------------------------------------------------------------------------------------------


def test_without_held_out_rows_nothing_is_written(tiny_model, tmp_path, capsys):
    (tmp_path / "rows.tsv").write_text("ACGT\t1\nACGTA\t2\n")
    prepare([tmp_path / "rows.tsv"], tmp_path / "data", ("regression",), validation=0, test=0)
    assert unrelated_rows(tmp_path / "data").inserts == []
    tiny_model(stride=1, context=0).save_pretrained(tmp_path / "model")
    before = (tmp_path / "model" / "config.json").read_bytes()
    capsys.readouterr()
    assert main(["calibrate", str(tmp_path / "data"), "--model", str(tmp_path / "model")]) == 2
    assert capsys.readouterr().err.startswith("dream-bert: 0 held-out rows ")
    assert (tmp_path / "model" / "config.json").read_bytes() == before


# --- what users see --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level, ratio", [(0.9, 5.0), (0.895, 5.0), (0.5, 1.0)])
def test_predict_gives_both_ends(folder, inserts, level, ratio):
    values = predict(inserts, folder, interval=level)
    assert values.shape == (len(inserts), 3) and values.dtype == np.float32
    expected = predict(inserts, folder)
    np.testing.assert_array_equal(values[:, 0], expected)
    reach = ratio * np.interp(expected, [2, 12], [0.5, 2])
    assert_close(values[:, 1:], np.stack([expected - reach, expected + reach], 1))
    assert predict([], folder, interval=level).shape == (0, 3)


def test_files_have_both_ends(folder, inserts, tmp_path, monkeypatch):
    monkeypatch.setattr("dream_bert.inference.prediction.CHUNK", 3)
    source = tmp_path / "in.txt"
    source.write_text("\n".join(inserts))
    expected = predict(inserts, folder, interval=0.8)
    for name in ("out.tsv", "out.jsonl", "out.parquet"):
        predict_file(source, tmp_path / name, folder, interval=0.8)
    with open(tmp_path / "out.tsv") as file:
        rows = [*csv.DictReader(file, delimiter="\t")]
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    for found in (rows, lines, table):
        assert [*found[0]] == ["id", "expression", "lower", "upper"]
        numbers = [[float(row[name]) for name in ("expression", "lower", "upper")] for row in found]
        assert_close(numbers, expected, decimals=4)


def test_a_submission_has_no_place_for_them(folder, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("ACGT\n")
    argv = ["predict", str(tmp_path / "in.txt"), "--model", str(folder), "-o", str(tmp_path / "out.json")]
    assert main([*argv, "--interval", "0.9"]) == 2
    assert capsys.readouterr().err.startswith("dream-bert: a submission holds predictions alone")
    assert not (tmp_path / "out.json").exists()


def test_a_model_without_calibration_says_how_to_get_one(tiny_model, tmp_path, capsys):
    tiny_model().save_pretrained(tmp_path)
    (tmp_path / "in.txt").write_text("ACGT\n")
    assert main(["predict", str(tmp_path / "in.txt"), "--model", str(tmp_path), "--interval", "0.9"]) == 2
    streams = capsys.readouterr()
    assert "make one with `dream-bert calibrate`" in streams.err and not streams.out


def test_calibrate_writes_what_fit_finds(tiny_model, promoters, prepared, tmp_path, capsys):
    tiny_model(stride=1, context=0).save_pretrained(tmp_path)
    before = json.loads((tmp_path / "config.json").read_text())
    assert main(["calibrate", str(prepared), "--model", str(tmp_path)]) == 0
    assert "calibrated on 40 rows" in capsys.readouterr().out
    after = json.loads((tmp_path / "config.json").read_text())
    held_out = unrelated_rows(prepared)
    calibration, expected = after.pop("calibration"), fit(predict(held_out.inserts, tmp_path), held_out.measured)
    assert calibration.keys() == expected.keys()
    assert all(calibration[name] == pytest.approx(numbers) for name, numbers in expected.items())
    assert after == {name: value for name, value in before.items() if name != "calibration"}


def test_calibration_on_another_experiment_does_not_look_at_its_scale(tiny_model, promoters, tmp_path, capsys):
    tiny_model(stride=1, context=0).save_pretrained(tmp_path)
    oligos = [insert for insert in promoters if len(insert) == 80][:60]
    noise = np.random.default_rng(0).normal(size=60)
    measured = np.argsort(np.argsort(predict(oligos, tmp_path) + noise)).astype(float)
    found = []
    for scale in (np.square, lambda x: 0.1 * x - 7):
        rows = zip(oligos, scale(measured).tolist(), strict=True)
        (tmp_path / "other.tsv").write_text("".join(f"{oligo}\t{value}\n" for oligo, value in rows))
        assert main(["calibrate", str(tmp_path / "other.tsv"), "--model", str(tmp_path)]) == 0
        assert "calibrated on 60 rows" in capsys.readouterr().out
        found.append(json.loads((tmp_path / "config.json").read_text())["calibration"])
    assert found[0] == found[1] and max(found[0]["ratios"]) > 1


def test_a_bad_row_leaves_the_model_as_it_was(tiny_model, tmp_path, capsys):
    tiny_model(stride=1, context=0).save_pretrained(tmp_path)
    before = (tmp_path / "config.json").read_bytes()
    (tmp_path / "other.tsv").write_text("ACGT\t1\nACGT\tmuch\n")
    assert main(["calibrate", str(tmp_path / "other.tsv"), "--model", str(tmp_path)]) == 2
    assert "other.tsv:2" in capsys.readouterr().err
    assert (tmp_path / "config.json").read_bytes() == before


def test_calibration_may_skip_bad_rows_of_named_columns(tiny_model, promoters, tmp_path, capsys):
    tiny_model(stride=1, context=0, max_position_embeddings=128).save_pretrained(tmp_path)
    rows = [f"{insert},{number / 9}\n" for number, insert in enumerate(list(promoters)[:40])]
    (tmp_path / "good.csv").write_text("".join(["dna,ratio\n", *rows]))
    (tmp_path / "bad.csv").write_text("".join(["dna,ratio\n", "ACQ,1\n", *rows[:20], "ACGT,\n", *rows[20:]]))
    command = ["--model", str(tmp_path), "--sequence-column", "dna", "--label-column", "ratio"]
    found = []
    for name, more in (("good", []), ("bad", ["--on-error", "skip", "--rejects", str(tmp_path / "rejects.tsv")])):
        assert main(["calibrate", str(tmp_path / f"{name}.csv"), *command, *more]) == 0
        found.append(json.loads((tmp_path / "config.json").read_text())["calibration"])
    assert found[0] == found[1]
    assert len((tmp_path / "rejects.tsv").read_text().splitlines()) == 3
    assert "skipped 1 rows: missing label" in capsys.readouterr().err
    assert main(["calibrate", str(tmp_path / "bad.csv"), *command]) == 2
    (tmp_path / "bad.csv").write_text("dna,ratio\nACQ,1\n")
    assert main(["calibrate", str(tmp_path / "bad.csv"), *command, "--on-error", "skip"]) == 2
    assert "no row can be used (1 character outside IUPAC)" in capsys.readouterr().err


def test_a_calibrated_model_is_stock_and_another_training_forgets_it(folder):
    BertForSequenceClassification.from_pretrained(folder)
    assert DreamBertConfig.from_pretrained(folder).calibration == CALIBRATION
    assert build_model(BertForSequenceRegression, ModelArguments(model=str(folder)), 0).config.calibration is None


@pytest.mark.parametrize(
    "change",
    [
        [], {"spread": [1.0]}, {"ratios": []}, {"ratios": [1.0] * 51}, {"ratios": [2.0, 1.0]}, {"spread": [-1.0, 1.0]},
        {"expression": [12.0, 2.0]}, {"ratios": [float("nan")]}, {"ratios": ["1"]}, {"ratios": [True]},
        {"spread": None},
    ],
)  # fmt: skip
def test_a_hostile_calibration_is_refused(tiny_config, change):
    with pytest.raises(ValueError, match="^calibration "):
        tiny_config(calibration=CALIBRATION | change if isinstance(change, dict) else change)
