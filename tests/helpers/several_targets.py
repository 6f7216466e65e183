"""Small models of three targets, and measurements of them of which some are missing."""

import random
from pathlib import Path

import torch

from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamConvConfig, DreamConvForSequenceRegression
from dream_bert.inference.loading import RegressionModel
from dream_bert.models.target_fields import labels_of

NAMES = ["glucose", "galactose", "log2(gal/glu)"]
STATISTICS = dict(label_mean=[5.0, -50.0, 0.25], label_std=[1.0, 8.0, 0.5])
SIZES = {
    "bert": dict(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, stride=1, context=0
    ),
    "conv": dict(hidden_size=8, dilations=[1, 2], hidden_dropout_prob=0.0, motif_size=5),
}


def build(kind: str, names: list[str] = NAMES, **fields) -> RegressionModel:
    """A model with random weights that predicts the named targets."""
    torch.manual_seed(0)
    common = dict(max_position_embeddings=128, **labels_of(names)) | fields
    if kind == "bert":
        return BertForSequenceRegression(DreamBertConfig(initializer_range=0.3, **SIZES[kind] | common)).eval()
    model = DreamConvForSequenceRegression(DreamConvConfig(**SIZES[kind] | common)).eval()
    model.sixmers.view(-1, *6 * [5])[:, *6 * (slice(4),)].normal_(std=0.1)  # those with N stay 0
    return model


def write_measurements(path: Path, rows: int = 240, separator: str = "\t") -> list[tuple[str, list[float | None]]]:
    """Write a table of promoters whose targets follow their bases; every row lacks at most one. Return its rows."""
    draw, written = random.Random(rows), []
    for row in range(rows):
        insert = "".join(draw.choices("ACGT", k=60))
        of_gc, of_a = sum(map(insert.count, "GC")) / 60, insert.count("A") / 60
        labels: list[float | None] = [round(10 * of_gc, 3), round(-100 * of_gc + 20 * of_a, 2), round(4 * of_a, 3)]
        if row % 5 < 3:
            labels[row % 5] = None
        written.append((insert, labels))
    cells = [[insert, *("" if label is None else str(label) for label in labels)] for insert, labels in written]
    header = ["sequence", *NAMES]
    path.write_text("".join(separator.join(line) + "\n" for line in (header, *cells)))
    return written
