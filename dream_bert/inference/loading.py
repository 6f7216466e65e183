"""Load a model of its class, whose weights are all there."""

from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from ..errors import ModelError
from ..models.configuration_dna import DnaConfig
from ..models.modeling_dream_bert import BertForSequenceRegression
from ..models.modeling_dream_conv import DreamConvForSequenceRegression

RegressionModel = BertForSequenceRegression | DreamConvForSequenceRegression

REGRESSION_MODELS = {kind.config_class.model_type: kind for kind in RegressionModel.__args__}
"""By the `model_type` of their configuration."""


def regression_class(name: str | Path, **kwargs: Any) -> type[RegressionModel]:
    """The class that predicts expression with the weights of a folder or Hub id, by the `model_type` of its file.

    Args:
        **kwargs: of `from_pretrained`.

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
    """A model that predicts expression; arguments and errors as in `load_complete`."""
    try:
        kind = regression_class(name, **kwargs)
    except ValueError as error:
        raise ModelError(str(error)) from error
    return load_complete(kind, name, **kwargs)


def load_complete(kind: type[PreTrainedModel], name: str | Path, **kwargs: Any) -> PreTrainedModel:
    """A model of a folder or Hub id, on the CPU unless `kwargs` say otherwise.

    Args:
        kind: the model's class.
        name: folder or Hub id.
        **kwargs: of `from_pretrained`.

    Raises:
        ModelError: if the checkpoint is not of such a model, or lacks weights that `kind` has: loading would fill them
            with random numbers.
        OSError: if there is no such model.
    """
    try:
        model, info = kind.from_pretrained(name, output_loading_info=True, ignore_mismatched_sizes=True, **kwargs)
    except ValueError as error:
        raise ModelError(str(error)) from error
    if lacking := sorted({*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])}):
        raise ModelError(f"{name}: has no fitting weights for {', '.join(lacking)}; give a trained {kind.__name__}")
    return model
