"""Rewrite `predictions.json`, what the shipped checkpoints say of fixed sequences. Look at its diff before it is kept.

python tests/golden/write.py
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from dream_bert import DreamBertForMaskedLM
from dream_bert.artifacts import CHECKPOINTS
from dream_bert.construct import check_insert
from dream_bert.encoding import encode
from dream_bert.prediction import predict
from dream_bert.simulate import simulate

FILE = Path(__file__).with_name("predictions.json")
MASKED_LM = CHECKPOINTS / "dream-promoter-bert-mlm"
RANDOM, LONGEST = 30, 128


def sequences() -> list[str]:
    """Fifty: oligos, inserts from 1 bp to the longest, of one base, of a repeat, with N, U and lower case."""
    oligos, _, _ = next(simulate(RANDOM, seed=7))
    draw = np.random.default_rng(7)
    lengths = (1, 2, 3, 4, 5, 10, 20, 40, 60, 79, 81, 100, LONGEST)
    others = ["".join(draw.choice(list("ACGT"), length)) for length in lengths]
    others += ["A" * 80, "GC" * 40, "N", "N" * 80, "ACGTN" * 16, "acgt" * 20, "ACGU" * 20]
    return [*oligos, *others]


def weights() -> dict[str, str]:
    """SHA-256 of the shipped weights by checkpoint."""
    return {
        folder.name: hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        for folder in sorted(CHECKPOINTS.iterdir())
    }


def to_inserts(sequences: list[str]) -> list[str]:
    return [check_insert(sequence, sequence) for sequence in sequences]


@torch.inference_mode()
def recognised(sequences: list[str]) -> list[float]:
    """The masked LM's mean logit of the very tokens that it reads, by sequence, none of them masked."""
    model = DreamBertForMaskedLM.from_pretrained(MASKED_LM).eval()
    means = []
    for insert in to_inserts(sequences):
        ids = torch.from_numpy(encode([insert], model.config)["input_ids"])
        means.append(model(ids).logits.gather(2, ids[..., None]).mean().item())
    return means


if __name__ == "__main__":
    texts = sequences()
    golden = {
        "weights": weights(),
        "rows": [
            {"sequence": text, "expression": round(float(value), 5), "recognised": round(logit, 5)}
            for text, value, logit in zip(texts, predict(texts), recognised(texts), strict=True)
        ],
    }
    FILE.write_text(json.dumps(golden, indent=1) + "\n")
