"""How the shipped models learned: Pearson on held-out promoters along their training.

    python benchmarks/curves.py

Reads the `training_info.json` beside the weights and writes `docs/learning_curves.png`.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt

from dream_bert.prediction import CHECKPOINTS

PICTURE = Path(__file__).parents[1] / "docs" / "learning_curves.png"
LEARNED_FROM = {"dream-promoter-conv": "measurements", "dream-promoter-bert": "the convolutions' labels"}


def curve(model: str) -> tuple[list[float], list[float]]:
    """Thousands of promoters seen, repeats counted, and Pearson on held-out ones."""
    info = json.loads((CHECKPOINTS / model / "training_info.json").read_text())
    evaluations = {entry["step"]: entry["eval_pearson"] for entry in info["history"] if "eval_pearson" in entry}
    batch = info["training_arguments"]["per_device_train_batch_size"] * info["processes"]
    return [step * batch / 1000 for step in evaluations], list(evaluations.values())


def main() -> None:
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    for model, source in LEARNED_FROM.items():
        seen, pearson = curve(model)
        axes.plot(seen, pearson, marker=".", label=f"{model}, on {source}")
    axes.set_xlabel("thousand promoters seen")
    axes.set_ylabel("Pearson on held-out promoters")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(PICTURE, dpi=150)


if __name__ == "__main__":
    main()
