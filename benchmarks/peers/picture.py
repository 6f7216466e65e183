"""Draw accuracy against minutes of training, for all peers.

    python benchmarks/peers/picture.py

Reads `benchmarks/results/peers.json` and writes `docs/quality_against_minutes.png`.
"""

import json
from itertools import groupby
from pathlib import Path

import matplotlib.pyplot as plt
from train import RESULTS

PICTURE = Path(__file__).parents[2] / "docs" / "quality_against_minutes.png"
NAMES = {
    "shipped": "dream-promoter-bert",
    "ours": "dream-promoter-conv",
    "cnn": "plain convolutions",
    "legnet": "LegNet-like",
    "bert": "stock BERT, stock Trainer",
    "ridge": "ridge regression on 6-mers",
    "trees": "boosted trees on 6-mers",
}
SCORES = {
    "pearson": "Pearson r, all rows",
    "pearson_score": "DREAM Pearson score",
    "spearman_score": "DREAM Spearman score",
}

MINUTES = 1, 3, 10, 30, 120


def main() -> None:
    runs = sorted(json.loads(RESULTS.read_text()).values(), key=lambda run: (run["peer"], run["minutes"]))
    figure, panels = plt.subplots(1, len(SCORES), figsize=(10, 3.8), sharex=True, layout="constrained")
    peers = {peer: list(group) for peer, group in groupby(runs, key=lambda run: run["peer"])}
    for axes, (score, title) in zip(panels, SCORES.items(), strict=True):
        for peer, name in NAMES.items():
            if points := peers.get(peer):
                axes.plot([run["minutes"] for run in points], [run[score] for run in points], marker="o", label=name)
        axes.set_xscale("log")
        axes.set_xticks(MINUTES, labels=MINUTES)
        axes.minorticks_off()
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("minutes of training, two cores")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=3)
    figure.savefig(PICTURE, dpi=150)


if __name__ == "__main__":
    main()
