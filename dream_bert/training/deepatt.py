"""Read DeepAtt's published weights and predict with them.

DeepAtt (Vaishnav et al. 2022, https://doi.org/10.1038/s41586-022-04506-6, MIT) was trained on 30.7 million random
promoters. Its weights are `DeepAtt_model.h5` of the repository 1edv/evolution, or the same arrays in safetensors.
"""

import re
from collections.abc import Iterator, Sequence
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialize
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ArgumentError
from ..io.output import open_output
from ..sequence.construct import OLIGO_END, OLIGO_START
from ..sequence.encoding import BASES

LENGTH = 110
"""Length of the network's input in bp."""

SHAPES = {
    "conv1d": {"kernel": (30, 4, 256), "bias": (256,)},
    "forward_lstm": {"kernel": (256, 64), "recurrent_kernel": (16, 64), "bias": (64,)},
    "backward_lstm": {"kernel": (256, 64), "recurrent_kernel": (16, 64), "bias": (64,)},
    "attention": {f"W{part}": (32, 32) for part in "qkvo"} | {f"b{part}": (32,) for part in "qkvo"},
    "dense": {"kernel": (864, 16), "bias": (16,)},
    "dense_1": {"kernel": (16, 16), "bias": (16,)},
    "dense_2": {"kernel": (16, 1), "bias": (1,)},
}
"""Shapes of the layers' weights, as Keras stores them."""

POOLED, PLACES, HEADS, DENSE, BATCH = 3, 27, 16, 16, 64

_MIDDLE = (SHAPES["conv1d"]["kernel"][0] + POOLED - 1) // 2
"""The middle base of the bases that a place sees, counted from the first."""


class Features(NamedTuple):
    """What the network computes on the way: of each of the 27 places, float (n, 27, 64), and of the whole, (n, 32)."""

    places: Tensor
    pooled: Tensor


class DeepAtt(nn.Module):
    """Convolution, maximum, bidirectional LSTM, self-attention and three dense layers; 84,273 parameters."""

    def __init__(self):
        super().__init__()
        for layer, shapes in SHAPES.items():
            weights = {name: nn.Parameter(torch.zeros(shape)) for name, shape in shapes.items()}
            self.add_module(layer, nn.ParameterDict(weights))
        self.dropout = nn.Dropout(0.2)

    def forward(self, bases: Tensor) -> Tensor:
        """Predict expression, (n,), from one-hot bases, float (n, 110, 4), as `one_hot` gives them."""
        return _dense(self.features(bases).pooled[:, -DENSE:], **self.dense_2)[:, 0]

    def features(self, bases: Tensor) -> Features:
        """Compute the states of both LSTMs, what attention makes of them, and the outputs of two dense layers."""
        kernel = self.conv1d["kernel"]
        windows = bases.flatten(1).unfold(1, kernel[..., 0].numel(), kernel.shape[1])
        hidden = _dense(windows, kernel.flatten(0, 1), self.conv1d["bias"])
        hidden = hidden.unflatten(1, (-1, POOLED)).amax(2).relu()
        states = self._scan(self.dropout(hidden))
        attended = self._attend(states)
        first = _dense(self.dropout(attended).flatten(1), **self.dense).relu()
        second = _dense(first, **self.dense_1).relu()
        return Features(torch.cat([states, attended], 2), torch.cat([first, second], 1))

    def _scan(self, hidden: Tensor) -> Tensor:
        """Run both LSTMs, (n, length, 2 * units); the gates are Keras's hard sigmoid."""
        layers = self.forward_lstm, self.backward_lstm
        entering = [_dense(hidden, layer["kernel"], layer["bias"]) for layer in layers]
        entering = torch.stack([entering[0], entering[1].flip(1)])  # (2, n, length, 4 * units)
        recurrent = torch.stack([layer["recurrent_kernel"] for layer in layers])
        state = cell = entering.new_zeros(*entering.shape[:2], recurrent.shape[1])
        states = []
        for step in entering.unbind(2):
            gates = torch.baddbmm(step, state, recurrent)
            enter, forget, new, leave = gates.chunk(4, 2)
            enter, forget, leave = ((0.2 * gate + 0.5).clamp(0, 1) for gate in (enter, forget, leave))
            cell = forget * cell + enter * new.tanh()
            state = leave * cell.tanh()
            states.append(state)
        forward, backward = torch.stack(states, 2)
        return torch.cat([forward, backward.flip(1)], 2)

    def _attend(self, hidden: Tensor) -> Tensor:
        weights = self.attention
        query, key, value = (
            _dense(hidden, weights[f"W{part}"], weights[f"b{part}"]).relu().unflatten(2, (HEADS, -1)).transpose(1, 2)
            for part in "qkv"
        )
        shares = (query @ key.transpose(2, 3) / sqrt(query.shape[-1])).softmax(3)
        attended = (shares @ value).transpose(1, 2).flatten(2)
        return _dense(attended, weights["Wo"], weights["bo"]).relu()


