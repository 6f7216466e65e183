"""Exported graphs are loaded, and no other: what a stranger's graph may do never runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from closeness import assert_close
from onnx import numpy_helper
from spoilt_graphs import STRANGE, broadcast, node, replace_weight, spoil, weight

from dream_bert import DreamConvConfig, DreamConvForSequenceRegression, predict
from dream_bert.errors import ModelError
from dream_bert.export.folder import export_folder
from dream_bert.inference.model_files import ONNX_FILES
from dream_bert.inference.onnx_backend import OnnxModel

CALIBRATION = {"expression": [-1.0, 2.0], "spread": [0.5, 1.5], "ratios": [0.1 * n for n in range(1, 46)]}
BACKENDS = list(ONNX_FILES)


@pytest.fixture(scope="module")
def folders(tiny_model, tmp_path_factory):
    """Exported folders of models of several forms, all with a calibration."""
    torch.manual_seed(1)
    conv = dict(hidden_size=8, hidden_dropout_prob=0.0, motif_size=5, kernel_size=4, max_position_embeddings=128)
    common = dict(calibration=CALIBRATION, max_position_embeddings=128)
    models = {
        "two layers": tiny_model(stride=3, context=30, reading_frames=3, **common),
        "one layer": tiny_model(stride=1, context=0, num_hidden_layers=1, num_attention_heads=4, **common),
        "three layers": tiny_model(stride=1, context=0, num_hidden_layers=3, layer_norm_eps=1e-7, **common),
        "conv": DreamConvForSequenceRegression(DreamConvConfig(calibration=CALIBRATION, **conv)).eval(),
        "one convolution": DreamConvForSequenceRegression(DreamConvConfig(dilations=(3,), **common | conv)).eval(),
    }
    root = tmp_path_factory.mktemp("folders")
    for name, model in models.items():
        model.save_pretrained(root / "model")
        export_folder(root / name, root / "model")
    return root


@pytest.mark.parametrize("interval", [None, 0.8])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["two layers", "one layer", "three layers", "conv", "one convolution"])
def test_every_backend_gives_what_torch_gives(folders, inserts, name, backend, interval):
    expected = predict(inserts, folders / name, interval=interval)
    values = predict(inserts, folders / name, backend=backend, interval=interval)
    assert values.shape == expected.shape and values.dtype == np.float32
    if backend == "onnx":
        assert_close(values, expected)
    elif interval:  # int8 rounds the prediction; its interval is around it, as wide as the calibration has it
        half = np.interp(values[:, 0], CALIBRATION["expression"], np.multiply(3.1, CALIBRATION["spread"]))
        assert_close(values[:, 1:], values[:, :1] + half[:, None] * [-1, 1])


def test_the_calibration_beside_a_graph_is_checked(folders, tmp_path):
    spoilt = spoil(folders, tmp_path, "conv", "onnx", lambda model: None)
    config = spoilt / "config.json"
    config.write_text(config.read_text().replace('"ratios": [', '"ratios": [9.0, '))
    with pytest.raises(ModelError, match="calibration is negative, not rising"):
        predict(["ACGT"], spoilt, backend="onnx", interval=0.9)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["two layers", "conv"])
@pytest.mark.parametrize("change", STRANGE, ids=lambda change: change.__name__)
def test_another_graph_is_refused_before_it_is_loaded(folders, tmp_path, monkeypatch, name, backend, change):
    monkeypatch.setattr("onnxruntime.InferenceSession", None)
    spoilt = spoil(folders, tmp_path, name, backend, change)
    with pytest.raises(ModelError) as error:
        OnnxModel(str(spoilt), backend)
    assert str(error.value).startswith(f"{spoilt / ONNX_FILES[backend]}: ") and "export it again" in str(error.value)
    assert str(error.value).isprintable() and len(str(error.value)) < 400 + len(str(spoilt))


def test_the_branches_of_a_graph_are_compared(folders, tmp_path):
    def change(model):
        branch = node(model, "If").attribute[0].g
        branch.node[0].input[1] = branch.node[0].input[0]

    with pytest.raises(ModelError, match="is not the graph that this version exports"):
        OnnxModel(str(spoil(folders, tmp_path, "two layers", "onnx", change)), "onnx")


def test_the_graph_of_another_configuration_is_refused(folders, tmp_path):
    spoilt = spoil(folders, tmp_path, "one layer", "onnx", lambda model: None)
    (spoilt / "config.json").write_bytes((folders / "three layers" / "config.json").read_bytes())
    with pytest.raises(ModelError, match="export it again"):
        OnnxModel(str(spoilt), "onnx")


def test_a_graph_far_larger_or_smaller_than_its_configuration_is_refused(folders, tmp_path):
    spoilt = spoil(folders, tmp_path, "one layer", "onnx", lambda model: None)
    with open(spoilt / ONNX_FILES["onnx"], "r+b") as file:
        file.truncate(2**33)  # a hole
    with pytest.raises(ModelError, match="model.onnx: is larger than"):
        OnnxModel(str(spoilt), "onnx")
    spoilt = spoil(folders, tmp_path / "more", "one layer", "onnx", lambda model: None)
    config = (spoilt / "config.json").read_text()
    config = config.replace('"hidden_size": 16', '"hidden_size": 2048').replace(
        '"num_hidden_layers": 1', '"num_hidden_layers": 40'
    )
    (spoilt / "config.json").write_text(config)
    with pytest.raises(ModelError, match="is far smaller than config.json says"):
        OnnxModel(str(spoilt), "onnx")


@pytest.mark.parametrize("place", ["/dev/zero", "../../elsewhere.onnx", "fifo"])
def test_a_graph_that_is_no_file_of_the_folder_is_refused(folders, tmp_path, place):
    spoilt = spoil(folders, tmp_path, "conv", "onnx", lambda model: None)
    path = spoilt / ONNX_FILES["onnx"]
    path.rename(tmp_path / "elsewhere.onnx")
    os.mkfifo(path) if place == "fifo" else path.symlink_to(place)
    with pytest.raises(ModelError, match="has no onnx/model.onnx|outside of the model's folder"):
        OnnxModel(str(spoilt), "onnx")


def test_a_weight_that_leads_out_of_a_table_ends_in_one_line(folders, tmp_path):
    def change(model):
        replace_weight(model, "digits", numpy_helper.to_array(weight(model, "digits")) * 1000)

    spoilt = spoil(folders, tmp_path, "conv", "onnx", change)
    with pytest.raises(ModelError, match="model.onnx: cannot be computed; export it again"):
        predict(["ACGTACGT"], spoilt, backend="onnx")


LIMITED = """
import resource, sys
from pathlib import Path
from dream_bert.cli.main import main
from dream_bert.inference.prediction import predict
predict(["ACGT"], sys.argv[1], backend="onnx")
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 256 * 2**20,) * 2)
sys.exit(main(["predict", "in.txt", "--backend", "onnx", "--model", sys.argv[2]]))
"""


def test_a_large_graph_takes_no_memory(folders, tmp_path):
    (tmp_path / "in.txt").write_text("ACGT\n")
    spoilt = spoil(folders, tmp_path, "conv", "onnx", broadcast)
    command = [sys.executable, "-c", LIMITED, str(folders / "conv"), str(spoilt)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
