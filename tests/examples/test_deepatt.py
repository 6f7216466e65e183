"""DeepAtt against NumPy, its published outputs, its files, and its fine-tuning."""

import csv
import re

import deepatt
import fine_tune_deepatt
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.errors import ArgumentError
from dream_bert.sequence.construct import to_oligo

SEQUENCES = [to_oligo("ACGTTGCATTACGGATCC" * 4 + "ACGTNNTT"), "A" * 40 + "CCGGT", "GATTACAGGC" * 13, "ACG"]


@pytest.fixture
def model() -> deepatt.DeepAtt:
    draw = torch.Generator().manual_seed(3)
    model = deepatt.DeepAtt()
    for weight in model.parameters():
        weight.data.normal_(0, 0.3, generator=draw)
    return model.eval()


def reference(weights: dict[str, np.ndarray], sequence: str) -> float:
    """The network in NumPy, float64, for one sequence."""

    def relu(x):
        return np.maximum(x, 0)

    def scan(name, rows):
        kernel, recurrent, bias = (weights[f"{name}.{part}"] for part in ("kernel", "recurrent_kernel", "bias"))
        state, cell, states = np.zeros(16), np.zeros(16), []
        for row in rows:
            gates = row @ kernel + state @ recurrent + bias
            enter, forget, leave = (np.clip(0.2 * gates[16 * i : 16 * i + 16] + 0.5, 0, 1) for i in (0, 1, 3))
            cell = forget * cell + enter * np.tanh(gates[32:48])
            state = leave * np.tanh(cell)
            states.append(state)
        return np.array(states)

    bases = np.array([[base == letter for letter in "ACGT"] for base in sequence.rjust(110)[-110:]], dtype=float)
    windows = np.array([bases[i : i + 30] for i in range(81)])
    hidden = relu(np.tensordot(windows, weights["conv1d.kernel"], 2) + weights["conv1d.bias"])
    hidden = np.array([hidden[i : i + 3].max(0) for i in range(0, 81, 3)])
    hidden = np.hstack([scan("forward_lstm", hidden), scan("backward_lstm", hidden[::-1])[::-1]])
    query, key, value = (
        relu(hidden @ weights[f"attention.W{part}"] + weights[f"attention.b{part}"]) for part in "qkv"
    )
    heads = []
    for head in range(16):
        columns = slice(2 * head, 2 * head + 2)
        scores = np.exp(query[:, columns] @ key[:, columns].T / np.sqrt(2))
        heads.append(scores / scores.sum(1, keepdims=True) @ value[:, columns])
    hidden = relu(np.hstack(heads) @ weights["attention.Wo"] + weights["attention.bo"]).ravel()
    for name in ("dense", "dense_1"):
        hidden = relu(hidden @ weights[f"{name}.kernel"] + weights[f"{name}.bias"])
    return float((hidden @ weights["dense_2.kernel"] + weights["dense_2.bias"])[0])


