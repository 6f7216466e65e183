"""Name a model in outputs, with a hash of its weights."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .model_files import ONNX_FILES, model_name
from .predictor import Predictor

if TYPE_CHECKING:
    from .loading import RegressionModel

WEIGHTS = "model.safetensors"
"""Weights of a model's folder, for the backend `torch`."""


class Origin(NamedTuple):
    """The name of a folder or Hub id, a backend, and the SHA-256 of the weights' file, 64 hex digits."""

    name: str
    backend: str
    weights: str


def find_origin(model: "RegressionModel | Predictor | str | Path | None" = None, backend: str = "torch") -> Origin:
    """Return where predictions come from.

    Args:
        model, backend: as of `predict`. The hash of a loaded model is that of its parameters in the order of their
            names, and a `Predictor` has none.

    Raises:
        OSError: if there is no such model.
    """
    if isinstance(model, Predictor):
        return Origin(type(model).__name__, backend, "unknown")
    if model is not None and not isinstance(model, str | Path):
        digest = hashlib.sha256()
        for _, tensor in sorted(model.state_dict().items()):
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return Origin(type(model).__name__, backend, digest.hexdigest())
    name = model_name(model)
    file = ONNX_FILES.get(backend, WEIGHTS)
    if Path(name).is_dir():
        path, name = Path(name, file), Path(name).resolve().name
    else:
        from huggingface_hub import hf_hub_download

        path = Path(hf_hub_download(name, file))
    with path.open("rb") as stream:
        return Origin(name, backend, hashlib.file_digest(stream, "sha256").hexdigest())
