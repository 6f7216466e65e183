"""Describe a model's targets for its card: units, the form of answers, and the metrics of each."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..models.target_fields import target_names

_QUALITY = ("pearson", "spearman", "mse", "accuracy", "masked_accuracy", "masked_accuracy_random_dna")
"""The metrics of quality; times and losses are left out."""


def describe_units(config: dict[str, Any]) -> str:
    """Describe the units of a model's predictions by the statistics of its training labels.

    >>> describe_units({"label_mean": 7.1, "label_std": 4})
    'the units of its training labels (mean 7.1, standard deviation 4)'
    """
    targets = target_names(config.get("id2label"))
    statistics = (np.broadcast_to(config.get(*field), len(targets)) for field in (("label_mean", 0), ("label_std", 1)))
    each = [f"mean {mean:.3g}, standard deviation {std:.3g}" for mean, std in zip(*statistics, strict=True)]
    if len(targets) == 1:
        return f"the units of its training labels ({each[0]})"
    listed = "; ".join(f"{name} ({numbers})" for name, numbers in zip(targets, each, strict=True))
    return f"the units of the training labels of {len(targets)} targets: {listed}"


def describe_answers(config: dict[str, Any]) -> dict[str, str]:
    """Return what fills a card's examples: an argument of transformers' pipeline, and the answers."""
    targets = target_names(config.get("id2label"))
    scores = ", ".join(f"{{'label': {name!r}, 'score': …}}" for name in targets)
    is_one = len(targets) == 1
    return {
        "every": "" if is_one else ", top_k=None",
        "scores": f"[{scores}]: the score is the expression" if is_one else f"[[{scores}]], the highest first",
        "record": "{" + ", ".join(f"{name!r}: …" for name in targets) + "}",
        "json_record": "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: …" for name in targets) + "}",
    }


def split_metrics(results: dict[str, dict[str, float]], config: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Select the metrics of quality of every split; of several targets, those of each as `SPLIT, TARGET`."""
    targets = target_names(config.get("id2label"))
    bare = {
        split: {name.partition("_")[2]: value for name, value in metrics.items()} for split, metrics in results.items()
    }
    if len(targets) == 1:
        return {
            split: {name: metrics[name] for name in _QUALITY if name in metrics} for split, metrics in bare.items()
        }
    return {
        f"{split}, {target}": {name: metrics[own] for name in _QUALITY if (own := f"{name}_{target}") in metrics}
        for split, metrics in bare.items()
        for target in targets
    }


def split_and_target(label: str) -> Sequence[str]:
    """Return the split, and the target or nothing, of a key of `split_metrics`."""
    split, _, target = label.partition(", ")
    return split, target
