"""Time batches of a prepared folder of the challenge's full size: sequences per second, opening, resuming.

    python benchmarks/data_loading.py [--data PREPARED] [--rows 6739258] [--folder SCRATCH]

Without `--data`, rows are simulated and prepared. Rates are of one thread, over random rows of the train splits, with
the files in the page cache. A sequence counts once, though the preset `seed` makes three reading frames of it in
regression and one, at random, in masked-LM. `DataLoader` adds the sampler and PyTorch's own loop. Resuming is timed
from the start of `Trainer` to the first step, with a tiny model and a checkpoint at several shares of an epoch. Writes
`benchmarks/results/data_loading.json`.
"""

import argparse
import json
import tempfile
import time
from functools import partial
from pathlib import Path

import measuring
import numpy as np
import torch
from torch.utils.data import DataLoader
from transformers import PrinterCallback, TrainerCallback

from dream_bert import BertForSequenceRegression, DreamBertConfig
from dream_bert.data.batches import MaskedLMBatches, RegressionBatches
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.prepare import prepare
from dream_bert.data.sampler import EpochSampler
from dream_bert.data.simulate import simulate_file
from dream_bert.training.arguments import RunArguments
from dream_bert.training.trainer import PromoterTrainer

SEQUENCES = 65_536
SIZES = (64, 256, 1024)
KINDS = {"regression": RegressionBatches, "mlm": MaskedLMBatches}
TINY = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)


def ask_for(batches, numbers: np.ndarray, size: int) -> None:
    for start in range(0, len(numbers), size):
        batches.__getitems__(numbers[start : start + size].tolist())


def iterate(batches, size: int) -> None:
    loader = DataLoader(batches, size, sampler=EpochSampler(len(batches), seed=0), collate_fn=dict)
    for _ in loader:
        pass


def measure_rates(data: Path, repeats: int) -> dict:
    variants, part = {}, {}
    for stage, kind in KINDS.items():
        rows = PromoterDataset(data, stage, "train")
        numbers = np.random.default_rng(0).permutation(len(rows))[:SEQUENCES]
        for preset in ("seed", "compact"):
            config = DreamBertConfig.preset(preset)
            for size in SIZES:
                name = f"{stage}, {preset}, batch {size}"
                variants[name] = partial(ask_for, kind(rows, config), numbers, size)
                part[name] = len(numbers)
            batches = kind(rows, config, limit=SEQUENCES)
            name = f"{stage}, {preset}, batch 64, DataLoader"
            variants[name], part[name] = partial(iterate, batches, 64), len(batches)
    seconds = measuring.in_turns(variants, repeats)
    return {name: measuring.spread([part[name] / value for value in values]) for name, values in seconds.items()}


class FirstStep(TrainerCallback):
    """End the training at its first step, and keep the seconds from its start to that step."""

    def on_train_begin(self, args, state, control, **kwargs):
        self.begin = time.perf_counter()

    def on_step_begin(self, args, state, control, **kwargs):
        self.seconds = time.perf_counter() - self.begin

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = True


def measure_resuming(data: Path, scratch: Path, repeats: int) -> dict:
    rows = PromoterDataset(data, "regression", "train")
    config = DreamBertConfig.preset("compact", **TINY)
    arguments = RunArguments(
        output_dir=str(scratch / "run"), num_train_epochs=2, use_cpu=True, lr_scheduler_type="linear",
        report_to="none", disable_tqdm=True, eval_strategy="no", save_strategy="no", load_best_model_at_end=False,
    )  # fmt: skip
    steps = -(-len(rows) // 64)

    def run(step: int | None) -> float:
        first = FirstStep()
        trainer = PromoterTrainer(
            BertForSequenceRegression(config),
            arguments,
            data_collator=dict,
            train_dataset=RegressionBatches(rows, config),
            callbacks=[first],
        )
        trainer.remove_callback(PrinterCallback)
        if step is None:
            trainer.train()
        else:
            state = json.loads((checkpoint / "trainer_state.json").read_text())
            (checkpoint / "trainer_state.json").write_text(json.dumps(state | {"global_step": step}))
            trainer.train(resume_from_checkpoint=str(checkpoint))
        return first.seconds

    checkpoint = scratch / "run" / "checkpoint-1"
    arguments.save_strategy, arguments.save_steps = "steps", 1
    run(None)
    arguments.save_strategy = "no"
    places = {"start": None, "10 steps in": 10, "50 %": steps // 2, "99 %": steps * 99 // 100}
    seconds = {name: [] for name in places}
    for _ in range(repeats):
        for name, step in places.items():
            seconds[name].append(run(step))
    return {"rows": len(rows), "batch": 64} | {name: measuring.spread(values) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder that `dream-bert prepare` wrote [simulated]")
    parser.add_argument("--rows", type=int, default=6_739_258, help="that are simulated [%(default)s]")
    parser.add_argument("--repeats", type=int, default=5, help="[%(default)s]")
    parser.add_argument("--folder", help="where the large files go for a while [the system's]")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        scratch, data = Path(folder), args.data
        if data is None:
            data = scratch / "prepared"
            simulate_file(args.rows, scratch / "rows.txt")
            prepare([scratch / "rows.txt"], data)
        opening = measuring.in_turns({"open": lambda: PromoterDataset(data, "regression", "train")}, args.repeats, 0)
        opening = {"rows": len(PromoterDataset(data, "regression", "train"))} | measuring.spread(opening["open"])
        rates = measure_rates(data, args.repeats)
        resuming = measure_resuming(data, scratch, args.repeats)
    lines = [[name] + [f"{rate[key]:,.0f}" for key in ("median", "min", "max")] for name, rate in rates.items()]
    print(measuring.table(["sequences a second, one thread", "median", "least", "greatest"], lines))
    print(f"\nopening {opening['rows']:,} rows: {opening['median']:.3f} s, the first time {opening['max']:.3f} s\n")
    lines = [[name, f"{value['median']:.2f}"] for name, value in resuming.items() if isinstance(value, dict)]
    print(measuring.table([f"to the first step of {resuming['rows']:,} rows", "seconds"], lines))
    machine = measuring.machine("torch", "transformers", "accelerate", "pyarrow")
    print(machine)
    measuring.write(__file__, {"machine": machine, "rates": rates, "opening": opening, "resuming": resuming})


if __name__ == "__main__":
    main()
