"""Format the numbers of a model card as tables."""


def split_metrics(results: dict) -> dict[str, dict[str, float]]:
    """Select the metrics of quality of every split; times and losses are left out."""
    quality = ("pearson", "spearman", "mse", "accuracy", "masked_accuracy", "masked_accuracy_random_dna")
    bare = {
        split: {name.partition("_")[2]: value for name, value in metrics.items()} for split, metrics in results.items()
    }
    return {split: {name: metrics[name] for name in quality if name in metrics} for split, metrics in bare.items()}


def split_table(results: dict) -> str:
    """Format the metrics of every split as a Markdown table."""
    splits = split_metrics(results)
    header = list(dict.fromkeys(name for metrics in splits.values() for name in metrics))
    rows = [[split, *(shown(metrics.get(name)) for name in header)] for split, metrics in splits.items()]
    if not rows:
        return "Not measured."
    return table(["split", *(name.replace("_", " ") for name in header)], rows)


def shown(value: float | None) -> str:
    """Format a number; None is one that is not defined."""
    return "not defined" if value is None else f"{value:.3f}"


def score_table(scores: dict | None) -> dict[str, str]:
    """Format scores on the public leaderboard: `subsets`, a table, and the two DREAM scores."""
    if scores is None:
        return dict.fromkeys(("subsets", "pearson_score", "spearman_score"), "not measured")
    rows = [
        [name, f"{row['n']:,}", *(f"{row[key]:.3f}" for key in ("pearson", "r2", "spearman"))]
        for name, row in scores["subsets"].items()
    ]
    totals = {name: f"{scores[name]:.3f}" for name in ("pearson_score", "spearman_score")}
    rows.append(["**DREAM score**", "", "", *(f"**{total}**" for total in totals.values())])
    return totals | {"subsets": table(["public leaderboard", "n", "Pearson", "r²", "Spearman"], rows)}


def table(header: list[str], rows: list[list[str]]) -> str:
    """Format a Markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in (header, *rows)]
    lines.insert(1, "|" + "---|" * len(header))
    return "\n".join(lines)
