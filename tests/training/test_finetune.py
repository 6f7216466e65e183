"""Fine-tuning in one command: what it leaves, refuses and reports, with tiny models and few rows."""

import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from closeness import assert_close
from hub_server import HubServer
from huggingface_hub import ModelCard
from huggingface_hub.hf_api import api
from transformers import AutoModelForSequenceClassification

import dream_bert
from dream_bert import BertForSequenceRegression, DreamConvConfig, DreamConvForSequenceRegression, finetune
from dream_bert.cli import main as cli
from dream_bert.errors import DataError
from dream_bert.hub.publish import preview
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.io.reader import read_records
from dream_bert.training import finetune as module
from dream_bert.training import recipe
from dream_bert.training.progress import Bar


def promoters(rows: int, length: int = 80, seed: int = 0) -> list[tuple[str, float]]:
    """Random inserts, whose labels are their number of A, with noise."""
    random = np.random.default_rng(seed)
    inserts = ["".join(random.choice(list("ACGT"), size=length - int(random.integers(3)))) for _ in range(rows)]
    return [(insert, insert.count("A") / 4 + random.normal(scale=0.3)) for insert in inserts]


def write(path: Path, rows: list[tuple[str, object]], header: str = "sequence\tactivity") -> Path:
    path.write_text("\n".join([header, *(f"{insert}\t{label}" for insert, label in rows)]) + "\n")
    return path


