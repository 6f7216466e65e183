"""Define the models' base classes: loading from `model.safetensors` alone, and the loss in expression units."""

import math
from collections.abc import Container, Set
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import SAFE_WEIGHTS_NAME, cached_file

from .config_checks import find_file

MAX_HEADER = 2**20
"""Most bytes of the header that lists a file's tensors; 48 layers take 100 KiB."""

_FLOATS = ("F64", "F32", "F16", "BF16")
_HUB = ("cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder", "token")


class FromSafetensors:
    """Gives a model's class a `from_pretrained` that reads `config.json` and `model.safetensors`, and nothing else."""

    @classmethod
    def from_pretrained(
        cls, name: str | Path | None, *args: Any, config: PreTrainedConfig | None = None, **kwargs: Any
    ):
        """Load a model as transformers' `from_pretrained`, but refuse or ignore pickles, adapters and sharded weights.

        Args:
            name: folder or Hub id; None takes the weights from the argument `state_dict`.
            config: used instead of the folder's.
            **kwargs: as in stock `from_pretrained`.

        Raises:
            ValueError: if the configuration or the weights are not of this kind of model.
            OSError: if there is no such model.
        """
        if name is None:
            return super().from_pretrained(None, *args, config=config, **kwargs)
        hub = {key: kwargs.pop(key) for key in _HUB if key in kwargs}
        dtype = {key: kwargs.pop(key) for key in ("dtype", "torch_dtype") if key in kwargs}
        if not isinstance(config, PreTrainedConfig):
            place = name if config is None else config
            config, kwargs = cls.config_class.from_pretrained(place, return_unused_kwargs=True, **hub, **kwargs)
        weights = read_weights(_find(name, hub), cls, config, kwargs.get("ignore_mismatched_sizes", False))
        for unused in ("trust_remote_code", "use_safetensors"):
            kwargs.pop(unused, None)
        loaded = super().from_pretrained(None, *args, config=config, state_dict=weights, **dtype, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded
        model.name_or_path = model.config.name_or_path = str(name)
        return loaded


def read_weights(
    path: Path, kind: type[PreTrainedModel], config: PreTrainedConfig, ignore_mismatched_sizes: bool = False
) -> dict[str, Tensor]:
    """Read the tensors that a model expects, on the CPU.

    Names, types and shapes are compared before memory is taken. Unexpected names come back as empty tensors, so that
    loading reports them.

    Raises:
        ValueError: if the file is no complete safetensors file, or much larger than the model; if a tensor has another
            shape (unless `ignore_mismatched_sizes`) or no floating-point numbers; or if the file lacks more than half
            of the model's numbers, so that it differs from the model by more than its head.
    """
    with torch.device("meta"):
        shapes = {name: weight.shape for name, weight in kind(config).state_dict().items()}
    found = find_file(path)
    _check_size(path, sum(map(math.prod, shapes.values())))
    try:
        with safe_open(found, "pt") as file:
            keys = {_name(key, f"{kind.base_model_prefix}.", shapes): key for key in file.keys()}  # noqa: SIM118
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


def _find(name: str | Path, hub: dict[str, Any]) -> Path:
    """Find a model's `model.safetensors` in its folder, or fetch it from the Hub."""
    try:
        return Path(cached_file(name, SAFE_WEIGHTS_NAME, **hub))
    except OSError as error:
        if "does not appear to have a file" not in str(error):
            raise
        raise ValueError(
            f"{name}: has no {SAFE_WEIGHTS_NAME}; pickles such as pytorch_model.bin are not opened, as they can run "
            "code: if you trust it, load it with stock transformers, and save it with save_pretrained"
        ) from error


class PredictsExpression:
    """Base of models with `config.label_mean`, `config.label_std`, and a linear `classifier` of an output a target."""

    def squared_errors(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute squared errors, float32 as `labels`, in units of the variance of each target's training labels.

        Args:
            logits: (n, targets), in expression units.
            labels: (n,) if there is one target, or (n, targets), in expression units.
        """
        std = self.config.label_std
        std = torch.tensor(std, device=logits.device) if isinstance(std, list) else std
        return ((logits.float().view(labels.shape) - labels.float()) / std).square()

    def mean_squared_error(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the mean of `squared_errors` over the labels that were measured, which are not NaN."""
        measured = ~labels.isnan()
        # A label of NaN would make the gradient NaN, even where its error is left out of the mean.
        known = labels.where(measured, logits.detach().view(labels.shape).to(labels))
        return self.squared_errors(logits, known).sum() / measured.sum()

    @torch.no_grad()
    def set_label_statistics(self, mean: float | list[float], std: float | list[float]) -> None:
        """Scale an untrained output layer to the labels' mean and standard deviation, in expression units.

        The loss is then that of standardised labels, while the model predicts expression units in any loader.

        Args:
            mean, std: of the labels; a list of one number for each of several targets.
        """
        self.config.label_mean, self.config.label_std = mean, std
        weight, bias = self.classifier.weight, self.classifier.bias
        weight.mul_(torch.tensor(std).view(-1, 1).to(weight))
        bias.copy_(torch.tensor(mean).expand(len(bias)))
