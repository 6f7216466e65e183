"""Fill a template with a model's numbers, to make the card of its repository."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import Any

from huggingface_hub import EvalResult, ModelCard

from ..errors import CardError
from ..inference.model_files import EVALUATION, TRAINING_INFO
from ..models.config_checks import read_json
from ..models.configuration_dna import DnaConfig
from ..models.configuration_dream_bert import DreamBertConfig
from ..models.configuration_dream_conv import DreamConvConfig
from .card_finetuning import describe_finetuning, table
from .card_targets import describe_answers, describe_units, split_and_target, split_metrics

_METRICS = {
    "pearson": "pearsonr",
    "spearman": "spearmanr",
    "r2": "r_squared",
    "mse": "mse",
    "masked_accuracy": "accuracy",
}
"""The Hub's names of our metrics."""


def render_card(kind: str, repo_id: str, folder: Path) -> str:
    """Write the card of a model.

    Args:
        kind: `mlm`, `regression` or `conv`.
        repo_id: the repository to publish in, USER/NAME.
        folder: the model's folder, with `config.json`, `training_info.json` and optionally `evaluation.json`.

    Returns:
        Markdown with YAML metadata, which have the results as a `model-index`.

    Raises:
        CardError: if `training_info.json` or `evaluation.json` lacks what the card needs.
    """
    try:
        info, config = read_json(folder / TRAINING_INFO), DnaConfig.get_config_dict(folder)[0]
        scores = read_json(path) if (path := folder / EVALUATION).exists() else None
        values = (
            {"repo": repo_id, "name": repo_id.split("/")[-1]}
            | _model(kind, folder)
            | _training(info, config)
            | _scale(info, config)
            | describe_answers(config)
            | _scores(scores)
            | describe_finetuning(kind, repo_id, info)
        )
        results = [*_split_results(kind, info, config), *_leaderboard_results(scores)]
    except FileNotFoundError:
        raise CardError(
            f"{folder}: has no {TRAINING_INFO}; publish what run_mlm.py or run_regression.py wrote"
        ) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CardError(
            f"{folder}: {TRAINING_INFO} or {EVALUATION} is incomplete ({error!r}); publish what training wrote"
        ) from error
    card = ModelCard(Template(_template("finetuned" if "finetuning" in info else kind)).substitute(values))
    card.data.model_name, card.data.eval_results = values["name"], results
    return str(card)


def _template(kind: str) -> str:
    return Path(__file__).with_name("cards").joinpath(f"{kind}.md").read_text(encoding="utf-8")


def _model(kind: str, folder: Path) -> dict[str, Any]:
    if kind == "conv":
        config = DreamConvConfig.from_pretrained(folder)
        return {"width": config.hidden_size, "scan": config.motif_size, "layers": len(config.dilations)}
    config = DreamBertConfig.from_pretrained(folder)
    frames = config.reading_frames
    return {
        "layers": config.num_hidden_layers,
        "width": config.hidden_size,
        "heads": config.num_attention_heads,
        "tokens": "overlapping 3-mers" if config.stride == 1 else "adjacent 3-mers",
        "context": config.context,
        "frames": "one reading frame" if frames == 1 else f"the package averages {frames} reading frames",
    }


def _training(info: dict, config: dict) -> dict[str, Any]:
    machine, held_out = info["machine"], _held_out(info)
    share = info["training_arguments"].get("ridge_share")
    return {
        "parameters": f"{info['parameters'] / 1e6:.1f} million",
        "start": ", from ".join([*map(_model_of, lineage(info)[1:]), _origin(info)]),
        "train_rows": f"{info['data']['train_rows']:,}",
        "machine": f"{machine['cores']} CPU cores"
        if machine["device"] == "cpu"
        else f"one {machine['device']} device",
        "mean": _mean(info),
        "ridge": f" Ridge regression on 6-mer counts has a share of {share:g} in its predictions." if share else "",
        "data": "; before that, ".join(_data(**earlier["data"]) for earlier in lineage(info)),
        "held_out": "which share no 20 bp with a training row, on either strand"
        if held_out.get("keep_related")
        else "random rows; if promoters overlap, as native tiles do, they are similar to training rows",
        "splits": _split_table(info["results"], config),
    }


def _scale(info: dict, config: dict) -> dict[str, str]:
    """Describe the lengths of the inserts, and the units of the predictions."""
    shortest, longest = config.get("insert_lengths") or (80, 80)
    return {
        "bp": f"{longest} bp" if shortest == longest else f"{shortest} to {longest} bp",
        "units": info["data"].get("units", describe_units(config)),
    }


