"""Collect the page, its libraries and the model in `space/dist`, the folder to upload as a Space.

npm --prefix space ci --ignore-scripts
python space/build.py
"""

import json
import shutil
import sys
from pathlib import Path

import onnx

from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.io.output import new_folder
from dream_bert.onnx_graphs.bert_graph import BertGraph
from dream_bert.sequence.encoding import longest_insert

SPACE = Path(__file__).parent
DIST = SPACE / "dist"
EXAMPLES = SPACE.parent / "examples" / "promoters.fa"
LIBRARIES = (
    "onnxruntime-web/dist/ort.wasm.min.mjs",
    "onnxruntime-web/dist/ort-wasm-simd-threaded.mjs",
    "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
    "@huggingface/tokenizers/dist/tokenizers.min.mjs",
)
"""The files of `node_modules` that the page needs."""

MODEL = "model/model_int8.onnx"

DOWNLOADS = (
    "vendor/ort-wasm-simd-threaded.wasm",
    MODEL,
    "model/tokenizer.json",
    "model/tokenizer_config.json",
)
"""The files that the worker downloads, in this order."""


class BuildError(ValueError):
    """A missing part of the page."""


def build(dist: Path = DIST, packages: Path = SPACE / "node_modules") -> None:
    """Write the page with the package's own checkpoint to `dist`, replacing what is there.

    Raises:
        BuildError: if a library is not in `packages`.
        OSError: if `dist` cannot be written.
    """
    libraries = [packages / name for name in LIBRARIES]
    if missing := [str(path) for path in libraries if not path.is_file()]:
        raise BuildError(f"{missing[0]}: is missing; run `npm --prefix space ci --ignore-scripts` first")
    with new_folder(dist, replace=True) as page:
        shutil.copytree(SPACE / "page", page, dirs_exist_ok=True)
        shutil.copy(EXAMPLES, page / "examples" / "predict.fa")
        shutil.copy(SPACE / "README.md", page)
        (page / "vendor").mkdir()
        for path in libraries:
            shutil.copy(path, page / "vendor")
        _add_model(page)


def _add_model(page: Path) -> None:
    """Add the model, its tokenizer and `model.json`, which lists the downloads and the lengths of inserts."""
    (page / "model").mkdir()
    model = load_model(DEFAULT_MODEL)
    onnx.save(BertGraph(model, int8_weights=True).build(), page / MODEL)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(DEFAULT_MODEL / name, page / "model")
    facts = {
        "bytes": {path: (page / path).stat().st_size for path in DOWNLOADS},
        "longest": longest_insert(model.config),
        "insert_lengths": getattr(model.config, "insert_lengths", None) or [80, 80],
        "calibration": model.config.calibration,
    }
    (page / "model.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    try:
        build()
    except (BuildError, OSError) as error:
        sys.exit(f"build.py: {error}")
    size = sum(path.stat().st_size for path in DIST.rglob("*") if path.is_file())
    print(f"{DIST}: {size / 1e6:.1f} MB")
