"""Few rows, or rows that repeat: splits, evaluation, metrics and card are as they can be."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_step import WITHOUT, train, write_rows
from scipy import stats
from transformers import EvalPrediction

from dream_bert.cli.main import main
from dream_bert.data.prepare import prepare
from dream_bert.errors import DataError
from dream_bert.hub.card import render_card
from dream_bert.training import run_mlm, run_regression
from dream_bert.training.metrics import regression_metrics


@pytest.mark.parametrize(
    ("script", "option", "model"), [(run_mlm, "--mlm-validation", "mlm"), (run_regression, "--validation", "bert")]
)
def test_too_few_rows_to_evaluate_on_end_a_run_before_it_begins(
    script, option, model, few_rows, start_folders, tmp_path
):
    start = f"--model {start_folders[model]}"
    with pytest.raises(DataError, match=f"/validation has 0 .* prepare with {option} 0.2, or .*: {WITHOUT}$"):
        train(script, few_rows, tmp_path / "run", start)
    assert not list(tmp_path.iterdir())
    info = train(script, few_rows, tmp_path / "run", f"{WITHOUT} {start}")
    assert info["results"] == {}


def test_a_model_without_results_has_a_card(few_rows, start_folders, tmp_path):
    train(run_regression, few_rows, tmp_path / "run", f"{WITHOUT} --model {start_folders['bert']}")
    card = render_card("regression", "user/own", tmp_path / "run")
    assert "Not measured." in card and "a fine-tuned model bert" not in card
    assert "from the fine-tuned model bert" in card


def test_a_correlation_of_one_row_is_null(start_folders, tmp_path):
    rows = write_rows(tmp_path / "rows.txt", [float(i) for i in range(12)])
    prepare([rows], tmp_path / "data", ["regression"], validation=1, test=2)
    info = train(run_regression, tmp_path / "data", tmp_path / "run", f"{WITHOUT} --model {start_folders['conv']}")
    validation = info["results"]["validation"]
    assert validation["eval_pearson"] is validation["eval_spearman"] is None and validation["eval_mse"] > 0
    assert abs(info["results"]["test"]["test_spearman"]) == pytest.approx(1)
    assert "| validation | not defined | not defined |" in render_card("conv", "user/own", tmp_path / "run")


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=6))
def test_metrics_are_scipys_where_they_are_defined(pairs):
    predicted, measured = np.array(pairs, dtype=np.float32).T
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reached = regression_metrics(EvalPrediction(predicted[:, None], measured))
    assert reached["mse"] == pytest.approx(np.mean((predicted - measured) ** 2))
    if len(set(predicted)) > 1 and len(set(measured)) > 1:
        exact = predicted.astype(float), measured.astype(float)
        assert reached["pearson"] == pytest.approx(stats.pearsonr(*exact)[0], abs=1e-9)
        assert reached["spearman"] == pytest.approx(stats.spearmanr(*exact)[0], abs=1e-9)
    else:
        assert np.isnan([reached["pearson"], reached["spearman"]]).all()


@pytest.mark.parametrize("keep_related", [False, True])
@pytest.mark.parametrize(("promoters", "copies"), [(40, 3), (9, 13), (1, 50)])
def test_counts_of_prepared_rows_add_up(promoters, copies, keep_related, tmp_path, capsys):
    write_rows(tmp_path / "rows.txt", [float(i) for i in range(promoters)], copies=copies)
    flags = ["--stage", "regression", "--validation", "7", "--test", "5", *["--keep-related"] * keep_related]
    if keep_related or promoters > 1:
        assert main(["prepare", str(tmp_path / "rows.txt"), "-o", str(tmp_path / "data"), *flags]) == 0
    else:  # one insert is in every split
        assert main(["prepare", str(tmp_path / "rows.txt"), "-o", str(tmp_path / "data"), *flags]) == 2
        return
    entries = json.loads((tmp_path / "data" / "manifest.json").read_text())["stages"]["regression"]
    assert sum(entry["rows"] + entry["duplicates_dropped"] for entry in entries.values()) == promoters * copies
    assert all(entry["duplicates_dropped"] >= 0 for entry in entries.values())
    printed = capsys.readouterr()
    if keep_related:
        assert not any(entry["duplicates_dropped"] for entry in entries.values())
        assert all(entry["rows"] % copies == 0 for entry in entries.values())
    for split, asked in (("validation", 7), ("test", 5)):
        dealt = entries[split]["rows"] + entries[split]["duplicates_dropped"]
        assert dealt == asked or keep_related
        assert (f"regression/{split} has fewer rows than the {asked} asked" in printed.err) == (dealt < asked)
