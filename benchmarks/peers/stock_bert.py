"""A peer from stock transformers alone: `BertForSequenceClassification` of the shipped size by `Trainer`."""

import tempfile
import time
from collections.abc import Callable

import numpy as np
import torch
from transformers import (
    BertForSequenceClassification,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

from dream_bert import DreamBertConfig
from dream_bert.encoding import encode

BATCH_SIZE = 64
TIMED_STEPS = 30


class _Timer(TrainerCallback):
    def __init__(self):
        self.ends = []

    def on_step_end(self, args, state, control, **kwargs):
        self.ends.append(time.perf_counter())


def train_bert(
    inserts: list[str], labels: np.ndarray, minutes: float, seed: int
) -> tuple[Callable[[list[str]], np.ndarray], int]:
    """Train from random weights with `Trainer`'s defaults but for the rate, 1e-4 after 100 steps of warm-up.

    Args:
        inserts: of one length.
        labels: standardised, float32.
        minutes: of training; how many steps they are, a few steps tell beforehand.
        seed: of weights, order and dropout.

    Returns:
        what predicts, and how many examples it learned from, repeats counted.
    """
    config = DreamBertConfig.preset("compact")
    ids = torch.from_numpy(encode(inserts, config)["input_ids"])
    rows = [{"input_ids": row, "labels": label} for row, label in zip(ids, labels, strict=True)]
    timer = _Timer()
    _train(config, rows, TIMED_STEPS, seed, [timer])
    steps = round(60 * minutes / float(np.median(np.diff(timer.ends))))
    model = _train(config, rows, steps, seed).eval()

    @torch.inference_mode()
    def predict(inserts: list[str]) -> np.ndarray:
        parts = torch.from_numpy(encode(inserts, config)["input_ids"]).split(256)
        return torch.cat([model(part).logits[:, 0] for part in parts]).numpy()

    return predict, steps * BATCH_SIZE


def _train(
    config: DreamBertConfig, rows: list[dict], steps: int, seed: int, callbacks: tuple[TrainerCallback, ...] = ()
) -> BertForSequenceClassification:
    set_seed(seed)
    model = BertForSequenceClassification(config)
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            folder,
            use_cpu=True,
            seed=seed,
            max_steps=steps,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=1e-4,
            warmup_steps=100,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = Trainer(model, args, train_dataset=rows, data_collator=default_data_collator, callbacks=[*callbacks])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return model
