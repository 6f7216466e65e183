"""Fill the folder of a finished fine-tuning: model, records, held-out predictions, report and card."""

import json
import shutil
from pathlib import Path
from typing import Any

from ..data.manifest import read_manifest
from ..hub.card import render_card
from ..inference.model_files import REPORT, TRAINING_INFO
from ..io.table_writer import Column, write_table
from ..models.config_checks import read_json
from .comparison import LEVEL, RESAMPLES, Comparison
from .info import to_json
from .plan import Plan
from .report import render_report

HELD_OUT = "held_out.tsv"
"""File with the held-out promoters, measured and predicted."""


def write_folder(build: Path, name: str, work: Path, plan: Plan, comparison: Comparison) -> None:
    """Write all files of a finished fine-tuning.

    Args:
        build: an empty folder.
        name: what the card calls the model.
        work: folder of the unfinished fine-tuning.
        plan: its plan.
        comparison: the model and its peers on held-out promoters.
    """
    for path in (work / "tuned").iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copyfile(path, build / path.name)
    info = describe(read_json(work / "tuned" / TRAINING_INFO), read_manifest(work / "prepared"), plan, comparison)
    (build / TRAINING_INFO).write_text(to_json(info), encoding="utf-8")
    _write_held_out(build / HELD_OUT, comparison)
    random = read_json(work / "random" / TRAINING_INFO)
    (build / REPORT).write_text(render_report(name, info, random["history"], comparison), encoding="utf-8")
    kind = "regression" if plan.is_bert else "conv"
    (build / "README.md").write_text(render_card(kind, name, build), encoding="utf-8")


def _write_held_out(path: Path, comparison: Comparison) -> None:
    """Write the held-out promoters with what was measured and predicted of each target."""
    columns, part = [Column("sequence", "text")], [comparison.inserts]
    for each in comparison.targets:
        suffix = f"_{each.target}" if len(comparison.targets) > 1 else ""
        columns += [Column(f"measured{suffix}", "number"), Column(f"predicted{suffix}", "number")]
        part += [each.measured, each.predicted]
    with path.open("wb") as file:
        write_table(file, path, "tsv", columns, [part], precision=4)


def describe(info: dict[str, Any], manifest: dict[str, Any], plan: Plan, comparison: Comparison) -> dict[str, Any]:
    """Add to the record of a training what was fine-tuned on, and how the model compares with its peers."""
    labels = ", ".join(plan.targets)
    files = ", ".join(source["name"] for source in plan.data["sources"])
    count = sum(plan.rows.values()) if not plan.data["test_sources"] else plan.rows["train"] + plan.rows["validation"]
    info["data"] |= {
        "description": f"{count:,} promoters with the label {labels}, from {files}",
        "units": f"the units of {labels}",
    }
    info["results"]["test"] = _test_metrics(comparison)
    info["finetuning"] = {
        "targets": plan.targets,
        "start": plan.model,
        "start_chosen_because": plan.reason,
        "positions": plan.positions,
        "rows": plan.rows,
        "insert_lengths": plan.insert_lengths,
        "label_std": manifest["label_std"],
        "held_out": held_out_rows(plan),
        **plan.data,
        "command": plan.command,
        "calibrated_rows": comparison.calibrated,
        "interval": f"bootstrap of {RESAMPLES} resamples, {LEVEL:.0%}",
        "peers": {each.target: [peer._asdict() for peer in each.scores] for each in comparison.targets},
        "ahead_of_ridge": {
            each.target: {"difference": each.ahead_of_ridge, "interval": list(each.difference)}
            for each in comparison.targets
        },
        "verdict": comparison.verdict,
    }
    return json.loads(to_json(info))


def _test_metrics(comparison: Comparison) -> dict[str, float]:
    """Return the fine-tuned model's metrics on the test rows; of several targets, those of each."""
    metrics = {}
    for each in comparison.targets:
        suffix = f"_{each.target}" if len(comparison.targets) > 1 else ""
        metrics |= {f"test_{name}{suffix}": getattr(each.scores[0], name) for name in ("pearson", "spearman", "mse")}
    return metrics


def held_out_rows(plan: Plan) -> str:
    """Say how the held-out rows were chosen."""
    if plan.data["test_sources"]:
        related = plan.data["related_to_test"]
        what = f"the rows of {plan.data['test_sources'][0]['name']}"
        return f"{what}, to which {related:,} training and validation rows are related by 20 shared bp"
    if plan.command["random_split"]:
        return "random rows, which may share bases with training rows"
    return "rows that share no 20 bp with a training row, on either strand"
