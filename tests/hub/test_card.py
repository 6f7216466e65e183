"""The model cards: their metadata by huggingface_hub's own classes, their numbers, and their code."""

import json
import re
import shutil
from pathlib import Path

import pytest
from hub_server import HubServer
from huggingface_hub import ModelCard
from huggingface_hub.hf_api import api
from huggingface_hub.repocard import metadata_load
from huggingface_hub.repocard_data import eval_results_to_model_index, model_index_to_eval_results
from transformers.pipelines import PIPELINE_REGISTRY

from dream_bert.errors import CardError
from dream_bert.hub.card import render_card
from dream_bert.hub.publish import DEFAULT_MODELS
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.io.reader import read_records
from dream_bert.models.target_fields import labels_of
from dream_bert.sequence.construct import to_insert

ROOT = Path(__file__).parents[2]
TASKS = {"regression": "text-classification", "mlm": "fill-mask", "conv": "text-classification"}
SIZES = {
    "regression": ("2.5 million", "256 wide"),
    "mlm": ("2.5 million", "256 wide"),
    "conv": ("0.9 million", "192 channels"),
}


@pytest.fixture(params=TASKS)
def kind(request):
    return request.param


@pytest.fixture
def card(kind, tmp_path):
    path = tmp_path / "README.md"
    path.write_text(render_card(kind, "user/name", DEFAULT_MODELS[kind]), encoding="utf-8")
    return path


def test_metadata_is_valid(kind, card):
    with HubServer() as server, server.client():  # which checks a card before it takes one
        api.create_repo("user/name")
        api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id="user/name")
        card_without_licence = card.read_text().replace("license: apache-2.0", "license: [apache-2.0]").encode()
        with pytest.raises(ValueError, match="license"):
            api.upload_file(path_or_fileobj=card_without_licence, path_in_repo="README.md", repo_id="user/name")
    data = ModelCard.load(card).data.to_dict()
    assert (data["library_name"], data["license"]) == ("transformers", "apache-2.0")
    assert data["pipeline_tag"] == TASKS[kind] in PIPELINE_REGISTRY.get_supported_tasks()
    assert "datasets" not in data
    assert metadata_load(card) == data


def test_results_are_a_model_index(kind, card):
    index = metadata_load(card)["model-index"]
    name, results = model_index_to_eval_results(index)
    assert name == "name" and eval_results_to_model_index(name, results) == index
    values = {(result.dataset_split, result.metric_type): result.metric_value for result in results}
    info = json.loads((DEFAULT_MODELS[kind] / "training_info.json").read_text())["results"]
    if kind == "mlm":
        assert values["validation", "accuracy"] == round(info["validation"]["eval_masked_accuracy"], 4)
        return
    assert values["validation", "pearsonr"] == round(info["validation"]["eval_pearson"], 4)
    scores = json.loads((DEFAULT_MODELS[kind] / "evaluation.json").read_text())
    public = {result.metric_name: result.metric_value for result in results if "leaderboard" in result.dataset_name}
    assert public["DREAM spearman score"] == round(scores["spearman_score"], 4)
    assert public["pearson"] == round(scores["subsets"]["all"]["pearson"], 4)


def test_widgets_show_the_examples(card):
    examples = {to_insert(record.sequence.upper()) for record in read_records(ROOT / "examples" / "promoters.fa")}
    for widget in metadata_load(card)["widget"]:
        assert any(
            len(example) == 80 and re.fullmatch(widget["text"].replace("[MASK]", "..."), example)
            for example in examples
        )


def test_text_is_filled_in_and_fits_the_page(kind, card):
    text = card.read_text()
    assert not re.search(r"\$[a-z{]", text)
    assert all(words in text for words in ("GSE104878", *SIZES[kind]))


@pytest.mark.parametrize(
    "page, template", [("hub_card", "regression"), ("hub_card_mlm", "mlm"), ("hub_card_conv", "conv")]
)
def test_template_stands_at_the_top(page, template):
    source = ROOT / "dream_bert" / "hub" / "cards" / f"{template}.md"
    assert (ROOT / f"{page}.md").read_text() == source.read_text()


def test_python_on_the_card_runs(kind):
    blocks = re.findall(
        r"```python\n(.*?)```", render_card(kind, str(DEFAULT_MODELS[kind]), DEFAULT_MODELS[kind]), re.S
    )
    assert blocks
    for block in blocks:
        exec(compile(block, kind, "exec"), {})


@pytest.fixture
def folder(tmp_path):
    for name in ("config.json", "training_info.json", "evaluation.json"):
        shutil.copy(DEFAULT_MODELS["regression"] / name, tmp_path)
    return tmp_path