@pytest.fixture(scope="module")
def bert(tiny_config, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("start") / "tiny"
    torch.manual_seed(0)
    no_dropout = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    config = tiny_config(stride=1, context=0, max_position_embeddings=96, initializer_range=0.02, **no_dropout)
    BertForSequenceRegression(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def conv(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("start") / "conv"
    torch.manual_seed(0)
    DreamConvForSequenceRegression(DreamConvConfig(hidden_size=8, dilations=[1])).save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Train for two epochs."""
    chosen = module.choose_recipe
    monkeypatch.setattr(module, "choose_recipe", lambda *args: chosen(*args)._replace(epochs=2, learning_rate=1e-3))


@pytest.fixture(scope="module")
def finished(conv, tmp_path_factory):
    """A fine-tuning of tiny convolutions, and the table that it learned from."""
    folder = tmp_path_factory.mktemp("finetune")
    rows = promoters(240)
    table = write(folder / "assay.tsv", [*rows, (rows[0][0], rows[0][1] + 1), rows[1]], "seq\tlog2 ratio")
    with pytest.MonkeyPatch.context() as patch:
        chosen = module.choose_recipe
        patch.setattr(module, "choose_recipe", lambda *args: chosen(*args)._replace(epochs=2, learning_rate=1e-3))
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


def test_bert_with_more_positions_loads_in_stock_classes(bert, tmp_path):
    table = write(tmp_path / "long.tsv", promoters(60, length=120))
    test = write(tmp_path / "test.tsv", promoters(20, length=120, seed=1))
    done = finetune(table, tmp_path / "mine", str(bert), test=test)
    stock = AutoModelForSequenceClassification.from_pretrained(done.folder)
    assert stock.config.max_position_embeddings == 120
    tuning = json.loads((done.folder / TRAINING_INFO).read_text())["finetuning"]
    assert tuning["positions"] == 120 and "positions are extended" in tuning["start_chosen_because"]
    assert tuning["rows"]["test"] == 20 and tuning["related_to_test"] == 0
    assert len(done.comparison.targets[0].scores) == 4  # the start cannot read these inserts
    assert done.comparison.calibrated is None


def test_stopped_run_goes_on(conv, tmp_path, monkeypatch):
    table = write(tmp_path / "assay.tsv", promoters(60))
    compare = module.compare
    monkeypatch.setattr(module, "compare", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        finetune(table, tmp_path / "mine", str(conv))
    monkeypatch.setattr(module, "compare", compare)
    assert not (tmp_path / "mine").exists()
    weights = (tmp_path / "mine.unfinished" / "tuned" / "model.safetensors").read_bytes()
    with pytest.raises(DataError, match="other options; give the same command to go on with it, or remove it"):
        finetune(table, tmp_path / "mine", str(conv), seed=1)
    monkeypatch.setattr(module, "fine_tune", lambda *args: pytest.fail("trained again"))
    done = finetune(table, tmp_path / "mine", str(conv))
    assert (done.folder / "model.safetensors").read_bytes() == weights
    assert not (tmp_path / "mine.unfinished").exists()
    with pytest.raises(FileExistsError):
        finetune(table, tmp_path / "mine", str(conv))


ROWS = promoters(40)
TILES = [(ROWS[0][0][:40] + insert[:40], label) for insert, label in ROWS]
BAD = {
    "no label column": (ROWS, "sequence\tstrength", [], r"has no column 'expression' or 'activity'.*--label-column"),
    "other target": (ROWS, "sequence\tactivity", ["--target", "rep1"], r"has no column 'rep1' but sequence, activity"),
    "constant": ([(insert, 2.5) for insert, _ in ROWS], None, [], r"bad.tsv: all labels are 2.5"),
    "one row": (ROWS[:1], None, [], r"bad.tsv: has 1 promoter, and this needs 20"),
    "few rows": (ROWS[:19], None, [], r"has 19 different promoters"),
    "related": (TILES, None, [], r"only 0 and 0 can be held out because the others share 20 bp"),
    "NaN": ([*ROWS, (ROWS[0][0], "nan")], None, [], r"bad.tsv:42: the label 'nan' is not finite"),
    "text": ([*ROWS, (ROWS[0][0], "high")], None, [], r"bad.tsv:42: the label 'high' is no number"),
    "different labels": (
        [*ROWS, (ROWS[0][0], 99)],
        None,
        ["--duplicates", "refuse"],
        r"bad.tsv:42: has the label 99 for a sequence that a row before has with",
    ),
    "too long": ([*ROWS, ("ACGT" * 129, 1)], None, [], r"bad.tsv:42: .*the insert is 516 bp"),
    "no model": (ROWS, None, ["--model", "nothing"], r"nothing: no such model folder"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_with_one_line_and_leaves_nothing(name, tmp_path, capsys):
    rows, header, options, message = BAD[name]
    table = write(tmp_path / "bad.tsv", rows, header or "sequence\tactivity")
    assert cli.main(["finetune", str(table), "-o", str(tmp_path / "mine"), *options]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert re.search(message, line), line
    assert not printed.out and [path.name for path in tmp_path.iterdir()] == ["bad.tsv"]


def test_start_is_chosen_by_length():
    short, long = recipe.choose_start(None, 80), recipe.choose_start(None, 250)
    assert (short.model, short.positions) == ("dream-promoter-bert", None)
    assert (long.model, long.positions) == ("dream-promoter-conv", None)
    assert recipe.choose_start("dream-promoter-bert", 250).positions == 250
    with pytest.raises(DataError, match="dream-promoter-conv reads at most 512 bp"):
        recipe.choose_start("dream-promoter-conv", 513)


def test_random_split_holds_out_related_rows(conv, tmp_path):
    table = write(tmp_path / "tiles.tsv", TILES)
    done = finetune(table, tmp_path / "mine", str(conv), random_split=True)
    assert "may share bases" in (done.folder / "README.md").read_text()


@pytest.mark.slow
def test_two_processes_share_the_training(conv, tmp_path):
    table = write(tmp_path / "assay.tsv", promoters(60))
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    verb = ["-m", "dream_bert", "finetune", str(table), "-o", str(tmp_path / "mine"), "--model", str(conv)]
    done = subprocess.run([*launch, *verb], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{tmp_path / 'mine'}: The fine-tuned model is ")
    assert json.loads((tmp_path / "mine" / TRAINING_INFO).read_text())["processes"] == 2
    assert not (tmp_path / "mine.unfinished").exists()


@pytest.mark.slow
def test_killed_run_ends_as_an_unbroken_one(conv, tmp_path, monkeypatch):
    table = write(tmp_path / "assay.tsv", promoters(80))
    whole = finetune(table, tmp_path / "whole", str(conv)).folder
    end_of_epoch = Bar.on_step_end

    def interrupted(self, args, state, control, **kwargs):
        if state.global_step == 6:
            raise KeyboardInterrupt
        end_of_epoch(self, args, state, control, **kwargs)

    monkeypatch.setattr(Bar, "on_step_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        finetune(table, tmp_path / "mine", str(conv))
    monkeypatch.setattr(Bar, "on_step_end", end_of_epoch)
    assert list((tmp_path / "mine.unfinished" / "tuned").glob("checkpoint-*"))
    resumed = finetune(table, tmp_path / "mine", str(conv)).folder
    for name in ("model.safetensors", "held_out.tsv"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("source", ["other_scaffold.tsv.gz", "dream_train_sample.txt.gz"])
def test_shipped_bert_is_ahead_of_all_peers_on_real_promoters(source, shared_data, tmp_path, monkeypatch):
    monkeypatch.undo()  # the recipe as it is
    records = [*islice(read_records(shared_data / source, labelled=True), 2400)]
    rows = [(record.sequence, record.expression) for record in records]
    table, test = write(tmp_path / "assay.tsv", rows[:400]), write(tmp_path / "test.tsv", rows[400:])
    tuned, *peers = finetune(table, tmp_path / "mine", test=test).comparison.targets[0].scores
    assert all(math.isnan(peer.pearson) or tuned.pearson > peer.pearson for peer in peers)
    assert all(tuned.mse < peer.mse for peer in peers)


def test_several_targets_have_an_output_and_peers_each(conv, tmp_path, capsys):
    rows = [
        (insert, f"{label}\t{'' if number % 5 == 0 else 10 - label}") for number, (insert, label) in enumerate(ROWS)
    ]
    table = write(tmp_path / "assay.tsv", rows, "sequence\trep1\trep2")
    mine = tmp_path / "mine"
    assert cli.main(["finetune", str(table), "-o", str(mine), "--model", str(conv), "--target", "rep1,rep2"]) == 0
    assert {line.split("\t")[0] for line in capsys.readouterr().out.splitlines()[1:-1]} == {"rep1", "rep2"}
    assert dream_bert.predict([rows[0][0]], mine).shape == (1, 2)
    header = (mine / "held_out.tsv").read_text().splitlines()[0].split("\t")
    assert header == ["sequence", "measured_rep1", "predicted_rep1", "measured_rep2", "predicted_rep2"]
    assert (mine / "report.html").read_text().count("<svg") == 7
    assert "| rep2 | fine-tuned model |" in (mine / "README.md").read_text()
