"""Gather the page, its libraries and the model in `space/dist`, which is the Space as it is uploaded.

npm --prefix space ci --ignore-scripts
python space/build.py
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import onnx

from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.inference.prediction import load_model
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
"""What the page needs of `node_modules`."""

MODEL = "model/model_int8.onnx"

DOWNLOADS = (
    "vendor/ort-wasm-simd-threaded.wasm",
    MODEL,
    "model/tokenizer.json",
    "model/tokenizer_config.json",
)
"""What the worker loads, in this order."""


class BuildError(ValueError):
    """A part of the page that is not there."""


def build(dist: Path = DIST, packages: Path = SPACE / "node_modules") -> None:
    """Write the page with the package's own checkpoint to `dist`, in place of what stood there.

    Raises:
        BuildError: if a library is not in `packages`.
    """
    libraries = [packages / name for name in LIBRARIES]
    if missing := [str(path) for path in libraries if not path.is_file()]:
        raise BuildError(f"{missing[0]}: is not there; run `npm --prefix space ci --ignore-scripts` first")
    with tempfile.TemporaryDirectory(dir=dist.parent, prefix=".dist.") as folder:
        page = Path(folder, "page")
        shutil.copytree(SPACE / "page", page)
        shutil.copy(EXAMPLES, page)
        shutil.copy(SPACE / "README.md", page)
        (page / "vendor").mkdir()
        for path in libraries:
            shutil.copy(path, page / "vendor")
        _add_model(page)
        shutil.rmtree(dist, ignore_errors=True)
        page.replace(dist)


def _add_model(page: Path) -> None:
    """Add the model, its tokenizer and `model.json`: what is to be downloaded, and which inserts the model knows."""
    (page / "model").mkdir()
    model = load_model()
    onnx.save(BertGraph(model, int8_weights=True).build(), page / MODEL)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(DEFAULT_MODEL / name, page / "model")
    facts = {
        "bytes": {path: (page / path).stat().st_size for path in DOWNLOADS},
        "longest": longest_insert(model.config),
        "insert_lengths": getattr(model.config, "insert_lengths", None) or [80, 80],
    }
    (page / "model.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    try:
        build()
    except (BuildError, OSError) as error:
        sys.exit(f"build.py: {error}")
    size = sum(path.stat().st_size for path in DIST.rglob("*") if path.is_file())
    print(f"{DIST}: {size / 1e6:.1f} MB")
