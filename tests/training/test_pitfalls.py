"""What a first training on data of one's own may trip over: it works, or ends with one line before the first step."""

import json
import random
import re
import shutil
import warnings
from pathlib import Path

import average
import numpy as np
import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification, EvalPrediction, pipeline

from dream_bert import DreamBertConfig, DreamConvConfig, DreamConvForSequenceRegression, KmerTokenizer, predict
from dream_bert.cli.main import main
from dream_bert.data.batches import RegressionBatches
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.errors import DataError, ModelError
from dream_bert.hub.card import render_card
from dream_bert.inference.loading import load_regression
from dream_bert.inference.model_files import CHECKPOINTS, TRAINING_INFO, model_name
from dream_bert.sequence.encoding import longest_insert, positions_for
from dream_bert.training import run_mlm, run_regression
from dream_bert.training.arguments import ModelArguments
from dream_bert.training.label_scale import start_at_labels
from dream_bert.training.metrics import regression_metrics

QUICK = "--use_cpu --report_to none --disable_tqdm True --max_steps 1 --per_device_train_batch_size 8"
WITHOUT = "--eval_strategy no --load_best_model_at_end False --lr_scheduler_type cosine"


def write_rows(path: Path, labels: list[float], length: int = 60, copies: int = 1) -> Path:
    draw = random.Random(len(labels))
    lines = []
    for label in labels:
        insert = "".join(draw.choices("ACGT", k=length))
        lines += [f"{insert}\t{label + copy / 8}\n" for copy in range(copies)]
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def folders(tiny_model, tiny_masked_lm, tmp_path_factory) -> dict[str, Path]:
    """A BERT with an output layer, one without, and convolutions with weights for 6-mers."""
    root = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    conv = DreamConvForSequenceRegression(DreamConvConfig(hidden_size=8, dilations=[1])).eval()
    conv.sixmers.normal_(std=0.1)
    models = {"bert": tiny_model(stride=1, context=0), "mlm": tiny_masked_lm, "conv": conv}
    for name, model in models.items():
        model.save_pretrained(root / name)
    return {name: root / name for name in models}


# --- few rows ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    """A folder prepared by the defaults, with no row to validate or test on."""
    folder = tmp_path_factory.mktemp("few")
    prepare([write_rows(folder / "rows.txt", [i / 4 - 3 for i in range(30)])], folder / "data")
    return folder / "data"


def train(script, data: Path, output: Path, more: str) -> dict:
    script.main([*QUICK.split(), *more.split(), "--data", str(data), "--output_dir", str(output)])
    return json.loads((output / TRAINING_INFO).read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("script", "option", "model"), [(run_mlm, "--mlm-validation", "mlm"), (run_regression, "--validation", "bert")]
)
def test_too_few_rows_to_evaluate_on_end_a_run_before_it_begins(script, option, model, few, folders, tmp_path):
    start = f"--model {folders[model]}"
    with pytest.raises(DataError, match=f"/validation has 0 .* prepare with {option} 0.2, or .*: {WITHOUT}$"):
        train(script, few, tmp_path / "run", start)
    assert not list(tmp_path.iterdir())
    info = train(script, few, tmp_path / "run", f"{WITHOUT} {start}")
    assert info["results"] == {}


def test_a_model_without_results_has_a_card(few, folders, tmp_path):
    train(run_regression, few, tmp_path / "run", f"{WITHOUT} --model {folders['bert']}")
    card = render_card("regression", "user/own", tmp_path / "run")
    assert "Not measured." in card and "a fine-tuned model bert" not in card
    assert "from the fine-tuned model bert" in card


def test_a_correlation_of_one_row_is_null(folders, tmp_path):
    rows = write_rows(tmp_path / "rows.txt", [float(i) for i in range(12)])
    prepare([rows], tmp_path / "data", ["regression"], validation=1, test=2)
    info = train(run_regression, tmp_path / "data", tmp_path / "run", f"{WITHOUT} --model {folders['conv']}")
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


# --- long inserts -----------------------------------------------------------------------------------------------


def fits(data: Path, arguments: ModelArguments) -> bool:
    try:
        RegressionBatches(PromoterDataset(data, "regression", "train"), arguments.config())
    except DataError:
        return False
    return True


