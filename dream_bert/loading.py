"""Load a model whose weights are all there."""

from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from .prediction import ModelError


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
