"""Draw how the shipped models learned: Pearson r on held-out promoters during training.

    python benchmarks/curves.py

Reads the `training_info.json` beside the weights and writes `docs/learning_curves.png`.
"""

import json
from pathlib import Path

import drawing
import matplotlib.pyplot as plt

from dream_bert.hub.card import lineage
from dream_bert.inference.model_files import CHECKPOINTS

PICTURE = Path(__file__).parents[1] / "docs" / "learning_curves.png"
LINES = {
    "dream-promoter-conv": ["dream-promoter-conv"],
    "dream-promoter-bert": [
        "dream-promoter-bert, on the labels of the convolutions",
        "then on measurements (the first of five runs)",
    ],
}
"""The trainings of each model, in their order."""


def curve(info: dict) -> tuple[list[float], list[float]]:
    """Return thousands of promoters seen, repeats counted, and Pearson r on held-out promoters."""
    evaluations = {entry["step"]: entry["eval_pearson"] for entry in info["history"] if "eval_pearson" in entry}
    batch = info["training_arguments"]["per_device_train_batch_size"] * info["processes"]
    return [step * batch / 1000 for step in evaluations], list(evaluations.values())


def main() -> None:
    plt.style.use(drawing.STYLE)
    figure, axes = plt.subplots(figsize=(drawing.WIDTH, 4.2))
    for model, labels in LINES.items():
        begin = 0
        info = json.loads((CHECKPOINTS / model / "training_info.json").read_text())
        for label, training in zip(labels, reversed(lineage(info)), strict=True):
            seen, pearson = curve(training)
            axes.plot([begin + thousands for thousands in seen], pearson, markersize=4, label=label)
            begin += seen[-1]
    axes.set_xlabel("promoters seen (thousands)")
    axes.set_ylabel("Pearson's r on held-out promoters")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(PICTURE)


if __name__ == "__main__":
    main()