@pytest.mark.parametrize("length", [129, 200, 512, 700, 3000])
def test_the_advice_for_long_inserts_works(length, tmp_path):
    prepare([write_rows(tmp_path / "rows.txt", [1.0, 2.0, 3.0, 4.0], length)], tmp_path / "data", ["regression"])
    shipped = ModelArguments(model="dream-promoter-bert")
    with pytest.raises(DataError, match=f"{length} bp and the model reads at most 128 bp") as raised:
        RegressionBatches(PromoterDataset(tmp_path / "data", "regression", "train"), shipped.config())
    advice = str(raised.value)
    assert ("--model dream-promoter-conv or --preset conv" in advice) == (length <= 512)
    if length <= 512:
        assert fits(tmp_path / "data", ModelArguments(model="dream-promoter-conv"))
        assert fits(tmp_path / "data", ModelArguments(preset="conv"))
    if length > 2048:
        assert advice.endswith("; prepare shorter rows")
        return
    positions = int(re.search(r"leave --model out and give --positions (\d+)$", advice)[1])
    for preset in ("compact", "seed", "conv"):
        assert fits(tmp_path / "data", ModelArguments(preset=preset, positions=positions))
    needed = max(positions_for(length, ModelArguments(preset=preset).config()) for preset in ("compact", "seed"))
    assert positions == needed


@given(st.integers(1, 2000), st.sampled_from([(1, 0), (1, 9), (3, 0), (3, 150)]))
def test_no_fewer_positions_will_do(length, layout):
    stride, context = layout
    config = DreamBertConfig(stride=stride, context=context, max_position_embeddings=512)
    config.max_position_embeddings = positions_for(length, config)
    assert longest_insert(config) >= length
    config.max_position_embeddings -= 1
    assert longest_insert(config) < length


# --- labels on another scale ------------------------------------------------------------------------------------


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
def test_a_trained_output_starts_at_the_line_that_fits_best(kind, slope, noise, folders, tmp_path):
    data, inserts, measured = labelled(tmp_path, folders[kind], slope, noise)
    model = load_regression(folders[kind])
    before = predict(inserts, model)
    start_at_labels(model, RegressionBatches(PromoterDataset(data, "regression", "train"), model.config), True)
    line = np.polyfit(before.astype(float), measured, 1)
    expected = np.polyval(line, before) if slope > 0 else np.full(len(measured), measured.mean())
    np.testing.assert_allclose(predict(inserts, model), expected, rtol=1e-4, atol=1e-4)
    assert model.config.label_mean == pytest.approx(measured.mean(dtype=float), rel=1e-6)
    assert model.config.label_std == pytest.approx(measured.std(dtype=float), rel=1e-4)


def test_fine_tuning_takes_the_scale_of_the_labels(folders, tmp_path):
    config = json.loads((folders["bert"] / "config.json").read_text())
    shutil.copytree(folders["bert"], tmp_path / "start")
    calibration = {"expression": [1.0], "spread": [1.0], "ratios": [1.0]}
    (tmp_path / "start" / "config.json").write_text(json.dumps(config | {"calibration": calibration}))
    (tmp_path / "start" / TRAINING_INFO).write_text("[]")
    data, inserts, measured = labelled(tmp_path, folders["bert"], 0.1)
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


def test_a_fine_tuned_start_is_told_with_its_own_record(folders, few, tmp_path):
    first = train(run_regression, few, tmp_path / "first", f"{WITHOUT} --model {folders['bert']}")
    second = train(run_regression, few, tmp_path / "second", f"{WITHOUT} --model {tmp_path / 'first'}")
    assert second["started_from"]["training_info"] == first
    third = train(run_regression, few, tmp_path / "third", f"{WITHOUT} --model {tmp_path / 'second'}")
    assert "history" not in third["started_from"]["training_info"]["started_from"]["training_info"]
    assert "from a model fine-tuned on 30 promoters, from a" in render_card("regression", "a/b", tmp_path / "third")


def test_labels_that_are_all_one_value_end_a_run(folders, tmp_path):
    prepare([write_rows(tmp_path / "rows.txt", [2.0] * 20)], tmp_path / "data", ["regression"], validation=3)
    with pytest.raises(DataError, match="all training rows have the same expression"):
        train(run_regression, tmp_path / "data", tmp_path / "run", f"--model {folders['bert']}")


# --- names of models --------------------------------------------------------------------------------------------

SHIPPED = "dream-promoter-bert, dream-promoter-bert-mlm, dream-promoter-conv"


