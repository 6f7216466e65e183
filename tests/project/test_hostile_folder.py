"""A stranger's folder: devices, links, records of another form and names like paths."""

import shutil

import numpy as np
import pytest
from hostile_files import KINDS, WEIGHTS, change, put_in_place

from dream_bert import predict
from dream_bert.cli.main import main
from dream_bert.errors import ModelError
from dream_bert.hub.publish import DEFAULT_MODELS


def test_a_name_in_fasta_is_a_name(model_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = ["../../elsewhere", "$(touch made)", "`touch_made`", "/etc/passwd", "=cmd|'/c'!A1"]
    source = tmp_path / "in.fa"
    source.write_text("".join(f">{name}\nACGT\n" for name in names))
    before = sorted(tmp_path.parent.rglob("*"))
    assert main(["predict", str(source), "--model", str(model_folder)]) == 0
    ids = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert ids == [name.split()[0] for name in names]
    assert sorted(tmp_path.parent.rglob("*")) == before


RECORD = "training_info.json"


@pytest.fixture
def published(tmp_path):
    """A copy of a shipped model's folder, to spoil."""
    shutil.copytree(DEFAULT_MODELS["conv"], tmp_path / "model")
    (tmp_path / "model" / "evaluation.json").write_text("{}")
    return tmp_path / "model"


def refused(argv, file, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("dream-bert: ") and error[:-1].isprintable() and len(error) < 600
    assert file.name in error or "no config.json" in error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["config.json", WEIGHTS])
def test_calibrate_reads_files_of_the_folder_alone(model_folder, tmp_path, capsys, name, kind):
    (tmp_path / "rows.txt").write_text("ACGT\t1\n")
    put_in_place(model_folder / name, kind)
    before = sorted(tmp_path.rglob("*"))
    refused(["calibrate", str(tmp_path / "rows.txt"), "--model", str(model_folder)], model_folder / name, capsys)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["config.json", RECORD, "evaluation.json", WEIGHTS])
def test_publish_reads_files_of_the_folder_alone(published, capsys, monkeypatch, name, kind):
    monkeypatch.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    put_in_place(published / name, kind)
    refused(["publish", "conv", "--repo", "a/b", "--model", str(published), "--dry-run"], published / name, capsys)


@pytest.mark.parametrize(
    "fields",
    [
        {"results": "x"}, {"results": {"test": 5}}, {"results": {"test": {"test_pearson": "high"}}}, {"data": []},
        {"results": {"test": {"test_pearson": 10**400}}}, {"parameters": "many"}, {"parameters": 10**400},
        {"machine": None},
        {"started_from": 3}, {"started_from": {"model": 1, "training_info": [1]}}, {"mean_of": 5}, {"mean_of": [[]]},
        {"training_arguments": "x"}, {"data": {"fingerprint": 3, "train_rows": "x"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_record_of_another_form_is_refused(published, capsys, monkeypatch, fields):
    monkeypatch.setattr("dream_bert.export.folder.export_onnx", lambda *_: None)
    (published / "evaluation.json").unlink()
    change(published / RECORD, **fields)
    refused(["publish", "conv", "--repo", "a/b", "--model", str(published), "--dry-run"], published / RECORD, capsys)


def test_the_hubs_cache_is_one_folder(model_folder, tmp_path, inserts):
    """Its snapshots are links to blobs."""
    expected = predict(inserts, model_folder)
    blobs, snapshot = tmp_path / "models--a--b/blobs", tmp_path / "models--a--b/snapshots/1"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, path in enumerate(model_folder.iterdir()):
        path.rename(blobs / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    np.testing.assert_array_equal(predict(inserts, snapshot), expected)
    blob = (snapshot / "config.json").resolve()
    blob.rename(tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="is a link to a file outside of the model's folder; copy that file here"):
        predict(inserts, snapshot)
