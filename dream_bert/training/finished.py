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
    manifest = read_manifest(work / "prepared")
    info = describe(read_json(work / "tuned" / TRAINING_INFO), manifest, plan, comparison)
    (build / TRAINING_INFO).write_text(to_json(info), encoding="utf-8")
    with (build / HELD_OUT).open("wb") as file:
        columns = [Column("sequence", "text"), Column("measured", "number"), Column("predicted", "number")]
        part = [comparison.inserts, comparison.measured, comparison.predicted]
        write_table(file, build / HELD_OUT, "tsv", columns, [part], precision=4)
    random = read_json(work / "random" / TRAINING_INFO)
    (build / REPORT).write_text(render_report(name, info, random["history"], comparison), encoding="utf-8")
    kind = "regression" if plan.is_bert else "conv"
    (build / "README.md").write_text(render_card(kind, name, build), encoding="utf-8")


def describe(info: dict[str, Any], manifest: dict[str, Any], plan: Plan, comparison: Comparison) -> dict[str, Any]:
    """Add to the record of a training what was fine-tuned on, and how the model compares with its peers."""
    target = target_name(plan)
    files = ", ".join(source["name"] for source in plan.data["sources"])
    count = sum(plan.rows.values()) if not plan.data["test_sources"] else plan.rows["train"] + plan.rows["validation"]
    tuned = comparison.scores[0]
    info["data"] |= {
        "description": f"{count:,} promoters with the label {target}, from {files}",
        "units": f"the units of {target}",
    }
    info["results"]["test"] = {f"test_{name}": getattr(tuned, name) for name in ("pearson", "spearman", "mse")}
    info["finetuning"] = {
        "targets": [target],
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
        "peers": [peer._asdict() for peer in comparison.scores],
        "ahead_of_ridge": {"difference": comparison.ahead_of_ridge, "interval": list(comparison.difference)},
        "verdict": comparison.verdict,
    }
    return json.loads(to_json(info))


def target_name(plan: Plan) -> str:
    """Return the name of the labels."""
    return (plan.command["targets"] or ["expression"])[0]


def held_out_rows(plan: Plan) -> str:
    """Say how the held-out rows were chosen."""
    if plan.data["test_sources"]:
        related = plan.data["related_to_test"]
        what = f"the rows of {plan.data['test_sources'][0]['name']}"
        return f"{what}, to which {related:,} training and validation rows are related by 20 shared bp"
    if plan.command["random_split"]:
        return "random rows, which may share bases with training rows"
    return "rows that share no 20 bp with a training row, on either strand"
