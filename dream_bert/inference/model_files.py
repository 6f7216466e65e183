"""Find the models that come with the package, and name the files of a model's folder."""

import errno
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..models.config_checks import check_config, check_layout, read_config

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
"""The models that come with the package, each in a folder of its name."""

DEFAULT_MODEL = CHECKPOINTS / "dream-promoter-bert"

_LAYOUT = ("stride", "context", "reading_frames", "max_position_embeddings")


def model_name(model: str | Path | None) -> str:
    """Resolve a model's name to a folder that exists or a Hub id.

    Args:
        model: folder, Hub id, or name of a model that comes with the package. Default: None, the BERT.

    Raises:
        FileNotFoundError: if it is neither a folder, nor such a name, nor of the form OWNER/NAME.
    """
    name = str(DEFAULT_MODEL if model is None else model)
    if name and Path(name).is_dir():
        return name
    shipped = {folder.name: str(folder) for folder in sorted(CHECKPOINTS.iterdir())}
    if name in shipped:
        return shipped[name]
    parts = name.split("/")
    # If there is a folder OWNER, then OWNER/NAME is a mistyped path and no repository of the Hub.
    is_path = isinstance(model, Path) or name.startswith((".", "~")) or len(parts) != 2 or Path(parts[0]).is_dir()
    if is_path or not all(parts):
        advice = f"give a folder, a Hub id OWNER/NAME, or one of {', '.join(shipped)}"
        raise FileNotFoundError(errno.ENOENT, f"no such model folder; {advice}", name)
    return name


def read_fields(path: Path) -> dict[str, Any]:
    """Read and check the fields of a `config.json` without transformers, among them all that `encode` and intervals
    need.

    Raises:
        ModelError: if it lacks a field of these, or a value has a wrong type or is out of range.
        OSError: if it cannot be read.
    """
    try:
        fields = {"model_type": "bert", "calibration": None, "insert_lengths": None} | read_config(path)
        check_config(fields)
        check_layout(*(fields[name] for name in _LAYOUT))
    except KeyError as error:
        raise ModelError(f"{path}: does not say {error}; export the model again") from error
    except ValueError as error:
        raise ModelError(str(error)) from error
    return fields


TRAINING_INFO = "training_info.json"
"""File with the record of the training run that made a folder's weights."""

EVALUATION = "evaluation.json"
"""File with the scores on the challenge's public leaderboard, as `dream-bert score --json` prints them."""

REPORT = "report.html"
"""File that `finetune` writes about a model."""

ONNX_FILES = {"onnx": "onnx/model.onnx", "onnx-int8": "onnx/model_int8.onnx"}
"""Path of each backend's graph in a model's folder."""
