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

import matplotlib.pyplot as plt
import measuring
import numpy as np
from public_leaderboard import PublicLeaderboard

from dream_bert.inference.model_files import CHECKPOINTS
from dream_bert.inference.prediction import predict
from dream_bert.io.reader import read_records
from dream_bert.metrics.files import format_scores
from dream_bert.training.calibration import calibrate, rescale

PICTURE = Path(__file__).parents[1] / "docs" / "measured_against_predicted.png"
MODELS = ("dream-promoter-bert", "dream-promoter-conv")
LEVEL = 0.9
COLOURS = {"random": "#4477aa", "yeast": "#ee7733", "challenging": "#228833", "high": "#cc3311", "low": "#aa3377"}


def picture(leaderboard: PublicLeaderboard, predictions: dict[str, np.ndarray], results: dict[str, dict]) -> None:
    """Draw measured against predicted expression, one panel for each model, with some subsets in colour."""
    at = {row: i for i, row in enumerate(leaderboard.rows)}
    figure, panels = plt.subplots(
        1, len(predictions), figsize=(10, 4.4), sharex=True, sharey=True, layout="constrained"
    )
    for axes, (model, predicted) in zip(panels, predictions.items(), strict=True):
        dots = dict(linewidths=0, rasterized=True)
        everywhere = f"all {len(predicted):,}"
        axes.scatter(predicted, leaderboard.measured, s=3, color="#bbbbbb", label=everywhere, **dots)
        for name, colour in COLOURS.items():
            rows = [at[row] for row in leaderboard.subsets[name]]
            label = f"{name} ({len(rows)})"
            axes.scatter(predicted[rows], leaderboard.measured[rows], s=7, color=colour, label=label, **dots)
        axes.set_title(f"{model}: Pearson r = {results[model]['subsets']['all']['pearson']:.3f}", fontsize=11)
        axes.set_xlabel("predicted expression")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("measured expression (the test set's own scale)")
    figure.legend(*panels[0].get_legend_handles_labels(), markerscale=3, frameon=False, loc="outside right upper")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=150)


def calibrate_on(leaderboard: PublicLeaderboard, chosen: np.ndarray, model: Path) -> None:
    with TemporaryDirectory() as folder:
        table = Path(folder, "calibration.tsv")
        sequences = np.array(leaderboard.sequences)[chosen]
        rows = zip(sequences, leaderboard.measured[chosen].tolist(), strict=True)
        table.write_text("".join(f"{sequence}\t{value}\n" for sequence, value in rows))
        calibrate(model, table)


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
