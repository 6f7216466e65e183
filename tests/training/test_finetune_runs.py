"""Fine-tuning in one command of several starts and targets, on bad tables, interrupted, and on real promoters."""

import json
import math
import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
import torch
from assay_table import promoters, shorten, write
from transformers import AutoModelForSequenceClassification

import dream_bert
from dream_bert import BertForSequenceRegression, finetune
from dream_bert.cli import main as cli
from dream_bert.errors import DataError
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.io.reader import read_records
from dream_bert.training import finetune as module
from dream_bert.training import recipe
from dream_bert.training.progress import Bar


@pytest.fixture(scope="module")
def bert(tiny_config, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("start") / "tiny"
    torch.manual_seed(0)
    config = tiny_config(stride=1, context=0, max_position_embeddings=96, initializer_range=0.02)
    BertForSequenceRegression(config).save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def two_epochs(monkeypatch):
    shorten(monkeypatch)


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
