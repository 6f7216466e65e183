"""Rewrite `predictions.json`, what the shipped checkpoints say of fixed sequences. Look at its diff before it is kept.

python tests/project/golden/write.py
"""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax
from transformers import PreTrainedModel

from dream_bert import DreamBertConfig, DreamBertForMaskedLM
from dream_bert.data.simulate import simulate
from dream_bert.inference.model_files import CHECKPOINTS
from dream_bert.inference.prediction import predict
from dream_bert.sequence.construct import check_insert
from dream_bert.sequence.encoding import MASK, encode

FILE = Path(__file__).with_name("predictions.json")
MASKED_LM = CHECKPOINTS / "dream-promoter-bert-mlm"
CONV = CHECKPOINTS / "dream-promoter-conv"
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


def masked_losses(run: Callable[[dict[str, np.ndarray]], np.ndarray], sequences: list[str]) -> list[float]:
    """The masked LM's mean cross-entropy, in nats, at every fifth token, which is masked, by sequence.

    `run` gives logits, float32 (1, length, 130), of model inputs.
    """
    config = DreamBertConfig.from_pretrained(MASKED_LM)
    losses = []
    for insert in to_inserts(sequences):
        inputs = encode([insert], config)
        masked = np.s_[:, 1:-1:5]
        targets = inputs["input_ids"][masked].copy()
        inputs["input_ids"][masked] = MASK
        losses.append(-np.take_along_axis(log_softmax(run(inputs)[masked], 2), targets[..., None], 2).mean().item())
    return losses


@torch.inference_mode()
def in_torch(model: PreTrainedModel, inputs: dict[str, np.ndarray]) -> np.ndarray:
    return model(**{name: torch.from_numpy(array) for name, array in inputs.items()}).logits.numpy()


if __name__ == "__main__":
    texts = sequences()
    losses = masked_losses(partial(in_torch, DreamBertForMaskedLM.from_pretrained(MASKED_LM).eval()), texts)
    golden = {
        "weights": weights(),
        "rows": [
            {
                "sequence": text,
                "expression": round(float(value), 5),
                "conv_expression": round(float(conv), 5),
                "masked_loss": round(loss, 5),
            }
            for text, value, conv, loss in zip(texts, predict(texts), predict(texts, CONV), losses, strict=True)
        ],
    }
    FILE.write_text(json.dumps(golden, indent=1) + "\n")
