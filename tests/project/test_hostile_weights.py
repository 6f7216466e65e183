"""Weights of a stranger: pickles are not opened, and other files, types and shapes are refused by name."""

import json
import pickle
import shutil

import pytest
import torch
from closeness import assert_close
from hostile_files import WEIGHTS, Payload, change, header
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from dream_bert import BertForSequenceRegression, predict
from dream_bert.cli.main import main
from dream_bert.errors import ModelError
from dream_bert.hub.publish import DEFAULT_MODELS
from dream_bert.inference.loading import load_model


@pytest.fixture
def pickled(model_folder, tmp_path):
    """A folder with weights in a pickle alone, and the file that shows that it was opened."""
    (model_folder / WEIGHTS).unlink()
    for name in ("pytorch_model.bin", "model.pt", "optimizer.pt"):
        (model_folder / name).write_bytes(pickle.dumps(Payload(tmp_path / "opened")))
    return model_folder, tmp_path / "opened"


@pytest.mark.parametrize(
    "load",
    [
        load_model,
        BertForSequenceRegression.from_pretrained,
        lambda folder: BertForSequenceRegression.from_pretrained(folder, use_safetensors=False),
        lambda folder: AutoModel.from_pretrained(folder, trust_remote_code=True),
    ],
    ids=["predict", "class", "asked for", "remote code"],
)
def test_a_pickle_is_not_opened(pickled, load):
    folder, opened = pickled
    with pytest.raises(ValueError, match="has no model.safetensors; pickles such as pytorch_model.bin are not opened"):
        load(folder)
    assert not opened.exists()


def test_a_pickle_is_refused_in_one_line(pickled, tmp_path, capsys):
    folder, opened = pickled
    (tmp_path / "in.txt").write_text("ACGT\n")
    assert main(["predict", str(tmp_path / "in.txt"), "--model", str(folder), "-o", str(tmp_path / "out.tsv")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "can run code" in error
    assert not opened.exists() and not (tmp_path / "out.tsv").exists()


def test_weights_elsewhere_are_not_read(model_folder, tmp_path):
    """Neither by another name, in shards, nor as what an adapter goes with."""
    shutil.move(model_folder / WEIGHTS, tmp_path / WEIGHTS)
    change(model_folder / "config.json", transformers_weights=f"../{WEIGHTS}")
    names = dict.fromkeys(load_file(tmp_path / WEIGHTS), f"../{WEIGHTS}")
    (model_folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    (model_folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(tmp_path)}))
    with pytest.raises(ModelError, match="has no model.safetensors"):
        load_model(model_folder)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "no whole safetensors"),
        (b"\x00" * 8, "no whole safetensors"),
        (header({}, length=2**60), "lists more tensors"),
        (header({}, length=2**20), "no whole safetensors"),
        (header({"classifier.bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}), "no whole safetensors"),
        (header({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}) + bytes(4), "no whole safetensors"),
        (header({"x": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}}), "no whole safetensors"),
        (pickle.dumps(Payload("/dev/null")), "lists more tensors"),
    ],
    ids=["empty", "zeros", "long list", "cut list", "cut", "negative", "overflow", "pickle"],
)
def test_a_file_that_is_no_safetensors_is_named(model_folder, content, message):
    (model_folder / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        load_model(model_folder)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_numbers_of_another_type_are_refused(model_folder, dtype):
    weights = load_file(model_folder / WEIGHTS)
    save_file(weights | {"classifier.bias": torch.ones(1, dtype=dtype)}, model_folder / WEIGHTS)
    with pytest.raises(ModelError, match="classifier.bias is of type"):
        load_model(model_folder)


def test_another_shape_is_never_filled_in(model_folder):
    weights = load_file(model_folder / WEIGHTS)
    save_file(weights | {"classifier.bias": torch.ones(2)}, model_folder / WEIGHTS)
    with pytest.raises(ModelError, match="has no fitting weights for classifier.bias"):
        load_model(model_folder)
    with pytest.raises(ValueError, match="has no fitting weights for classifier.bias; give it the config.json"):
        BertForSequenceRegression.from_pretrained(model_folder)


def test_weights_by_other_names_that_bert_has_had_are_found(model_folder, inserts):
    expected, weights = predict(inserts, model_folder), load_file(model_folder / WEIGHTS)
    olds = {"bert.": "", "LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    for new, old in olds.items():
        weights = {name.replace(new, old): weight for name, weight in weights.items()}
    save_file(weights, model_folder / WEIGHTS)
    assert_close(predict(inserts, model_folder), expected)


@pytest.mark.parametrize("folder", DEFAULT_MODELS.values(), ids=DEFAULT_MODELS)
def test_a_shipped_model_holds_no_pickle_and_no_code(folder):
    for file in folder.iterdir():
        assert file.suffix in (".json", ".safetensors")
