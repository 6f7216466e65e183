"""Score predictions on the challenge's public leaderboard, a folder with `labels.tsv` and `subsets.json`."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dream_bert.metrics.dream_score import score


class PublicLeaderboard:
    """Sequences, official row numbers, measured expression, float64 (n,), and the subsets' members."""

    def __init__(self, folder: Path):
        with open(folder / "labels.tsv", newline="") as file:
            labels = list(csv.DictReader(file, delimiter="\t"))
        self.sequences = [label["sequence"] for label in labels]
        self.rows = [int(label["row"]) for label in labels]
        self.measured = np.array([float(label["expression"]) for label in labels])
        self.subsets = json.loads((folder / "subsets.json").read_text())

    def score(self, predicted: Sequence[float]) -> dict:
        """Compute the DREAM score of predictions in the order of `sequences`."""
        return score(predicted, self.measured, self.rows, self.subsets)
