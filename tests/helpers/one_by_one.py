"""Predictions one sequence at a time: the reference for batches, chunks and files."""

import numpy as np
import torch

from dream_bert.sequence.encoding import encode

LAYOUT = dict(stride=1, context=0, max_position_embeddings=128)
"""The layout of the models that predict `mixed_inserts`."""


def mixed_inserts() -> list[str]:
    """Make ten random inserts of mixed length, 1 to 126 bp."""
    rng = np.random.default_rng(1)
    return ["".join(rng.choice(list("ACGTN"), size=length)) for length in [80, 3, 126, 1, 80, 79, 80, 2, 100, 81]]


def one_by_one(inserts, model):
    with torch.inference_mode():
        outputs = [model(**{k: torch.tensor(v) for k, v in encode([i], model.config).items()}) for i in inserts]
    return np.array([output.logits.item() for output in outputs])
