"""Predict with a model's exported graph in ONNX Runtime, without torch."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ..errors import GraphError, ModelError
from ..models.config_checks import read_bytes
from .model_files import ONNX_FILES, read_fields
from .predictor import BATCH_SIZE


class OnnxModel:
    """A model's ONNX file, which predicts expression from the model's inputs.

    Args:
        name: folder or Hub id of an exported model, as `model_name` returns it.
        backend: `onnx`, float32, or `onnx-int8`.

    Raises:
        ModelError: if ONNX Runtime is not installed, or if the file is missing, damaged, or differs from what `export`
            writes for the folder's `config.json`.
        OSError: if there is no such model.
    """

    batch_size = BATCH_SIZE

    def __init__(self, name: str, backend: str):
        try:
            import onnxruntime

            from .onnx_check import check_graph, most_bytes
        except ImportError as error:
            message = f"backend {backend!r} needs {error.name}; pip install 'dream-promoter-bert[onnx]'"
            raise ModelError(message) from error
        folder = Path(name) if Path(name).is_dir() else _download(name, ONNX_FILES[backend])
        self._path = folder / ONNX_FILES[backend]
        if not self._path.is_file():
            raise ModelError(
                f"{name}: has no {ONNX_FILES[backend]}; make it: dream-bert export -o FOLDER --model {name}"
            )
        fields = read_fields(folder / "config.json")
        self.config = SimpleNamespace(**fields)
        try:
            content = read_bytes(self._path, most_bytes(fields), folder)
            check_graph(content, fields, int8=backend == "onnx-int8")
        except GraphError as error:
            raise ModelError(f"{self._path}: {error}; export it again with `dream-bert export`") from error
        except KeyError as error:
            raise ModelError(f"{folder / 'config.json'}: does not say {error}; export the model again") from error
        except ValueError as error:
            raise ModelError(str(error)) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = _threads()
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have no other common base
            message = "is no ONNX model that this ONNX Runtime reads; export it again with `dream-bert export`"
            raise ModelError(f"{self._path}: {message}") from error

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Predict expression, float32 (n, targets), from inputs as `encode` returns them; reading frames are averaged.

        Raises:
            ModelError: if ONNX Runtime cannot compute it.
        """
        rows = len(inputs["input_ids"])
        inputs = {name: array.reshape(-1, array.shape[-1]) for name, array in inputs.items()}
        try:
            (logits,) = self._session.run(["logits"], inputs)
            return logits.reshape(rows, -1, logits.shape[1]).mean(1)
        except Exception as error:
            raise ModelError(f"{self._path}: cannot be computed; export it again with `dream-bert export`") from error


def _threads() -> int:
    """Return how many threads `OMP_NUM_THREADS` allows, which launchers set for their processes; 0: one a core.

    Torch follows that variable by itself, ONNX Runtime does not.
    """
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return int(allowed) if allowed.isdecimal() else 0


def _download(name: str, file: str) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name, allow_patterns=["config.json", file]))
