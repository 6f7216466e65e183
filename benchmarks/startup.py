"""Time the first answer: `dream-bert --help`, and each part of one prediction in a fresh process.

    python benchmarks/startup.py [--repeats 5]

Each measurement is a new process of this Python; variants run in turns. Writes `benchmarks/results/startup.json`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measuring
import numpy as np

from dream_bert.inference.model_files import DEFAULT_MODEL

SEQUENCE = "TCTGGAATCGAAATTCCGTTGGAAAAATTCGCTTTGTAGTGAAAAATAAAGATGTCAATAAAGGGTATTGAGAATTTCCA"

CLOCK = """
import json, sys, time
marks = [("", time.perf_counter())]
def mark(name):
    marks.append((name, time.perf_counter()))
{body}
parts = dict((name, end - begin) for (_, begin), (name, end) in zip(marks, marks[1:]))
print(json.dumps(parts))
"""

STOCK = """
import torch
mark("import torch")
from transformers import AutoModelForSequenceClassification, AutoTokenizer
mark("import transformers")
tokenizer = AutoTokenizer.from_pretrained({model!r})
model = AutoModelForSequenceClassification.from_pretrained({model!r})
mark("load")
with torch.inference_mode():
    model(**tokenizer([{sequence!r}], return_tensors="pt")).logits
mark("predict one")
"""

TORCH = """
import torch
mark("import torch")
from dream_bert.inference.prediction import load_predictor
mark("import dream_bert")
predict = load_predictor({model!r})
mark("load")
predict([{sequence!r}])
mark("predict one")
"""

ONNX = """
import onnxruntime
mark("import onnxruntime")
from dream_bert.inference.prediction import predict
from dream_bert.inference.onnx_backend import OnnxModel
mark("import dream_bert")
predict([{sequence!r}], {model!r}, backend={backend!r})
mark("load, predict one")
"""


def parts(body: str, **values: str) -> dict[str, float]:
    """Run a script in a fresh process; return the seconds of each part and of the whole process."""
    begin = time.perf_counter()
    script = CLOCK.format(body=body.format(sequence=SEQUENCE, **values))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1]) | {"whole process": time.perf_counter() - begin}


def help_seconds() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dream_bert.cli.main", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as scratch:
        exported = Path(scratch, "exported")
        subprocess.run([sys.executable, "-m", "dream_bert.cli.main", "export", "-o", exported], check=True)
        variants = {
            "stock transformers": (STOCK, dict(model=str(DEFAULT_MODEL))),
            "torch": (TORCH, dict(model=str(DEFAULT_MODEL))),
            "onnx": (ONNX, dict(model=str(exported), backend="onnx")),
            "onnx-int8": (ONNX, dict(model=str(exported), backend="onnx-int8")),
        }
        measured = {name: [] for name in variants}
        helps = []
        for _ in range(repeats):
            helps.append(help_seconds())
            for name, (body, values) in variants.items():
                measured[name].append(parts(body, **values))
    result = {
        "machine": measuring.machine("torch", "transformers", "onnxruntime"),
        "help": measuring.spread(helps),
        "first_prediction": {
            name: {part: measuring.spread([run[part] for run in runs]) for part in runs[0]}
            for name, runs in measured.items()
        },
    }
    print(result["machine"])
    print("dream-bert --help: {median:.2f} s ({min:.2f} to {max:.2f})".format(**result["help"]))
    rows = [
        [name, ", ".join(f"{part} {spread['median']:.2f}" for part, spread in entry.items())]
        for name, entry in result["first_prediction"].items()
    ]
    print(measuring.table(["first prediction", "median seconds"], rows))
    whole = {name: np.median([run["whole process"] for run in runs]) for name, runs in measured.items()}
    print({name: f"{whole['stock transformers'] / seconds:.2f} x stock" for name, seconds in whole.items()})
    measuring.write(__file__, result)


if __name__ == "__main__":
    main()
