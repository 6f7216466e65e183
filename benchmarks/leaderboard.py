"""Score the shipped models on the challenge's public leaderboard, and draw a picture.

    python benchmarks/leaderboard.py public_leaderboard dream_train_sample.txt.gz

Writes `benchmarks/results/leaderboard.json`, each model's part of it as `evaluation.json` beside its weights (for the
model card), and `docs/measured_against_predicted.png`.

The second file holds noisy rows of the challenge's training data, from which neither model learned; Pearson r on them
is reported too. Promoters with even row numbers calibrate the intervals, the others measure their coverage.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import drawing
import matplotlib.pyplot as plt
import measuring
import numpy as np
from public_leaderboard import PublicLeaderboard

from dream_bert.inference.model_files import CHECKPOINTS
from dream_bert.inference.prediction import predict
from dream_bert.io.reader import read_records
from dream_bert.metrics.dream_score import PAIRED
from dream_bert.metrics.files import format_scores
from dream_bert.training.calibration import calibrate, rescale

PICTURE = Path(__file__).parents[1] / "docs" / "measured_against_predicted.png"
MODELS = ("dream-promoter-bert", "dream-promoter-conv")
LEVEL = 0.9
DRAWN = ("random", "high", "challenging", "low", "yeast")
"""Subsets in colour, in the order in which they are drawn."""


def picture(leaderboard: PublicLeaderboard, predictions: dict[str, np.ndarray], results: dict[str, dict]) -> None:
    """Draw measured against predicted expression, one panel for each model, with some subsets in colour."""
    at = {row: i for i, row in enumerate(leaderboard.rows)}
    plt.style.use(drawing.STYLE)
    figure, panels = plt.subplots(1, len(predictions), figsize=(drawing.WIDTH, 4.6), sharex=True, sharey=True)
    for axes, (model, predicted) in zip(panels, predictions.items(), strict=True):
        dots = dict(linewidths=0, rasterized=True)
        everywhere = f"all ({len(predicted):,})"
        axes.scatter(predicted, leaderboard.measured, s=4, color="#bbbbbb", marker=".", label=everywhere, **dots)
        for name, colour, marker in zip(DRAWN, drawing.COLOURS, drawing.MARKERS, strict=False):
            rows = [at[row] for row in leaderboard.subsets[name]]
            label = f"{name} ({len(rows)})"
            values = predicted[rows], leaderboard.measured[rows]
            axes.scatter(*values, s=9, color=colour, marker=marker, label=label, **dots)
        axes.set_title(f"{model} (r = {results[model]['subsets']['all']['pearson']:.3f})")
        axes.set_xlabel("predicted (sorting-bin units)")
    panels[0].set_ylabel("measured (the test set's own scale)")
    figure.legend(
        *panels[0].get_legend_handles_labels(), markerscale=2.5, columnspacing=1, loc="outside lower center", ncols=3
    )
    figure.savefig(PICTURE)


def calibrate_on(leaderboard: PublicLeaderboard, chosen: np.ndarray, model: Path) -> None:
    with TemporaryDirectory() as folder:
        table = Path(folder, "calibration.tsv")
        sequences = np.array(leaderboard.sequences)[chosen]
        rows = zip(sequences, leaderboard.measured[chosen].tolist(), strict=True)
        table.write_text("".join(f"{sequence}\t{value}\n" for sequence, value in rows))
        calibrate(model, table)


def share_in_subsets(leaderboard: PublicLeaderboard, chosen: np.ndarray, inside: np.ndarray) -> dict[str, dict]:
    """Compute the share of the chosen rows, by subset, whose measurement lies inside its interval."""
    within = dict(zip(np.array(leaderboard.rows)[chosen].tolist(), inside.tolist(), strict=True))
    members = {name: rows for name, rows in leaderboard.subsets.items() if name not in PAIRED}
    found = {name: [within[row] for row in rows if row in within] for name, rows in members.items()}
    return {name: {"n": len(those), "covered": float(np.mean(those))} for name, those in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("leaderboard", type=Path, help="folder with labels.tsv and subsets.json")
    parser.add_argument("sample", type=Path, help="rows of the challenge's training data")
    args = parser.parse_args()
    leaderboard = PublicLeaderboard(args.leaderboard)
    sample = list(read_records(args.sample, labelled=True))
    predictions, results = {}, {}
    calibrating = np.array(leaderboard.rows) % 2 == 0
    others = ~calibrating
    for model in MODELS:
        calibrate_on(leaderboard, calibrating, CHECKPOINTS / model)
        predicted, lower, upper = predict(leaderboard.sequences, model, interval=LEVEL).T
        result = leaderboard.score(predicted)
        measured = rescale(leaderboard.measured[others], predicted[others])
        inside = (lower[others] <= measured) & (measured <= upper[others])
        errors = np.abs(measured - predicted[others])
        result["interval"] = {
            "level": LEVEL,
            "calibrated_on": int(calibrating.sum()),
            "covered": float(inside.mean()),
            "mean_width": float(np.mean((upper - lower)[others])),
            "constant_width": float(2 * np.quantile(errors, inside.mean())),
            "covered_in": share_in_subsets(leaderboard, others, inside),
        }
        said = predict([row.sequence for row in sample], model)
        result["train_sample"] = {
            "n": len(sample),
            "pearson": float(np.corrcoef(said, [row.expression for row in sample])[0, 1]),
        }
        predictions[model], results[model] = predicted, result
        measuring.write_json(CHECKPOINTS / model / "evaluation.json", result)
        print(
            model,
            format_scores(result),
            *(f"{name}: {result[name]}" for name in ("interval", "train_sample")),
            sep="\n",
        )
    measuring.write(__file__, results)
    picture(leaderboard, predictions, results)


if __name__ == "__main__":
    main()
