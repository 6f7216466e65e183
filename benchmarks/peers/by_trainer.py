"""Train peers with `Trainer`: stock `BertForSequenceClassification` of the shipped size, and the shipped models.

`Trainer` counts steps, not minutes. For BERT, a short trial finds how many steps fit; ours has its recipe's epochs.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import yaml
from transformers import (
    BertForSequenceClassification,
    PrinterCallback,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from dream_bert import DreamBertConfig, predict
from dream_bert.inference.model_files import TRAINING_INFO
from dream_bert.sequence.encoding import encode, spell
from dream_bert.training import run_regression

BATCH_SIZE = 64
TIMED_STEPS = 50, 300
RECIPES = Path(__file__).parents[2] / "examples" / "recipes"
RECIPE_MINUTES = 30
"""Minutes that the recipe of the convolutions takes."""
CLOCK = "minutes.json"
"""File with the minutes that the recipe's command has run, interrupted runs included."""
SECONDS_BETWEEN_TICKS = 10
Predictor = Callable[[np.ndarray], np.ndarray]


def train_bert(
    promoters: np.ndarray, labels: np.ndarray, minutes: float, seed: int, folder: Path
) -> tuple[Predictor, int]:
    """Train from random weights with `Trainer`'s defaults, except for the rate: 1e-4 after 100 steps of warm-up.

    Args:
        promoters: bases, uint8 (n, length).
        labels: standardised, float32 (n,).
        minutes: of training, those before a stop included.
        seed: of weights, order and dropout.
        folder: for the training's state.

    Returns:
        a function that predicts, and the number of examples seen, repeats counted.
    """
    config = DreamBertConfig.preset("compact")

    def inputs(promoters: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(encode(list(map(spell, promoters)), config)["input_ids"])

    rows = [{"input_ids": row, "labels": label} for row, label in zip(inputs(promoters), labels, strict=True)]

    def train(folder: Path, steps: int) -> Predictor:
        set_seed(seed)
        args = TrainingArguments(
            str(folder),
            use_cpu=True,
            seed=seed,
            max_steps=steps,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=1e-4,
            warmup_steps=100,
            save_steps=500,
            save_total_limit=1,
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        model = BertForSequenceClassification(config)
        trainer = Trainer(model, args, train_dataset=rows, data_collator=default_data_collator)
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=get_last_checkpoint(folder))
        model.eval()

        @torch.inference_mode()
        def predictor(promoters: np.ndarray) -> np.ndarray:
            return torch.cat([model(part).logits[:, 0] for part in inputs(promoters).split(256)]).numpy()

        return predictor

    return _train_for(minutes, folder, train)


def train_ours(data: Path, minutes: float, seed: int, folder: Path) -> tuple[Predictor, int]:
    """Train the convolutions by this package's recipe, with epochs in proportion to the minutes; otherwise like
    `train_bert`."""
    recipe = yaml.safe_load((RECIPES / "conv.yaml").read_text())
    epochs = recipe["num_train_epochs"] * minutes / RECIPE_MINUTES
    run = {"data": str(data), "output_dir": str(folder), "num_train_epochs": epochs, "seed": seed}
    (folder / "run.yaml").write_text(yaml.safe_dump(recipe | run))
    run_regression.main([str(folder / "run.yaml")])
    return _predictor(folder), _examples(folder / TRAINING_INFO)


def train_shipped(data: Path, folder: Path) -> tuple[Predictor, int]:
    """Train all shipped checkpoints from prepared rows by one command, which can be resumed; otherwise like
    `train_bert`."""
    prepared = folder / "prepared"  # the recipe's first step, so that its argument is not read
    if not prepared.exists():
        prepared.symlink_to(data.absolute())
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    begin = time.perf_counter() - 60 * minutes_spent(folder)
    recipe = subprocess.Popen([RECIPES / "compact.sh", ""], cwd=folder, env=os.environ | {"PATH": path})
    while recipe.poll() is None:
        time.sleep(SECONDS_BETWEEN_TICKS)
        (folder / CLOCK).write_text(json.dumps((time.perf_counter() - begin) / 60))
    if recipe.returncode:
        sys.exit(f"{RECIPES / 'compact.sh'} ended with status {recipe.returncode}; give the command again to go on")
    output = folder / "output"
    runs = [path for path in output.glob(f"*/{TRAINING_INFO}") if path.parent.name != "bert"]
    return _predictor(output / "bert"), sum(map(_examples, runs))


def minutes_spent(folder: Path) -> float:
    """Return the minutes that the recipe's command has taken in this folder so far; 0 if it has not run."""
    clock = folder / CLOCK
    return json.loads(clock.read_text()) if clock.exists() else 0.0


def _predictor(model: Path) -> Predictor:
    return lambda promoters: predict(list(map(spell, promoters)), model)


def _examples(info: Path) -> int:
    """Return the number of examples that a training saw, repeats counted."""
    record = json.loads(info.read_text())
    return record["history"][-1]["step"] * record["training_arguments"]["per_device_train_batch_size"]


def _train_for(minutes: float, folder: Path, train: Callable[[Path, int], Predictor]) -> tuple[Predictor, int]:
    """Call `train(folder, steps)` with as many steps as fit into some minutes; return the number of examples too."""
    plan = folder / "steps.json"
    if not plan.exists():
        seconds = []
        for steps in TIMED_STEPS:
            with TemporaryDirectory() as trial:
                begin = time.perf_counter()
                train(Path(trial), steps)
                seconds.append(time.perf_counter() - begin)
        # The time that a trial spends before and after its steps is no training, so two trials are compared.
        step = (seconds[1] - seconds[0]) / (TIMED_STEPS[1] - TIMED_STEPS[0])
        plan.write_text(json.dumps(round(60 * minutes / step)))
    steps = json.loads(plan.read_text())
    return train(folder, steps), steps * BATCH_SIZE
