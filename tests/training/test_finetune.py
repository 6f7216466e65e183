"""The folder that fine-tuning in one command leaves: model, record, predictions, report and card."""

import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from assay_table import promoters, shorten, write
from closeness import assert_close
from hub_server import HubServer
from huggingface_hub import ModelCard
from huggingface_hub.hf_api import api

import dream_bert
from dream_bert import finetune
from dream_bert.hub.publish import preview
from dream_bert.inference.model_files import TRAINING_INFO


@pytest.fixture(scope="module")
def finished(conv, tmp_path_factory):
    """A fine-tuning of tiny convolutions, and the table that it learned from."""
    folder = tmp_path_factory.mktemp("finetune")
    rows = promoters(240)
    table = write(folder / "assay.tsv", [*rows, (rows[0][0], rows[0][1] + 1), rows[1]], "seq\tlog2 ratio")
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        done = finetune(table, folder / "mine", str(conv), target="log2 ratio")
    return done, table, rows


def test_folder_is_whole_and_nothing_else_is_left(finished):
    done, table, _ = finished
    assert sorted(path.name for path in done.folder.parent.iterdir()) == ["assay.tsv", "mine"]
    names = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "training_info.json"}
    code = {path.name for path in done.folder.glob("*.py")}  # of the convolutions, for other loaders
    assert "modeling_dream_conv.py" in code
    assert {path.name for path in done.folder.iterdir()} - code == names | {
        *("README.md", "held_out.tsv", "report.html")
    }


def test_held_out_predictions_are_those_of_the_folder(finished):
    done, _, rows = finished
    header, *lines = (done.folder / "held_out.tsv").read_text().splitlines()
    assert header == "sequence\tmeasured\tpredicted"
    table = [line.split("\t") for line in lines]
    assert len(table) == len(done.comparison.targets[0].measured) == 36
    assert_close(dream_bert.predict([row[0] for row in table], done.folder), done.comparison.targets[0].predicted)
    labels = dict(rows[2:])
    for insert, measured, _ in table:
        if insert in labels:
            assert_close(float(measured), labels[insert], decimals=4)


def test_labels_statistics_are_of_the_training_rows(finished):
    done, _, rows = finished
    config = json.loads((done.folder / "config.json").read_text())
    held_out = {line.split("\t")[0] for line in (done.folder / "held_out.tsv").read_text().splitlines()}
    others = [label for insert, label in rows if insert not in held_out]
    assert abs(config["label_mean"] - np.mean(others)) < 0.1 * np.std(others)  # those of validation are missing
    assert config["insert_lengths"] == [78, 80]
    assert config["calibration"]
    assert dream_bert.predict([rows[0][0]], done.folder, interval=0.9).shape == (1, 3)


def test_record_counts_what_was_read(finished):
    done, table, _ = finished
    info = json.loads((done.folder / TRAINING_INFO).read_text())
    tuning = info["finetuning"]
    assert tuning["rows"] == {"test": 36, "validation": 36, "train": 168}
    assert (tuning["merged"], tuning["repeated"]) == (2, 1)
    assert tuning["targets"] == ["log2 ratio"] and tuning["sources"][0]["rows"] == 242
    assert info["results"]["test"]["test_pearson"] == pytest.approx(done.comparison.targets[0].scores[0].pearson)
    assert info["data"]["units"] == "the units of log2 ratio"


def test_scores_are_those_of_numpy(finished):
    done, _, _ = finished
    scores = {peer.name: peer for peer in done.comparison.targets[0].scores}
    tuned = scores["fine-tuned model"]
    measured, predicted = (
        done.comparison.targets[0].measured.astype(float),
        done.comparison.targets[0].predicted.astype(float),
    )
    assert tuned.pearson == pytest.approx(np.corrcoef(measured, predicted)[0, 1])
    assert tuned.mse == pytest.approx(np.mean((measured - predicted) ** 2))
    assert tuned.lower < tuned.pearson < tuned.upper
    assert math.isnan(scores["predicting the mean"].pearson)
    assert len(scores) == 5


class _References(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.found += [value for name, value in attrs if name in ("src", "href", "xlink:href")]


def test_report_needs_no_other_file(finished):
    done, _, _ = finished
    text = (done.folder / "report.html").read_text()
    parser = _References()
    parser.feed(text)
    assert parser.tags.count("svg") == 4 and "script" not in parser.tags and "link" not in parser.tags
    assert all(link.startswith(("#", "data:")) for link in parser.found)
    ids = re.findall(r"<svg.*?</svg>", text, re.S)
    assert done.comparison.verdict in text.replace("&#x27;", "'")
    assert "ridge regression on 6-mers" in text and "log2 ratio" in text and len(ids) == 4


def test_card_is_valid_and_claims_only_what_the_files_show(finished):
    done, _, _ = finished
    card = ModelCard.load(done.folder / "README.md")
    assert not re.search(r"\$[a-z{]", card.text)
    assert "pTpA" not in card.text and "leaderboard" not in card.text and "yeast" not in card.text.lower()
    info = json.loads((done.folder / TRAINING_INFO).read_text())
    for peer in info["finetuning"]["peers"]["log2 ratio"]:
        value = "not defined" if peer["pearson"] is None else f"{peer['pearson']:.3f}"
        assert f"| log2 ratio | {peer['name']} | {value} |" in card.text
    values = {(result.dataset_split, result.metric_type): result.metric_value for result in card.data.eval_results}
    assert values["test", "pearsonr"] == round(info["results"]["test"]["test_pearson"], 4)


def test_the_hub_takes_the_card_and_its_python_runs(finished, monkeypatch):
    done, _, _ = finished
    with HubServer() as server, server.client():  # which checks a card before it takes one
        api.create_repo("user/mine")
        api.upload_file(path_or_fileobj=done.folder / "README.md", path_in_repo="README.md", repo_id="user/mine")
    monkeypatch.chdir(done.folder.parent)
    blocks = re.findall(r"```python\n(.*?)```", (done.folder / "README.md").read_text(), re.S)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_publish_and_export_take_the_folder(finished, tmp_path):
    done, _, rows = finished
    files = {file.path for file in preview("conv", "user/mine", done.folder)}
    assert {"README.md", "report.html", "onnx/model.onnx", "training_info.json"} <= files
    dream_bert.export_folder(tmp_path / "exported", done.folder)
    inserts = [insert for insert, _ in rows[:5]]
    assert_close(
        dream_bert.predict(inserts, tmp_path / "exported", backend="onnx"), dream_bert.predict(inserts, done.folder)
    )
