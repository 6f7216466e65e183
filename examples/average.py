"""Average the weights of fine-tunings that started from the same model.

    python examples/average.py measured-1 measured-2 measured-3 --data prepared -o bert

Such fine-tunings are so close to each other that the mean of their weights is better than each of them (Wortsman et
al. 2022, https://arxiv.org/abs/2203.05482). The mean is written with the first run's `training_info.json`, with the
averaged runs and the mean's metrics on held-out rows added to it.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import EvalPrediction, TrainingArguments

from dream_bert import predict
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.manifest import read_manifest
from dream_bert.errors import ArgumentError, ModelError
from dream_bert.export.checkpoint import complete_checkpoint
from dream_bert.inference.loading import RegressionModel, load_regression
from dream_bert.inference.model_files import TRAINING_INFO, model_name
from dream_bert.io.output import new_folder
from dream_bert.models.config_checks import read_json
from dream_bert.training.info import data_record, to_json, weights_hash
from dream_bert.training.metrics import regression_metrics
from dream_bert.training.run import run_script

SPLITS = {"validation": "eval", "test": "test"}
"""The held-out splits, and the prefixes of their metrics in Trainer."""


def read_info(run: Path) -> dict[str, Any]:
    """Read the record of a finished training run.

    Raises:
        ArgumentError: if the folder has none.
    """
    try:
        return read_json(run / TRAINING_INFO)
    except (OSError, ValueError):
        raise ArgumentError(
            f"{run}: has no {TRAINING_INFO}; give folders of finished runs of run_regression.py"
        ) from None


def check_kinship(runs: list[Path], infos: list[dict[str, Any]]) -> None:
    """Check that all runs started from the same trained weights.

    Raises:
        ArgumentError: if they did not.
    """
    starts = [info["started_from"]["weights_sha256"] for info in infos]
    for run, start in zip(runs, starts, strict=True):
        if start is None or start != starts[0]:
            raise ArgumentError(f"{run}: did not start from the weights that {runs[0]} started from; leave it out")


def average(runs: list[Path]) -> RegressionModel:
    """Return the model whose weights are the mean of the runs' weights, computed in float64.

    Raises:
        ArgumentError: if a folder has no model that predicts expression.
    """
    try:
        models = [load_regression(run) for run in runs]
    except ModelError as error:
        raise ArgumentError(str(error)) from error
    states = [model.state_dict() for model in models]
    mean = {
        name: torch.stack([state[name] for state in states]).double().mean(0).to(tensor.dtype)
        for name, tensor in states[0].items()
    }
    models[0].load_state_dict(mean)
    return models[0].eval()


def evaluate(model: RegressionModel, data: Path) -> dict[str, dict[str, float]]:
    """Return the metrics of the held-out splits, with Trainer's names."""
    results = {}
    for split, prefix in SPLITS.items():
        rows = PromoterDataset(data, "regression", split)
        if not len(rows):
            continue
        inserts, expression = rows.rows(np.arange(len(rows)))
        reached = regression_metrics(
            EvalPrediction(predict(inserts, model), expression), model.config.targets, model.config.label_std
        )
        results[split] = {f"{prefix}_{name}": value for name, value in reached.items()}
    return results


def main(args: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder that run_regression.py wrote")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="prepared, for its held-out rows")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="new folder for the mean")
    args = parser.parse_args(args)
    if args.output.exists():
        raise ArgumentError(f"{args.output}: exists; name a new folder")
    args.runs = [Path(model_name(run)) for run in args.runs]
    infos = [read_info(run) for run in args.runs]
    check_kinship(args.runs, infos)
    model = average(args.runs)
    info = infos[0] | {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "mean_of": [
            {
                "model": str(run),
                "seed": run_info["training_arguments"].get("seed", TrainingArguments.seed),
                "data": run_info["data"]["fingerprint"],
                "description": run_info["data"].get("description"),
                "weights_sha256": weights_hash(run),
            }
            for run, run_info in zip(args.runs, infos, strict=True)
        ],
        "held_out": data_record(read_manifest(args.data)),
        "results": evaluate(model, args.data),
    }
    with new_folder(args.output) as folder:
        model.save_pretrained(folder)
        complete_checkpoint(folder)
        (folder / TRAINING_INFO).write_text(to_json(info), encoding="utf-8")


if __name__ == "__main__":
    run_script(main)
