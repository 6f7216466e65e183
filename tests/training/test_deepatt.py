"""DeepAtt against NumPy, its published outputs and its files."""

import csv
import re

import numpy as np
import pytest
import torch
from random_deepatt import random_deepatt
from safetensors.torch import load_file, save_file

from dream_bert.errors import ArgumentError
from dream_bert.models.conv_layers import token_bases
from dream_bert.sequence.construct import to_oligo
from dream_bert.sequence.encoding import encode
from dream_bert.training import deepatt

SEQUENCES = [to_oligo("ACGTTGCATTACGGATCC" * 4 + "ACGTNNTT"), "A" * 40 + "CCGGT", "GATTACAGGC" * 13, "ACG"]


@pytest.fixture
def model() -> deepatt.DeepAtt:
    return random_deepatt()


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


def test_tokens_of_inserts_give_the_oligos_bases(tiny_config):
    draw = np.random.default_rng(5)
    inserts = ["".join(draw.choice(list("ACGTN"), length)) for length in (80, 79, 83, 97, 98, 120, 40, 5, 3)]
    ids, mask = map(torch.from_numpy, encode(inserts, tiny_config(stride=1, context=0)).values())
    bases = deepatt.one_hot_oligos(token_bases(ids), mask.sum(1))
    assert torch.equal(bases, deepatt.one_hot(list(map(to_oligo, inserts))))


@pytest.mark.parametrize("length", [76, 80, 97, 110])
def test_a_place_depends_on_the_bases_around_its_middle(model, length):
    """A place of the convolution sees 32 bp; its middle is known, except past the insert's ends."""
    sees = torch.full((deepatt.PLACES, deepatt.LENGTH), False)
    for place in range(deepatt.PLACES):
        bases = torch.zeros(1, deepatt.LENGTH, 4, requires_grad=True)
        windows = bases.flatten(1).unfold(1, 120, 4)[:, 3 * place : 3 * place + 3]
        windows.sum().backward()
        sees[place] = bases.grad[0].abs().sum(1) > 0
    middle = torch.stack([row.nonzero().double().mean().round() for row in sees])
    inside = (middle + length - 97).clamp(0, length - 1)
    assert (deepatt.middle_bases(torch.tensor([length]))[0] - inside).abs().max() <= 1
