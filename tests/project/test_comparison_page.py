"""The page that compares has the numbers of the benchmarks, and those of the winner's predictions."""

import csv
import json
import re

from page_numbers import ROOT, read_results, rows, words

from dream_bert.metrics.dream_score import score


def test_comparison():
    """Our rows and DeepAtt's are those of the benchmarks."""
    leaderboard = read_results("leaderboard")
    table = rows("docs/comparison.md", "| model | part, promoters | r |")
    for model, result in leaderboard.items():
        n, r = result["subsets"]["all"]["n"], result["subsets"]["all"]["pearson"]
        scores = [f"{value:.3f}" for value in (r, result["pearson_score"], result["spearman_score"])]
        assert table[f"`{model}`"][:4] == [f"public, {n:,}", *scores]
    with (ROOT / "benchmarks" / "experiments.tsv").open(newline="") as file:
        (deepatt,) = (row for row in csv.DictReader(file, delimiter="\t") if row["id"] == "teacher-published")
    scores = [deepatt[key] for key in ("pearson", "pearson_score", "spearman_score")]
    assert table["DeepAtt, as published"][1:4] == scores
    text, ours = words("docs/comparison.md"), leaderboard["dream-promoter-bert"]["subsets"]
    for name in ("low", "high", "SNVs", "yeast"):
        assert f"(`{name}`) {ours[name]['pearson']:.2f}, {deepatt[name]} and 0." in text


def test_the_winner_in_the_comparison(shared_data):
    with (shared_data / "public_leaderboard" / "labels.tsv").open(newline="") as file:
        labels = list(csv.DictReader(file, delimiter="\t"))
    subsets = json.loads((shared_data / "public_leaderboard" / "subsets.json").read_text())
    predicted, measured = ([float(label[key]) for label in labels] for key in ("winner_prediction", "expression"))
    result = score(predicted, measured, [int(label["row"]) for label in labels], subsets)
    scores = [result["subsets"]["all"]["pearson"], result["pearson_score"], result["spearman_score"]]
    table = rows("docs/comparison.md", "| model | part, promoters | r |")
    assert table["LegNet, as submitted"][1:4] == [f"{value:.3f}" for value in scores]
    for name in ("low", "high", "SNVs", "yeast"):
        ends = rf"\(`{name}`\) 0\.\d\d, 0\.\d\d and {result['subsets'][name]['pearson']:.2f}[;.]"
        assert re.search(ends, words("docs/comparison.md"))
