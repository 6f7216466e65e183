"""Describe on a model card what `dream-bert finetune` recorded."""

from pathlib import Path
from typing import Any


def describe_finetuning(kind: str, repo_id: str, info: dict) -> dict[str, Any]:
    """Describe what `dream-bert finetune` recorded; nothing of another training."""
    if (tuning := info.get("finetuning")) is None:
        return {}
    peers = [
        [
            target.replace("|", r"\|"),
            peer["name"],
            *(_shown(peer[metric]) for metric in ("pearson", "spearman", "mse")),
        ]
        for target, scores in tuning["peers"].items()
        for peer in scores
    ]
    remote = {"regression": "", "conv": ", trust_remote_code=True"}[kind]
    code = f'pipeline("text-classification", model="{repo_id}"{remote})'
    alone = "Transformers alone" + ("" if kind == "regression" else ", with the model's code")
    return {
        "network": "A BERT" if kind == "regression" else "A convolutional network",
        "target": " and ".join(tuning["targets"]),
        "start_model": Path(tuning["start"]).name,
        "stock": f"{alone}:\n\n```python\nfrom transformers import pipeline\n\n{code}\n```",
        "held_out": tuning["held_out"],
        "peers": table(["label", "predictor", "Pearson", "Spearman", "MSE"], peers),
        "verdict": tuning["verdict"],
    }


def table(header: list[str], rows: list[list[str]]) -> str:
    """Format a Markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in (header, *rows)]
    lines.insert(1, "|" + "---|" * len(header))
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"
