"""Define the models' base classes: loading from `model.safetensors` alone, and the loss in expression units."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedConfig
from transformers.utils import SAFE_WEIGHTS_NAME, cached_file

from .weights import read_weights

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
        with torch.device("meta"):
            expected = cls(config).state_dict()
        prefix, may_differ = f"{cls.base_model_prefix}.", kwargs.get("ignore_mismatched_sizes", False)
        weights = read_weights(_find(name, hub), expected, prefix, may_differ)
        for unused in ("trust_remote_code", "use_safetensors"):
            kwargs.pop(unused, None)
        loaded = super().from_pretrained(None, *args, config=config, state_dict=weights, **dtype, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded
        model.name_or_path = model.config.name_or_path = str(name)
        return loaded


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
