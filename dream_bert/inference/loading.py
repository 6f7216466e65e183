"""Load models for prediction; checkpoints that lack weights are refused."""

from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from ..errors import ModelError
from ..models.configuration_dna import DnaConfig
from ..models.modeling_dream_bert import BertForSequenceRegression
from ..models.modeling_dream_conv import DreamConvForSequenceRegression

RegressionModel = BertForSequenceRegression | DreamConvForSequenceRegression

REGRESSION_MODELS = {kind.config_class.model_type: kind for kind in RegressionModel.__args__}
"""The classes that predict expression, by the `model_type` of their configuration."""


def regression_class(name: str | Path, **kwargs: Any) -> type[RegressionModel]:
    """Return the class of the model in a folder or Hub id, by the `model_type` in its `config.json`.

    Args:
        name: folder or Hub id.
        **kwargs: as in `from_pretrained`.

    Raises:
        ValueError, OSError: if there is no model, or its `config.json` cannot be read.
    """
    try:
        fields, _ = DnaConfig.get_config_dict(name, **kwargs)
    except OSError as error:
        if Path(name).is_dir() or str(name) in str(error):
            raise
        raise OSError(f"{name}: is no folder here, and cannot be fetched from the Hub ({error})") from error
    return REGRESSION_MODELS.get(str(fields.get("model_type")), BertForSequenceRegression)


def load_regression(name: str | Path, **kwargs: Any) -> RegressionModel:
    """Load a model that predicts expression, on the CPU; arguments and errors as in `load_complete`."""
    try:
        kind = regression_class(name, **kwargs)
    except ValueError as error:
        raise ModelError(str(error)) from error
    return load_complete(kind, name, **kwargs)


def load_model(name: str | Path) -> RegressionModel:
    """Load a model that predicts expression, on the accelerator if there is one; errors as in `load_complete`."""
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    return load_regression(name).to(device)


def load_complete(kind: type[PreTrainedModel], name: str | Path, **kwargs: Any) -> PreTrainedModel:
    """Load a model from a folder or Hub id, on the CPU unless `kwargs` say otherwise.

    Args:
        kind: the model's class.
        name: folder or Hub id, as `model_name` returns it.
        **kwargs: as in `from_pretrained`.

    Raises:
        ModelError: if the checkpoint is of another kind, or lacks weights, which transformers would fill with random
            numbers.
        OSError: if there is no such model.
    """
    try:
        model, info = kind.from_pretrained(name, output_loading_info=True, ignore_mismatched_sizes=True, **kwargs)
    except ValueError as error:
        raise ModelError(str(error)) from error
    if lacking := sorted({*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])}):
        raise ModelError(f"{name}: has no fitting weights for {', '.join(lacking)}; give a trained {kind.__name__}")
    return model
