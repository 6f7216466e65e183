"""The shipped checkpoint on the challenge's public leaderboard: the scores, and a picture.

    python benchmarks/leaderboard.py public_leaderboard

Writes `benchmarks/leaderboard.json`, the same beside the weights, for the model card, as `evaluation.json`, and
`docs/measured_against_predicted.png`.
"""

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np
from public_leaderboard import PublicLeaderboard
from scipy.optimize import isotonic_regression

from dream_bert.metrics.files import format_scores
from dream_bert.prediction import DEFAULT_MODEL, predict

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs" / "measured_against_predicted.png"
LEVEL = 0.9
COLOURS = {"random": "#4477aa", "yeast": "#ee7733", "challenging": "#228833", "high": "#cc3311", "low": "#aa3377"}


def picture(measured: np.ndarray, predicted: np.ndarray, members: dict[str, np.ndarray], r: float) -> None:
    """Measured against predicted expression, the single subsets in colour."""
    figure, axes = plt.subplots(figsize=(7.4, 4.8), layout="constrained")
    axes.scatter(
        predicted, measured, s=3, color="#bbbbbb", linewidths=0, label=f"all {len(measured):,}", rasterized=True
    )
    for name, colour in COLOURS.items():
        at = members[name]
        axes.scatter(predicted[at], measured[at], s=7, color=colour, linewidths=0, label=f"{name} ({len(at)})")
    axes.set_xlabel("predicted expression")
    axes.set_ylabel("measured expression (the test set's own scale)")
    axes.set_title(f"Public leaderboard of the DREAM challenge: Pearson r = {r:.3f}")
    figure.legend(markerscale=3, frameon=False, loc="outside right upper")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=150)


def covered(measured: np.ndarray, predicted: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Share of measurements within their intervals, after the rising map that brings them nearest to predictions."""
    order = np.argsort(measured, kind="stable")
    mapped = np.empty_like(predicted)
    mapped[order] = isotonic_regression(predicted[order]).x
    return float(np.mean((lower <= mapped) & (mapped <= upper)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("leaderboard", type=Path, help="folder with labels.tsv and subsets.json")
    leaderboard = PublicLeaderboard(parser.parse_args().leaderboard)
    predicted, lower, upper = predict(leaderboard.sequences, interval=LEVEL).T
    result = leaderboard.score(predicted)
    result["interval"] = {"level": LEVEL, "covered": covered(leaderboard.measured, predicted, lower, upper)}
    for path in (HERE / "leaderboard.json", DEFAULT_MODEL / "evaluation.json"):
        path.write_text(json.dumps(result, indent=1) + "\n")
    at = {row: i for i, row in enumerate(leaderboard.rows)}
    members = {name: np.array([at[row] for row in leaderboard.subsets[name]]) for name in COLOURS}
    picture(leaderboard.measured, predicted, members, result["subsets"]["all"]["pearson"])
    print(format_scores(result))
    print(f"intervals of {LEVEL:.0%} cover {result['interval']['covered']:.1%}")


if __name__ == "__main__":
    main()
