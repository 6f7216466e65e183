"""Tables of a made-up assay, and a fine-tuning on them that takes two epochs."""

from pathlib import Path

import numpy as np
import pytest

from dream_bert.training import finetune


def promoters(rows: int, length: int = 80, seed: int = 0) -> list[tuple[str, float]]:
    """Return random inserts with labels: a quarter of their number of A, with noise."""
    random = np.random.default_rng(seed)
    inserts = ["".join(random.choice(list("ACGT"), size=length - int(random.integers(3)))) for _ in range(rows)]
    return [(insert, insert.count("A") / 4 + random.normal(scale=0.3)) for insert in inserts]


def write(path: Path, rows: list[tuple[str, object]], header: str = "sequence\tactivity") -> Path:
    path.write_text("\n".join([header, *(f"{insert}\t{label}" for insert, label in rows)]) + "\n")
    return path


def shorten(patch: pytest.MonkeyPatch) -> None:
    """Let fine-tuning take two epochs."""
    chosen = finetune.choose_recipe
    patch.setattr(finetune, "choose_recipe", lambda *args: chosen(*args)._replace(epochs=2, learning_rate=1e-3))
