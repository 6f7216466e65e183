"""Read a model's `model.safetensors`, which may be anyone's."""

import math
from collections.abc import Container, Set
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .config_checks import find_file

MAX_HEADER = 2**20
"""Most bytes of the header that lists a file's tensors; 48 layers take 100 KiB."""

_FLOATS = ("F64", "F32", "F16", "BF16")


def read_weights(
    path: Path, expected: dict[str, Tensor], prefix: str, ignore_mismatched_sizes: bool = False
) -> dict[str, Tensor]:
    """Read the tensors that a model expects, on the CPU.

    Names, types and shapes are compared before memory is taken. Unexpected names come back as empty tensors, so that
    loading reports them.

    Args:
        path: the file.
        expected: tensors of the model by name, whose shapes alone count: they may be on the device `meta`.
        prefix: of the encoder's names, which an encoder that was saved alone lacks.
        ignore_mismatched_sizes: leave out tensors of another shape.

    Raises:
        ValueError: if the file is no complete safetensors file, or much larger than the model; if a tensor has another
            shape (unless `ignore_mismatched_sizes`) or no floating-point numbers; or if the file lacks more than half
            of the model's numbers, so that it differs from the model by more than its head.
    """
    shapes = {name: weight.shape for name, weight in expected.items()}
    found = find_file(path)
    _check_size(path, sum(map(math.prod, shapes.values())))
    try:
        with safe_open(found, "pt") as file:
            keys = {_name(key, prefix, shapes): key for key in file.keys()}  # noqa: SIM118
            slices = {name: file.get_slice(key) for name, key in keys.items() if name in shapes}
            fitting = {name for name, entry in slices.items() if tuple(entry.get_shape()) == shapes[name]}
            if not ignore_mismatched_sizes:
                _check_lacking(path, slices.keys() - fitting)
            if 2 * sum(math.prod(shapes[name]) for name in fitting) < sum(map(math.prod, shapes.values())):
                _check_lacking(path, shapes.keys() - fitting)
            for name in fitting:
                if (dtype := slices[name].get_dtype()) not in _FLOATS:
                    raise ValueError(f"{path}: {name} is of type {dtype}; give one of {', '.join(_FLOATS)}")
            return {
                name: file.get_tensor(keys[name]) if name in fitting else torch.empty(0)
                for name in keys
                if name in fitting or name not in shapes
            }
    except SafetensorError as error:
        raise ValueError(f"{path}: is no whole safetensors file ({error}); fetch or export it again") from error


def _check_lacking(path: Path, names: Set[str]) -> None:
    if names:
        some, more = ", ".join(sorted(names)[:5]), f" and {len(names) - 5} more" if len(names) > 5 else ""
        raise ValueError(f"{path}: has no fitting weights for {some}{more}; give it the config.json of the same model")


def _check_size(path: Path, numbers: int) -> None:
    """Check the size of a file and of its header before the file is mapped into memory."""
    if path.stat().st_size > MAX_HEADER + 16 * numbers:
        raise ValueError(f"{path}: is far larger than config.json says ({numbers:,} numbers); export it again")
    with path.open("rb") as file:
        if int.from_bytes(file.read(8), "little") > MAX_HEADER:
            raise ValueError(
                f"{path}: lists more tensors than such models have, or is no safetensors file; export it again"
            )


def _name(key: str, prefix: str, shapes: Container[str]) -> str:
    """Return a tensor's name in the model: encoders may be saved alone, and old layer norms have other names."""
    key = key.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
    return next((name for name in (key, prefix + key, key.removeprefix(prefix)) if name in shapes), key)
