"""Draw accuracy against minutes of training, for all peers.

    python benchmarks/peers/picture.py

Reads `benchmarks/results/peers.json` and writes `docs/quality_against_minutes.png`.
"""

import json
import sys
from itertools import groupby
from pathlib import Path

import matplotlib.pyplot as plt

sys.path.insert(0, str(Path(__file__).parents[1]))
import drawing
import measuring

RESULTS = measuring.RESULTS / "peers.json"
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
    "pearson": "r of all rows",
    "pearson_score": "Pearson score",
    "spearman_score": "Spearman score",
}

MINUTES = 1, 3, 10, 30, 120


def main() -> None:
    runs = sorted(json.loads(RESULTS.read_text()).values(), key=lambda run: (run["peer"], run["minutes"]))
    plt.style.use(drawing.STYLE)
    figure, panels = plt.subplots(1, len(SCORES), figsize=(drawing.WIDTH, 4.4), sharex=True)
    peers = {peer: list(group) for peer, group in groupby(runs, key=lambda run: run["peer"])}
    for axes, (score, title) in zip(panels, SCORES.items(), strict=True):
        for place, (peer, name) in enumerate(NAMES.items()):
            if points := peers.get(peer):
                minutes, scores = ([run[key] for run in points] for key in ("minutes", score))
                axes.plot(minutes, scores, label=name, zorder=3 - place / len(NAMES))
        axes.set_xscale("log")
        axes.set_xticks(MINUTES, labels=MINUTES)
        axes.minorticks_off()
        axes.margins(x=0.1)
        axes.set_title(title)
        axes.grid(alpha=0.3)
    panels[1].set_xlabel("minutes of training on two cores")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(PICTURE)


if __name__ == "__main__":
    main()
