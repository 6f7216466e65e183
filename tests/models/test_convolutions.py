"""The convolutional model against NumPy, its padding, and its way through what takes a model."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from transformers import pipeline

from dream_bert import BertForSequenceRegression, DreamConvConfig, DreamConvForSequenceRegression, predict
from dream_bert.cli.main import main
from dream_bert.errors import ModelError
from dream_bert.export.folder import export_folder, export_onnx
from dream_bert.inference.model_files import ONNX_FILES
from dream_bert.models.conv_layers import token_bases
from dream_bert.sequence.encoding import encode

INSERTS = ["ACGTTGCATTACGGATNCCATAGGAC", "ACGTTGCATTACGGATNCCATAGGA", "AC", "G", "TTT", "CATAGGACCA" * 8]


@pytest.fixture(scope="module")
def model() -> DreamConvForSequenceRegression:
    torch.manual_seed(0)
    model = DreamConvForSequenceRegression(DreamConvConfig(hidden_size=6, motif_size=5, kernel_size=3))
    for module in model.modules():  # as if it had been trained
        if isinstance(module, torch.nn.BatchNorm1d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
    model.sixmers.view(6 * [5])[6 * (slice(4),)].normal_()  # those with N stay 0
    model.set_label_statistics(7.0, 3.0)
    return model.eval()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("conv")
    model.save_pretrained(path)
    return path


@given(st.text("ACGTN", min_size=3, max_size=40))
def test_tokens_become_the_bases_again(insert):
    ids = torch.from_numpy(encode([insert, "ACG" * 14], DreamConvConfig())["input_ids"])
    bases = token_bases(ids)[0].tolist()
    assert bases[: len(insert)] == ["ACGTN".index(base) for base in insert]
    assert set(bases[len(insert) :]) <= {4}


def reference(model: DreamConvForSequenceRegression, insert: str) -> float:
    """The model's numbers in NumPy, float64, for one insert."""
    weights = {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}

    def silu(x):
        return x / (1 + np.exp(-x))

    def convolve(x, name, dilation=1):
        kernel = weights[f"{name}.0.weight"]
        reach = dilation * (kernel.shape[2] - 1)
        x = np.pad(x, ((0, 0), (reach // 2, reach - reach // 2)))
        width = x.shape[1] - reach
        y = sum(kernel[:, :, i] @ x[:, i * dilation : i * dilation + width] for i in range(kernel.shape[2]))
        norm = {
            part: weights[f"{name}.1.{part}"][:, None] for part in ("weight", "bias", "running_mean", "running_var")
        }
        return silu((y - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-5) * norm["weight"] + norm["bias"])

    hidden = convolve(np.array([[base == letter for base in insert] for letter in "ACGT"], dtype=float), "scan")
    for number, dilation in enumerate(model.config.dilations):
        hidden = hidden + convolve(hidden, f"layers.{number}", dilation)
    pooled = np.concatenate([hidden.mean(1), hidden.max(1)])
    pooled = silu(weights["head.1.weight"] @ pooled + weights["head.1.bias"])
    sixmers = ((insert + "N" * 5)[i : i + 6] for i in range(len(insert)))
    added = sum(
        weights["sixmers"][int("".join(str("ACGTN".index(base)) for base in each), base=5)] for each in sixmers
    )
    return float((weights["classifier.weight"] @ pooled + weights["classifier.bias"])[0] + added)


def test_predictions_are_those_of_numpy(model):
    wanted = [reference(model, insert.ljust(3, "N")) for insert in INSERTS]
    assert_close(predict(INSERTS, model), wanted)
    assert np.ptp(wanted) > 0.1


def test_padding_changes_no_prediction(model):
    inputs = {name: torch.from_numpy(array) for name, array in encode(INSERTS, model.config).items()}
    with torch.inference_mode():
        together = model(**inputs).logits[:, 0]
    assert_close(together, predict(INSERTS, model))


def test_onnx_gives_the_same_numbers(folder, tmp_path, caplog):
    export_folder(tmp_path / "exported", folder)
    assert not caplog.records
    wanted = predict(INSERTS, folder)
    assert_close(predict(INSERTS, tmp_path / "exported", backend="onnx"), wanted)
    int8 = predict(INSERTS, tmp_path / "exported", backend="onnx-int8")
    assert 0 < np.abs(int8 - wanted).max() < 0.1 * wanted.std()


def test_padding_changes_no_number_in_onnx(model, tmp_path):
    export_onnx(model, tmp_path)
    run = onnxruntime.InferenceSession(tmp_path / ONNX_FILES["onnx"], providers=["CPUExecutionProvider"]).run
    together = run(None, encode(INSERTS, model.config))[0][:, 0]
    assert_close(together, predict(INSERTS, model))


def test_the_loss_is_in_standard_deviations_of_the_labels(model):
    inputs = {name: torch.from_numpy(array) for name, array in encode(INSERTS, model.config).items()}
    labels = torch.arange(6.0)
    output = model(**inputs, labels=labels)
    assert_close(output.loss.item(), ((output.logits[:, 0] - labels) / 3).square().mean().item())


def test_a_folder_is_a_model_wherever_one_is_taken(model, folder, tmp_path, capsys):
    wanted = predict(INSERTS, model)
    assert_close(predict(INSERTS, folder), wanted)
    results = pipeline("promoter-expression", model=str(folder))(INSERTS)
    assert_close([result["expression"] for result in results], wanted)
    (tmp_path / "inserts.txt").write_text("\n".join(INSERTS) + "\n")
    assert main(["predict", str(tmp_path / "inserts.txt"), "--model", str(folder)]) == 0
    printed = [float(line.split("\t")[1]) for line in capsys.readouterr().out.splitlines()[1:]]
    assert_close(printed, wanted, decimals=4)


def test_weights_of_another_kind_are_told(folder, tiny_model, tmp_path):
    with pytest.raises(ValueError, match="model_type is 'dream_conv'; give bert"):
        BertForSequenceRegression.from_pretrained(folder)
    tiny_model(stride=1, context=0).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="model_type is 'bert'; give dream_conv"):
        DreamConvForSequenceRegression.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dilations": []},
        {"dilations": [0]},
        {"dilations": [1] * 17},
        {"dilations": [True]},
        {"dilations": 3},
        {"kernel_size": 0},
        {"kernel_size": 65},
        {"motif_size": 2.5},
        {"hidden_size": 10**9},
        {"stride": 3},
        {"context": 30},
    ],
)
def test_a_configuration_out_of_range_is_refused(folder, wrong, tmp_path):
    config = json.loads((folder / "config.json").read_text()) | wrong
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match=next(iter(wrong))):
        predict(INSERTS, tmp_path)