def test_predictions_are_those_of_numpy(model):
    weights = {name: weight.double().numpy() for name, weight in model.state_dict().items()}
    wanted = np.array([reference(weights, sequence) for sequence in SEQUENCES])
    assert sum(weight.numel() for weight in model.parameters()) == 84_273 and np.ptp(wanted) > 0.1
    np.testing.assert_allclose(deepatt.predict(SEQUENCES, model), wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
    assert deepatt.predict([], model).shape == (0,)


def test_published_weights_give_the_published_outputs(shared):
    folder = shared("teacher")
    with open(folder / "parity.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    predicted = deepatt.predict(
        [row["sequence"] for row in rows], deepatt.load(folder / "deepatt_complex.safetensors")
    )
    np.testing.assert_allclose(predicted, [float(row["output"]) for row in rows], atol=1e-5)


def test_weights_come_back_from_a_file(model, tmp_path):
    deepatt.save(model, tmp_path / "weights.safetensors")
    again = deepatt.load(tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(deepatt.predict(SEQUENCES, again), deepatt.predict(SEQUENCES, model))


@pytest.mark.parametrize(
    "change", [{"dense.kernel": torch.zeros(3, 3)}, {"other": torch.zeros(1)}, {"conv1d.bias": None}]
)
def test_weights_of_another_network_are_refused(model, tmp_path, change):
    path = tmp_path / "weights.safetensors"
    deepatt.save(model, path)
    save_file({name: weight for name, weight in (load_file(path) | change).items() if weight is not None}, path)
    with pytest.raises(ArgumentError, match=re.escape(f"{path}: {next(iter(change))} is ")):
        deepatt.load(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ArgumentError, match="no whole safetensors file"):
        deepatt.load(path)


@pytest.mark.parametrize("cell, first", [("", 0), ("/lstm_cell_4", 3)])
def test_keras_files_are_read(model, tmp_path, cell, first):
    h5py = pytest.importorskip("h5py", reason="needs the extra teacher")
    layers = {
        "conv1d": f"conv1d_{first}/conv1d_{first}",
        "forward_lstm": f"bidirectional/bidirectional/forward_lstm{cell}",
        "backward_lstm": f"bidirectional/bidirectional/backward_lstm{cell}",
        "attention": "Multi-Head/Multi-Head",
    } | {f"dense{tail}": f"dense_{first + 8 + n}/dense_{first + 8 + n}" for n, tail in enumerate(("", "_1", "_2"))}
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        for name, weight in model.state_dict().items():
            layer, part = name.split(".")
            part = f"Multi-Head_{part}" if layer == "attention" else part
            file[f"model_weights/{layers[layer]}/{part}:0"] = weight.numpy()
            file[f"optimizer_weights/Adam/{layers[layer]}/{part}/m:0"] = weight.numpy()
    again = deepatt.load(tmp_path / "weights.h5")
    np.testing.assert_array_equal(deepatt.predict(SEQUENCES, again), deepatt.predict(SEQUENCES, model))


def test_rescaling_is_least_squares(model):
    draw = np.random.default_rng(0)
    oligos = ["".join(draw.choice(list("ACGT"), 110)) for _ in range(50)]
    before = deepatt.predict(oligos, model).astype(float)
    expression = 8 + 3 * draw.normal(size=50)
    fine_tune_deepatt.rescale(model, oligos, expression)
    wanted = np.polyval(np.polyfit(before, expression, 1), before)
    np.testing.assert_allclose(deepatt.predict(oligos, model), wanted, atol=1e-4)


def test_training_lowers_the_error(model):
    draw = np.random.default_rng(1)
    oligos = ["".join(draw.choice(list("ACGT"), 110, p=[(1 - t) / 3] * 3 + [t])) for t in draw.random(256)]
    rows = oligos, np.array([oligo.count("T") for oligo in oligos], dtype=np.float32)
    fine_tune_deepatt.rescale(model, *rows)
    before = np.square(deepatt.predict(oligos, model) - rows[1]).mean()
    steps = []
    fine_tune_deepatt.train(model, rows, 10, 2e-3, 1, steps.append)
    assert np.square(deepatt.predict(oligos, model.eval()) - rows[1]).mean() < 0.7 * before
    assert steps == list(range(1, 21))


def test_the_command_learns_from_the_train_split_and_repeats(model, prepared, tmp_path, capsys):
    deepatt.save(model, tmp_path / "start.safetensors")
    oligos, expression = fine_tune_deepatt.read_split(prepared, "train")
    rows = list(zip(oligos, expression.tolist(), strict=True))
    assert len(oligos) == len(PromoterDataset(prepared, "regression", "train"))

    def run(name: str, seed: int, *flags) -> np.ndarray:
        command = [
            "start.safetensors",
            "--data",
            prepared,
            "--seed",
            seed,
            "--epochs",
            1,
            "-o",
            tmp_path / name,
            *flags,
        ]
        fine_tune_deepatt.main([str(tmp_path / command[0]), *map(str, command[1:])])
        return deepatt.predict(oligos, deepatt.load(tmp_path / name))

    first = run("first.safetensors", 1)
    assert "step 0: validation r" in capsys.readouterr().err
    np.testing.assert_allclose(run("again.safetensors", 1), first, rtol=1e-4)
    assert np.abs(run("other.safetensors", 2) - first).max() > 0.01
    (tmp_path / "other.tsv").write_text("".join(f"{oligo}\t{2 * value - 100}\n" for oligo, value in rows))
    prepare([tmp_path / "other.tsv"], tmp_path / "other", ["regression"], validation=1, test=1)
    again = fine_tune_deepatt.read_split(tmp_path / "other", "train")
    scaled = run("scaled.safetensors", 1, "--units", tmp_path / "other")
    np.testing.assert_allclose(abs(np.corrcoef(scaled, first)[0, 1]), 1, atol=1e-4)
    assert abs(scaled.mean() - again[1].mean()) < again[1].std()
