"""Rows of promoters to prepare, what a prepared folder holds of them, and changes to its files."""

import json
import random
from pathlib import Path

import numpy as np

from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.manifest import read_manifest
from dream_bert.sequence.construct import to_oligo

SHARES = {"mlm_validation": 0.1, "validation": 0.2, "test": 60}
"""Rows that are held out of 500."""


def make_rows(count: int, seed: int = 0) -> list[tuple[str, float]]:
    """Return inserts, every other a repeat of one before, with labels of which many are equal."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        insert = "".join(draw.choices("ACGTN", k=draw.randint(1, 90)))
        if number % 2:
            insert = draw.choice(rows)[0]
        rows.append((insert, draw.choice([draw.randint(0, 17), round(draw.uniform(0, 17), 4)])))
    return rows


def write_rows(path: Path, rows: list[tuple[str, float]]) -> Path:
    path.write_text("".join(f"{to_oligo(insert)}\t{expression}\n" for insert, expression in rows))
    return path


def inserts_of(dataset: PromoterDataset) -> list[str]:
    return dataset.rows(np.arange(len(dataset)))[0]


def labels_of(dataset: PromoterDataset) -> list[float]:
    return dataset.rows(np.arange(len(dataset)))[1].tolist()


def edit(folder: Path, change) -> None:
    """Change the manifest by a function of the manifest and of the first shard of `mlm/train` in it."""
    manifest = read_manifest(folder)
    change(manifest, manifest["stages"]["mlm"]["train"]["shards"][0])
    (folder / "manifest.json").write_text(json.dumps(manifest))


def remove(path: Path) -> Path:
    """Delete a file, so that maps of it keep their bytes, and return its path."""
    path.unlink()
    return path
