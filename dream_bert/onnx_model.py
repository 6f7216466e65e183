"""A model's exported graph in ONNX Runtime; it needs no torch."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from .prediction import BATCH_SIZE, ModelError
from .untrusted import check_config, check_layout, read_config

FILES = {"onnx": "onnx/model.onnx", "onnx-int8": "onnx/model_int8.onnx"}
"""Where a model's folder has the graph of a backend."""


class OnnxModel:
    """Expression from model inputs, by one of a folder's ONNX files.

    Args:
        name: folder or Hub id of an exported model.
        backend: `onnx`, float32, or `onnx-int8`.

    Raises:
        ModelError: if ONNX Runtime is not installed, or the file is missing or damaged or gives no expression.
        OSError: if there is no such model.
    """

    batch_size = BATCH_SIZE

    def __init__(self, name: str, backend: str):
        try:
            import onnxruntime
        except ImportError as error:
            message = f"backend {backend!r} needs onnxruntime; pip install 'dream-promoter-bert[onnx]'"
            raise ModelError(message) from error
        folder = Path(name) if Path(name).is_dir() else _download(name, FILES[backend])
        path = folder / FILES[backend]
        if not path.is_file():
            raise ModelError(f"{name}: has no {FILES[backend]}; make it: dream-bert export -o FOLDER --model {name}")
        self.config = _layout(folder / "config.json")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no other base
            raise ModelError(f"{path}: is no ONNX model that this ONNX Runtime reads; export it anew") from error
        takes = {entry.name: entry.type for entry in self._session.get_inputs()}
        gives = [(entry.name, entry.shape[1:]) for entry in self._session.get_outputs()]
        if takes != dict.fromkeys(("input_ids", "attention_mask"), "tensor(int64)") or gives != [("logits", [1])]:
            raise ModelError(f"{name}: gives no expression; give a model trained on expression")

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Expression, float32 (n,), from inputs as `encode` gives them; reading frames are averaged."""
        rows = len(inputs["input_ids"])
        inputs = {name: array.reshape(-1, array.shape[-1]) for name, array in inputs.items()}
        (logits,) = self._session.run(["logits"], inputs)
        return logits.reshape(rows, -1).mean(1)


def _layout(path: Path) -> SimpleNamespace:
    """Read what `encode` and intervals need of a model's configuration."""
    try:
        fields = read_config(path)
        check_config(fields)
        layout = {name: fields[name] for name in ("stride", "context", "reading_frames", "max_position_embeddings")}
        check_layout(fields["k"], *layout.values())
        layout |= {name: fields.get(name) for name in ("calibration", "insert_lengths")}
    except KeyError as error:
        raise ModelError(f"{path}: does not say {error}; export the model anew") from error
    except ValueError as error:
        raise ModelError(str(error)) from error
    return SimpleNamespace(**layout)


def _download(name: str, file: str) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, allow_patterns=["config.json", file]))