def test_a_model_of_ones_own_claims_nothing_of_the_packages(folder):
    info = json.loads((folder / "training_info.json").read_text())
    info["data"]["fingerprint"], info["started_from"] = "f" * 64, {"model": None, "weights_sha256": None}
    del info["mean_of"], info["data"]["description"], info["data"]["units"]
    (folder / "training_info.json").write_text(json.dumps(info))
    (folder / "evaluation.json").unlink()
    text = render_card("regression", "user/own", folder)
    assert "GSE104878" not in text and "fingerprint ffffffffffff" in text and "from random weights" in text
    assert "in the units of its training labels (mean 7.1, " in text and "sorting-bin" not in text
    assert "| **own** | public | not measured | not measured |" in text
    assert not [r for r in ModelCard(text).data.eval_results if "leaderboard" in r.dataset_name]


@pytest.mark.parametrize("content", [None, "{}", "[1]", "{", '{"results": {}, "machine": 1}'])
def test_a_folder_without_records_gets_no_card(folder, content):
    path = folder / "training_info.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(CardError, match=r"training_info.json|run_regression"):
        render_card("regression", "user/name", folder)


def test_the_shipped_training_data_are_described():
    for folder in DEFAULT_MODELS.values():
        info = json.loads((folder / "training_info.json").read_text())
        assert "promoters of GEO GSE104878" in info["data"]["description"]
        assert info["data"]["units"] == "sorting-bin units from 0 to 17"


def test_what_a_model_learned_before_is_told():
    card = " ".join(render_card("regression", "user/name", DEFAULT_MODELS["regression"]).split())
    assert "from a model fine-tuned on 736,507 promoters, from a model pretrained by masked language modelling" in card
    assert "; before that, 58,984 promoters of GEO GSE104878, each with the mean of its measurement" in card


def test_a_mean_is_told_by_the_rows_it_was_measured_on(tmp_path):
    shutil.copytree(DEFAULT_MODELS["regression"], tmp_path / "model")
    info = json.loads((tmp_path / "model" / TRAINING_INFO).read_text())
    runs = [{"data": fingerprint} for fingerprint in (info["data"]["fingerprint"], "6" * 64, "6" * 64)]
    for keep_related in (False, True):
        held_out = {"fingerprint": "5" * 64, "keep_related": keep_related}
        (tmp_path / "model" / TRAINING_INFO).write_text(json.dumps(info | {"held_out": held_out, "mean_of": runs}))
        card = render_card("regression", "user/name", tmp_path / "model")
        assert ("share no 20 bp" in card) == keep_related
        assert f"promoters-{'5' * 12}" in card
        assert "of 3 such runs; 2 of them learned from promoters prepared by" in card
        assert f"(fingerprint {'6' * 12})" in card


def test_data_are_described_by_their_record(folder):
    info = json.loads((folder / "training_info.json").read_text())
    info["data"] |= {"description": "my own promoters", "units": "counts a minute"}
    info["mean_of"] = [{"data": "5" * 64, "description": "promoters of others"}] * 2
    (folder / "training_info.json").write_text(json.dumps(info))
    card = " ".join(render_card("regression", "user/own", folder).split())
    assert "Training data: my own promoters; before that, 58,984 promoters of GEO" in card
    assert "of 2 such runs; 2 of them learned from promoters of others." in card
    assert "in counts a minute. It follows" in card and "Expression is in counts a minute;" in card


def test_several_targets_are_named_with_their_scale_and_results(folder):
    config = json.loads((folder / "config.json").read_text()) | labels_of(["glucose", "log2(a|b)"])
    config |= {"label_mean": [7.1, -0.5], "label_std": [4.0, 0.25], "calibration": None}
    (folder / "config.json").write_text(json.dumps(config))
    info = json.loads((folder / "training_info.json").read_text())
    metrics = {"pearson": 0.5, "mse": 0.9, "pearson_glucose": 0.75, "pearson_log2(a|b)": 0.25, "mse_glucose": 8.0}
    info["results"] = {"test": {f"test_{name}": value for name, value in metrics.items()}}
    del info["data"]["units"]
    (folder / "training_info.json").write_text(json.dumps(info))
    text = render_card("regression", "user/own", folder)
    assert "glucose (mean 7.1, standard deviation 4); log2(a|b) (mean -0.5, standard deviation 0.25)" in text
    assert 'pipeline("text-classification", model="user/own", top_k=None)' in text
    assert "# [{'glucose': …, 'log2(a|b)': …}]" in text and '`[{"glucose": …, "log2(a|b)": …}]`' in text
    assert r"| test, log2(a\|b) | 0.250 | not defined |" in text and "| test, glucose | 0.750 | 8.000 |" in text
    own = {r.metric_name: r.metric_value for r in ModelCard(text).data.eval_results if r.dataset_split == "test"}
    assert (own["pearson of glucose"], own["pearson of log2(a|b)"], own["mse of glucose"]) == (0.75, 0.25, 8.0)
