"""The models that come with the package, and the files of a model's folder."""

import errno
from pathlib import Path

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
"""The models that come with the package, each in a folder of its name."""


DEFAULT_MODEL = CHECKPOINTS / "dream-promoter-bert"


def model_name(model: str | Path | None) -> str:
    """A folder that exists, or a Hub id; the package's own models are found by their names.

    Raises:
        FileNotFoundError: if it is neither a folder, nor a shipped model's name, nor of the form OWNER/NAME.
    """
    name = str(DEFAULT_MODEL if model is None else model)
    if name and Path(name).is_dir():
        return name
    shipped = {folder.name: str(folder) for folder in sorted(CHECKPOINTS.iterdir())}
    if name in shipped:
        return shipped[name]
    parts = name.split("/")
    # OWNER/NAME beside a folder OWNER is a mistyped path, not a repository of the Hub.
    is_path = isinstance(model, Path) or name.startswith((".", "~")) or len(parts) != 2 or Path(parts[0]).is_dir()
    if is_path or not all(parts):
        advice = f"give a folder, a Hub id OWNER/NAME, or one of {', '.join(shipped)}"
        raise FileNotFoundError(errno.ENOENT, f"no such model folder; {advice}", name)
    return name


TRAINING_INFO = "training_info.json"
"""How the weights of a folder came about; training writes it."""


EVALUATION = "evaluation.json"
"""File of the scores on the challenge's public leaderboard, as `dream-bert score --json` prints them."""


ONNX_FILES = {"onnx": "onnx/model.onnx", "onnx-int8": "onnx/model_int8.onnx"}
"""Where a model's folder has the graph of a backend."""
