"""Time a step of fine-tuning and of pretraining: stock transformers against this package, same model and batches.

    python benchmarks/training.py [--preset compact] [--batch 64]

Stock is `Trainer` with `BertForSequenceClassification` or `BertForMaskedLM`, rows tokenised beforehand, and the stock
collator. Ours is the trainer, model and loss of `examples/`, reading a folder that `dream-bert prepare` wrote. The
variants train in turns of a few steps; the first two steps of a turn are not counted. Writes
`benchmarks/results/training.json`.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import measuring
import numpy as np
import torch
import transformers
from transformers import (
    AutoTokenizer,
    BertForMaskedLM,
    BertForSequenceClassification,
    DataCollatorForLanguageModeling,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    default_data_collator,
)

from dream_bert import BertForSequenceRegression, DreamBertConfig, DreamBertForMaskedLM
from dream_bert.data.batches import MaskedLMBatches, RegressionBatches
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.data.simulate import simulate_file
from dream_bert.sequence.tokenizer import write_tokenizer
from dream_bert.training import run_mlm
from dream_bert.training.arguments import RunArguments
from dream_bert.training.trainer import PromoterTrainer

NOT_COUNTED = 2
FAST = dict(bf16=True)


class StepTimes(TrainerCallback):
    """Measure seconds from the end of one step to the end of the next, so that loading the batch counts."""

    def __init__(self):
        self.ends: list[float] = []

    def on_step_end(self, args, state, control, **kwargs):
        self.ends.append(time.perf_counter())

    def seconds(self) -> list[float]:
        return np.diff(self.ends)[NOT_COUNTED - 1 :].tolist()


def squared_error(outputs, labels, num_items_in_batch=None):
    return (outputs.logits.squeeze(-1).float() - labels).square().mean()


def trainers(data: Path, folder: Path, config: DreamBertConfig, rows: int) -> dict[str, dict[str, Callable]]:
    """Return for each stage the functions that make a trainer from `RunArguments`: stock's and ours."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inserts = [line.split("\t")[0][17:-13] for line in (data / "rows.txt").read_text().splitlines()[:rows]]
    encoded = [{"input_ids": ids} for ids in tokenizer(inserts)["input_ids"]]
    labelled = [{**row, "attention_mask": [1] * len(row["input_ids"]), "labels": 11.0} for row in encoded]
    padded = tokenizer.pad(labelled, return_tensors="np")
    labelled = [{name: values[i] for name, values in padded.items()} for i in range(len(labelled))]

    def ours(stage, model, batches, loss, collator):
        rows = batches(PromoterDataset(data / "prepared", stage, "train"), config)
        return lambda args: PromoterTrainer(
            model(config), args, train_dataset=rows, data_collator=collator, compute_loss_func=loss
        )

    return {
        "fine-tuning": {
            "stock": lambda args: Trainer(
                BertForSequenceClassification(config),
                args,
                train_dataset=labelled,
                data_collator=default_data_collator,
            ),
            "ours": ours("regression", BertForSequenceRegression, RegressionBatches, squared_error, dict),
        },
        "pretraining": {
            "stock": lambda args: Trainer(
                BertForMaskedLM(config),
                args,
                train_dataset=encoded,
                data_collator=DataCollatorForLanguageModeling(tokenizer),
            ),
            "ours": ours("mlm", DreamBertForMaskedLM, MaskedLMBatches, run_mlm.loss, run_mlm.with_predicted),
        },
    }


VARIANTS = {
    "stock, float32": ("stock", {}),
    "ours, float32": ("ours", {}),
    "ours, float32, AdamW not fused": ("ours", dict(optim="adamw_torch")),
    "ours, float32, torch.compile": ("ours", dict(torch_compile=True)),
    "stock, bfloat16": ("stock", FAST),
    "ours, bfloat16": ("ours", FAST),
}


def measure(make: Callable, folder: Path, batch: int, steps: int, options: dict) -> list[float]:
    args = RunArguments(
        output_dir=str(folder / "run"),
        max_steps=steps,
        per_device_train_batch_size=batch,
        lr_scheduler_type="linear",
        report_to="none",
        eval_strategy="no",
        load_best_model_at_end=False,
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        use_cpu=not torch.accelerator.is_available(),
        **options,
    )
    torch.manual_seed(0)
    trainer, times = make(args), StepTimes()
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(times)
    trainer.train()
    return times.seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="compact")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=8, help="a turn")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument(
        "--without-compile", action="store_true", help="torch.compile needs a C++ compiler and a minute"
    )
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    transformers.utils.logging.set_verbosity_error()
    config = DreamBertConfig.preset(options.preset, reading_frames=1)
    rows = options.batch * (options.steps + 2)
    variants = {name: v for name, v in VARIANTS.items() if "compile" not in name or not options.without_compile}
    result = {"machine": measuring.machine("torch", "transformers", "accelerate"), "threads": torch.get_num_threads()}
    result |= {"preset": options.preset, "batch": options.batch, "stages": {}}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        simulate_file(12 * rows, folder / "rows.txt")
        prepare([folder / "rows.txt"], folder / "prepared")
        config.save_pretrained(folder)
        write_tokenizer(folder, config.stride, config.context, config.max_position_embeddings)
        for stage, kinds in trainers(folder, folder, config, rows).items():
            seconds = {name: [] for name in variants}
            for _ in range(options.turns):
                for name, (kind, more) in variants.items():
                    seconds[name] += measure(kinds[kind], folder, options.batch, options.steps, more)
            stock = np.median(seconds["stock, float32"])
            result["stages"][stage] = {
                name: {
                    "sequences_per_second": round(options.batch / float(np.median(times)), 1),
                    "over_stock_float32": round(float(stock / np.median(times)), 3),
                    "seconds_per_step": measuring.spread(times),
                }
                for name, times in seconds.items()
            }
    print(result["machine"])
    for stage, measured in result["stages"].items():
        lines = [
            [
                name,
                f"{entry['sequences_per_second']:.0f}",
                "{min:.3f} {median:.3f} {max:.3f}".format(**entry["seconds_per_step"]),
                f"{entry['over_stock_float32']:.2f}",
            ]
            for name, entry in measured.items()
        ]
        header = [stage, "sequences/s", "s a step: least, median, most", "against stock float32"]
        print(measuring.table(header, lines), end="\n\n")
    measuring.write(__file__, result)


if __name__ == "__main__":
    main()