@pytest.mark.parametrize("name", ["dream-promoter-brt", "output/mln", "a/b/c", "./conv", "/no/model", "conv/", ""])
def test_a_name_that_is_no_model_never_goes_to_the_hub(name, few, tmp_path, monkeypatch, capsys):
    (tmp_path / "output").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such model folder") as raised:
        model_name(name)
    assert raised.value.filename == name and SHIPPED in raised.value.strerror
    for script in (run_mlm, run_regression):
        with pytest.raises(FileNotFoundError, match=SHIPPED):
            script.main([*QUICK.split(), "--data", str(few), "--model", name, "--output_dir", "run"])
    with pytest.raises(FileNotFoundError, match=SHIPPED):
        average.main([name, "--data", str(few), "-o", "mean"])
    for verb in (
        ["calibrate", str(few), "--model", name],
        ["export", "-o", "exported", "--model", name],
        ["publish", "conv", "--repo", "a/b", "--dry-run", "--model", name],
        ["predict", str(few), "--model", name],
    ):
        assert main(verb) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_shipped_names_and_hub_ids_are_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_name("dream-promoter-conv") == str(CHECKPOINTS / "dream-promoter-conv")
    assert ModelArguments(model="dream-promoter-bert-mlm").start == str(CHECKPOINTS / "dream-promoter-bert-mlm")
    assert ModelArguments(model="dream-promoter-conv").config().hidden_size == 192
    assert model_name("user/dream-promoter-bert") == "user/dream-promoter-bert"
    (tmp_path / "dream-promoter-conv").mkdir()  # a folder of one's own goes first
    assert model_name("dream-promoter-conv") == "dream-promoter-conv"


def test_a_repository_that_cannot_be_fetched_is_named(few, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OSError, match="^user/none: is no folder here, and cannot be fetched from the Hub"):
        run_regression.main(
            [*QUICK.split(), "--data", str(few), "--model", "user/none", "--output_dir", str(tmp_path / "run")]
        )
    assert not list(tmp_path.iterdir())


# --- related rows -----------------------------------------------------------------------------------------------


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


# --- models of another shape ------------------------------------------------------------------------------------


def save_stock(folder: Path, config: DreamBertConfig, problem_type: str | None) -> BertForSequenceClassification:
    """A model of four outputs as stock transformers saves it, with the tokenizer beside it."""
    torch.manual_seed(0)
    fields = config.to_dict() | {"id2label": dict(enumerate("abcd")), "problem_type": problem_type}
    stock = BertForSequenceClassification(BertForSequenceClassification.config_class(**fields)).eval()
    stock.save_pretrained(folder)
    KmerTokenizer.build(1, 0, 512).save_pretrained(folder)
    return stock


def test_several_outputs_that_stock_transformers_trained_are_targets(tiny_config, tmp_path):
    stock = save_stock(tmp_path, tiny_config(stride=1, context=0), "regression")
    insert = "GATTACA" * 9
    logits = stock(torch.tensor([KmerTokenizer.build(1, 0, 512)(insert)["input_ids"]])).logits[0].tolist()
    assert_close(predict([insert], tmp_path)[0], logits)
    answer = pipeline("promoter-expression", model=str(tmp_path))(insert)
    assert [*answer] == [*"abcd"]
    assert_close([*answer.values()], logits)


def test_a_classifier_is_for_stock_transformers(tiny_config, tmp_path):
    save_stock(tmp_path, tiny_config(stride=1, context=0), None)
    with pytest.raises(ModelError, match="^num_labels is 4, and problem_type is not 'regression'; this package"):
        predict(["ACGT"], tmp_path)
    with pytest.raises(ModelError, match="^model is a BertForSequenceClassification; give a folder, a Hub id or"):
        pipeline("promoter-expression", model=str(tmp_path))
    assert len(pipeline("text-classification", model=str(tmp_path), top_k=None)(["GATTACA" * 9])[0]) == 4


def test_resized_embeddings_are_for_stock_transformers(tiny_model, tmp_path):
    model = tiny_model(stride=1, context=0)
    model.resize_token_embeddings(144)
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="^vocab_size is 144; this package reads 130 tokens: use .* transformers"):
        type(model).from_pretrained(tmp_path)
    stock = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    ids = torch.tensor([[2, 9, 140, 3]])
    torch.testing.assert_close(stock(ids).logits, model(ids).logits)


def test_offsets_are_those_of_whole_3mers_or_none():
    text = "tt acgNg"
    with pytest.raises(NotImplementedError, match="stride 1"):
        KmerTokenizer.build(1, 0, 64)(text, return_offsets_mapping=True)
    tokenizer = KmerTokenizer.build(3, 0, 64)
    encoded = tokenizer(text, return_offsets_mapping=True)
    pieces = [text[begin:end].replace(" ", "").upper() for begin, end in encoded["offset_mapping"]]
    assert pieces == ["", "TTA", "CGN", "G", ""]
    assert tokenizer.convert_ids_to_tokens(encoded["input_ids"])[1:-1] == ["TTA", "CGN", "GNN"]