def _dense(inputs: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    return F.linear(inputs, kernel.T, bias)


def load(path: Path) -> DeepAtt:
    """Load the network from a file of weights, in evaluation mode.

    Raises:
        ArgumentError: if the file has other arrays than DeepAtt's.
    """
    try:
        tensors = dict(_read_keras(path)) if path.suffix == ".h5" else load_file(path)
    except SafetensorError as error:
        raise ArgumentError(f"{path}: is no whole safetensors file ({error}); give DeepAtt's weights") from error
    model = DeepAtt()
    expected = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    found = {name: tuple(weight.shape) for name, weight in tensors.items()}
    if wrong := sorted(name for name in expected | found if expected.get(name) != found.get(name)):
        raise ArgumentError(
            f"{path}: {wrong[0]} is {found.get(wrong[0], 'missing')}, not {expected.get(wrong[0], 'there')}; "
            "give DeepAtt's weights"
        )
    model.load_state_dict(tensors)
    return model.eval()


def mean(models: Sequence[DeepAtt]) -> DeepAtt:
    """Return the network whose weights are the mean of others', fine-tuned from one start, in evaluation mode."""
    averaged = DeepAtt()
    states = [model.state_dict() for model in models]
    averaged.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
    return averaged.eval()


def save(model: DeepAtt, path: Path) -> None:
    """Write the weights as safetensors, under the names that `load` reads."""
    with open_output(path) as file:
        file.write(serialize(model.state_dict()))


def _read_keras(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Read the weights of a Keras file, with names as in `SHAPES`."""
    import h5py  # needed for this format only

    arrays = {}
    with h5py.File(path) as file:
        weights = file.get("model_weights", file)
        weights.visititems(
            lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
        )
    layers = {name: _keras_layer(name) for name in arrays}
    dense = sorted({layer for layer in layers.values() if layer.startswith("dense")}, key=_number)
    renamed = dict(zip(dense, ("dense", "dense_1", "dense_2"), strict=False))
    for name, array in arrays.items():
        weight = name.rsplit("/", 1)[1].removesuffix(":0")
        if layers[name] == "attention":
            weight = weight[-2:]
        yield f"{renamed.get(layers[name], layers[name])}.{weight}", torch.from_numpy(array.astype(np.float32))


def _keras_layer(name: str) -> str:
    """Return the layer of a weight, without Keras's number unless it is one of the three layers `dense`.

    >>> _keras_layer("bidirectional_1/bidirectional_1/forward_lstm_1/lstm_cell/kernel:0"), _keras_layer("a/a_Wq:0")
    ('forward_lstm', 'attention')
    """
    *groups, weight = name.split("/")
    if re.search(r"[Wb][qkvo](:0)?$", weight):
        return "attention"
    group = next((group for group in groups if "ward_lstm" in group), groups[-1])
    return group if group.startswith("dense") else re.sub(r"_\d+$", "", group)


def _number(layer: str) -> int:
    return int(layer.partition("_")[2] or 0)


def one_hot(sequences: Sequence[str]) -> Tensor:
    """Encode the last 110 bp of each sequence, float32 (n, 110, 4), with zeros before shorter sequences.

    >>> one_hot(["ACGN"])[0].sum(1)[-5:].tolist()
    [0.0, 1.0, 1.0, 1.0, 0.0]
    """
    text = "".join(sequence[-LENGTH:].rjust(LENGTH) for sequence in sequences)
    letters = torch.frombuffer(bytearray(text, "ascii"), dtype=torch.uint8).view(len(sequences), LENGTH, 1)
    return (letters == torch.tensor(list(b"ACGT"))).float()


def one_hot_oligos(inserts: Tensor, lengths: Tensor) -> Tensor:
    """Encode inserts as `one_hot` encodes their oligos, float32 (n, 110, 4).

    Args:
        inserts: bases, int64 (n, longest), A C G T as 0 to 3, N and padding as 4.
        lengths: in bp, int64 (n,).
    """
    start, end = (
        torch.tensor(list(map(BASES.index, part))).expand(len(inserts), -1) for part in (OLIGO_START, OLIGO_END)
    )
    known = torch.cat([inserts.new_full((len(inserts), 1), 4), start.to(inserts), inserts, end.to(inserts)], 1)
    place = torch.arange(LENGTH, device=inserts.device)
    from_end = LENGTH - end.shape[1]
    column = (1 + start.shape[1] + lengths[:, None] + place - from_end).clamp(min=0)
    column = torch.where(place < from_end, column, known.shape[1] + place - LENGTH)
    return F.one_hot(known.gather(1, column), 5)[..., :4].float()


def middle_bases(lengths: Tensor) -> Tensor:
    """Return the base of the insert in the middle of what each place sees, int64 (n, 27); in bp, from 0."""
    place = torch.arange(PLACES, device=lengths.device)
    base = POOLED * place + _MIDDLE + lengths[:, None] + len(OLIGO_END) - LENGTH
    return torch.minimum(base.clamp(min=0), lengths[:, None] - 1)


@torch.inference_mode()
def predict(sequences: Sequence[str], model: DeepAtt) -> np.ndarray:
    """Predict the expression of oligos, float32 (n,), in the units of the network's weights."""
    batches = (one_hot(sequences[begin : begin + BATCH]) for begin in range(0, len(sequences), BATCH))
    return torch.cat([torch.empty(0), *map(model, batches)]).numpy()