def lineage(info: dict) -> list[dict]:
    """Return the records of a training and of the fine-tunings before it, the last one first."""
    earlier = info["started_from"].get("training_info")
    return [info, *(lineage(earlier) if earlier else [])]


def _origin(info: dict) -> str:
    start = lineage(info)[-1]["started_from"]
    if not start["model"]:
        return "random weights"
    # The oldest records have no architectures; their runs all started from a masked LM.
    if any("MaskedLM" in name for name in start.get("architectures") or ["MaskedLM"]):
        return "a model pretrained by masked language modelling"
    return f"the fine-tuned model {Path(start['model']).name}"


def _model_of(info: dict) -> str:
    what = f"the mean of {len(info['mean_of'])} models" if info.get("mean_of") else "a model"
    return f"{what} fine-tuned on {info['data']['train_rows']:,} promoters"


def _mean(info: dict) -> str:
    runs = info.get("mean_of")
    if not runs:
        return ""
    others = Counter(
        _data(run["data"], run.get("description")) for run in runs if run["data"] != info["data"]["fingerprint"]
    )
    others = "".join(f"; {n} of them learned from {data}" for data, n in others.items())
    return f" Its weights are the mean of those of {len(runs)} such runs{others}."


def _data(fingerprint: str, description: str | None = None, **_) -> str:
    return description or f"promoters prepared by `dream-bert prepare` (fingerprint {fingerprint[:12]})"


def _held_out(info: dict) -> dict:
    """Return the record of the data that the results were measured on; a mean of runs may have its own."""
    return info.get("held_out", info["data"])


def _split_table(results: dict, config: dict) -> str:
    splits = split_metrics(results, config)
    header = list(dict.fromkeys(name for metrics in splits.values() for name in metrics))
    rows = [
        [
            split.replace("|", r"\|"),
            *("not defined" if (value := metrics.get(name)) is None else f"{value:.3f}" for name in header),
        ]
        for split, metrics in splits.items()
    ]
    if not rows:
        return "Not measured."
    return table(["split", *(name.replace("_", " ") for name in header)], rows)


def _scores(scores: dict | None) -> dict[str, str]:
    if scores is None:
        return dict.fromkeys(("subsets", "pearson_score", "spearman_score"), "not measured")
    rows = [
        [name, f"{row['n']:,}", *(f"{row[key]:.3f}" for key in ("pearson", "r2", "spearman"))]
        for name, row in scores["subsets"].items()
    ]
    totals = {name: f"{scores[name]:.3f}" for name in ("pearson_score", "spearman_score")}
    rows.append(["**DREAM score**", "", "", *(f"**{total}**" for total in totals.values())])
    return totals | {"subsets": table(["public leaderboard", "n", "Pearson", "r²", "Spearman"], rows)}


def _split_results(kind: str, info: dict, config: dict) -> Iterable[EvalResult]:
    task = "fill-mask" if kind == "mlm" else "text-classification"
    fingerprint = _held_out(info)["fingerprint"]
    for label, metrics in split_metrics(info["results"], config).items():
        split, target = split_and_target(label)
        for name in (name for name in metrics if name in _METRICS and metrics[name] is not None):
            yield EvalResult(
                task_type=task,
                dataset_type=f"promoters-{fingerprint[:12]}",
                dataset_name=f"held-out promoters of the training data ({split})",
                dataset_split=split,
                metric_type=_METRICS[name],
                metric_name=name.replace("_", " ") + (f" of {target}" if target else ""),
                metric_value=round(metrics[name], 4),
            )


def _leaderboard_results(scores: dict | None) -> Iterable[EvalResult]:
    if scores is None:
        return
    whole = scores["subsets"]["all"]
    metrics = {name: (_METRICS[name], whole[name]) for name in ("pearson", "r2", "spearman")}
    metrics |= {
        f"DREAM {name} score": (f"dream_{name}_score", scores[f"{name}_score"]) for name in ("pearson", "spearman")
    }
    for name, (metric, value) in metrics.items():
        yield EvalResult(
            task_type="text-classification",
            dataset_type="random-promoter-dream-challenge-2022",
            dataset_name="Random Promoter DREAM Challenge 2022, public leaderboard",
            dataset_split="test",
            metric_type=metric,
            metric_name=name,
            metric_value=round(value, 4),
        )
