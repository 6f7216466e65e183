"""Exported folders: whole models, whose backends agree, and never half of one."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from closeness import assert_close
from logits import INT8_ERROR, session, stock
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from dream_bert.cli.main import main
from dream_bert.errors import ModelError
from dream_bert.export.folder import export_folder
from dream_bert.inference.model_files import ONNX_FILES
from dream_bert.inference.prediction import predict
from dream_bert.sequence.encoding import encode


@pytest.fixture(scope="module")
def saved(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    tiny_model(stride=3, context=30, reading_frames=3, max_position_embeddings=128).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(saved, tmp_path_factory):
    target = tmp_path_factory.mktemp("exported") / "model"
    assert main(["export", "-o", str(target), "--model", str(saved)]) == 0
    return target


def test_backends_agree(folder, inserts):
    expected = predict(inserts, folder)
    assert_close(predict(inserts, folder, backend="onnx"), expected)
    int8 = predict(inserts, folder, batch_size=3, backend="onnx-int8")
    assert 0 < np.abs(int8 - expected).mean() < INT8_ERROR * expected.std()
    assert predict([], folder, backend="onnx").shape == (0,)


def test_the_folder_is_a_whole_model(folder, inserts):
    inputs = AutoTokenizer.from_pretrained(folder)(inserts, padding=True, return_tensors="np")
    inputs = {name: inputs[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        expected = model(**{name: torch.from_numpy(array) for name, array in inputs.items()}).logits
    assert_close(session(folder, "onnx")(inputs), expected)
    assert (folder / "modeling_dream_bert.py").is_file()


def test_a_masked_lm_folder(tiny_masked_lm, tmp_path, inserts):
    tiny_masked_lm.save_pretrained(tmp_path / "mlm")
    export_folder(tmp_path / "out", tmp_path / "mlm")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["architectures"] == ["DreamBertForMaskedLM"]
    inputs = encode(["ACGTAC"], tiny_masked_lm.config)
    with torch.inference_mode():
        assert_close(session(tmp_path / "out", "onnx")(inputs), stock(tiny_masked_lm)(inputs))
    with pytest.raises(ModelError, match="gives no expression"):
        predict(inserts, tmp_path / "out", backend="onnx")


def test_nothing_is_overwritten(saved, folder, tmp_path, capsys):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for target in ("thesis", "file"):
        assert main(["export", "-o", str(tmp_path / target), "--model", str(saved)]) == 2
        assert (
            capsys.readouterr().err
            == f"dream-bert: {tmp_path / target}: exists; name a new folder, or remove it first\n"
        )
    with pytest.raises(FileNotFoundError, match="no such folder; make it first"):
        export_folder(tmp_path / "none" / "model", saved)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["chapter.tex", "file", "thesis"]


def test_a_failure_leaves_nothing(tiny_model, tmp_path):
    tiny_model(hidden_act="relu").save_pretrained(tmp_path / "relu")
    with pytest.raises(ModelError, match="relu"):
        export_folder(tmp_path / "out", tmp_path / "relu")
    with pytest.raises(OSError, match="no such model folder"):
        export_folder(tmp_path / "out", tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["relu"]


def test_an_unusable_file_is_named(saved, folder, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="has no onnx/model.onnx; make it: dream-bert export -o FOLDER --model "):
        predict(["ACGT"], saved, backend="onnx")
    broken = tmp_path / ONNX_FILES["onnx"]
    broken.parent.mkdir()
    broken.write_bytes((folder / ONNX_FILES["onnx"]).read_bytes()[:-100])
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(ModelError, match="model.onnx: is no ONNX model that this ONNX Runtime reads; export it again"):
        predict(["ACGT"], tmp_path, backend="onnx")
    with pytest.raises(OSError, match="no such model folder"):
        predict(["ACGT"], tmp_path / "none", backend="onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        ModelError, match=r"backend 'onnx' needs onnxruntime; pip install 'dream-promoter-bert\[onnx\]'"
    ):
        predict(["ACGT"], folder, backend="onnx")


def test_a_missing_package_is_named(saved, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnx", None)
    for module in ("dream_bert.export.folder", "dream_bert.onnx_graphs.bert_graph"):
        monkeypatch.delitem(sys.modules, module)
    assert main(["export", "-o", str(tmp_path / "out"), "--model", str(saved)]) == 2
    assert capsys.readouterr().err.endswith("pip install 'dream-promoter-bert[onnx]'\n")


def test_an_onnx_backend_needs_no_torch(folder, tmp_path):
    source = tmp_path / "promoters.txt"
    source.write_text("ACGTACGT\nTTTT\n")
    code = (
        "import sys, dream_bert.cli.main; sys.exit(dream_bert.cli.main.main(sys.argv[1:]) or 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, "predict", str(source), "--model", str(folder), "--backend", "onnx-int8"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    values = [float(line.split("\t")[1]) for line in done.stdout.splitlines()[1:]]
    assert_close(values, predict(["ACGTACGT", "TTTT"], folder, backend="onnx-int8"), decimals=4, int8=True)
