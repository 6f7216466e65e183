"""Fine-tune DeepAtt on measured promoters.

    python examples/fine_tune_deepatt.py DeepAtt_model.h5 --data prepared -o deepatt.safetensors --seed 1

It starts from the mean of the weights that it is given, trains on the train split, and logs the error on the
validation split three times an epoch. The weights that it writes predict expression in the units of the labels, or of
other measurements (`--units`).
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from dream_bert.data.dataset import PromoterDataset
from dream_bert.sequence.construct import to_oligo
from dream_bert.training import deepatt
from dream_bert.training.run import run_script

BATCH = 128
SCALED = 16
"""One row of so many is used to find the scale of the output."""


def read_split(folder: Path, split: str) -> tuple[list[str], np.ndarray]:
    """Read the oligos of a split of a prepared folder, and their expression, float32 (n,)."""
    rows = PromoterDataset(folder, "regression", split)
    inserts, expression = rows.rows(np.arange(len(rows)))
    return list(map(to_oligo, inserts)), expression


def rescale(model: deepatt.DeepAtt, oligos: list[str], expression: np.ndarray) -> None:
    """Scale the network's output to the expression of these promoters, by least squares."""
    slope, offset = np.polyfit(deepatt.predict(oligos, model), expression, 1)
    with torch.no_grad():
        model.dense_2["kernel"] *= slope
        model.dense_2["bias"].mul_(slope).add_(offset)


def train(
    model: deepatt.DeepAtt,
    rows: tuple[list[str], np.ndarray],
    epochs: float,
    rate: float,
    seed: int,
    report: Callable[[int], None],
) -> None:
    """Minimise the squared error with Adam and a cosine schedule.

    Args:
        model: changed in place.
        rows: oligos, and their expression, float32 (n,).
        epochs: how often each row is used; may be a fraction.
        rate: the learning rate at the start.
        seed: of order and dropout.
        report: called three times an epoch, with the number of steps.
    """
    oligos, expression = deepatt.one_hot(rows[0]).bool(), torch.from_numpy(rows[1])
    variance = expression.var()
    draw = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # for dropout
    per_epoch = math.ceil(len(expression) / BATCH)
    steps = math.ceil(epochs * per_epoch)
    optimizer = torch.optim.Adam(_rates(model, rate, float(variance.sqrt())))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: (1 + math.cos(math.pi * step / max(1, steps))) / 2
    )
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(len(expression), generator=draw)
        batch = order[step % per_epoch * BATCH :][:BATCH]
        model.train()
        error = model(oligos[batch].float()) - expression[batch]
        optimizer.zero_grad()
        (error.square().mean() / variance).backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % math.ceil(per_epoch / 3) == 0 or step + 1 == steps:
            report(step + 1)


def _rates(model: deepatt.DeepAtt, rate: float, spread: float) -> list[dict]:
    """Group the weights by learning rate; the last layer's is larger, as its weights are on the labels' scale."""
    last = list(model.dense_2.parameters())
    others = [weight for name, weight in model.named_parameters() if not name.startswith("dense_2")]
    return [{"params": others, "lr": rate}, {"params": last, "lr": rate * spread}]


def main(args: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, nargs="+", metavar="FILE", help="DeepAtt's, .h5 or .safetensors")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="prepared")
    parser.add_argument("--units", type=Path, metavar="FOLDER", help="prepared, to scale the predictions to [--data]")
    parser.add_argument("--epochs", type=float, default=3, help="0 only scales the output [%(default)s]")
    parser.add_argument("--rate", type=float, default=5e-4, help="Adam's learning rate [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SAFETENSORS")
    args = parser.parse_args(args)
    model = deepatt.mean(list(map(deepatt.load, args.weights)))
    training, validation = (read_split(args.data, split) for split in ("train", "validation"))
    rescale(model, training[0][::SCALED], training[1][::SCALED])

    def report(step: int) -> None:
        predicted = deepatt.predict(validation[0], model.eval())
        r, error = np.corrcoef(predicted, validation[1])[0, 1], np.square(predicted - validation[1]).mean()
        print(f"step {step}: validation r {r:.4f}, mean squared error {error:.3f}", file=sys.stderr, flush=True)

    report(0)
    train(model, training, args.epochs, args.rate, args.seed, report)
    if args.units:
        oligos, expression = read_split(args.units, "train")
        rescale(model.eval(), oligos[::SCALED], expression[::SCALED])
    deepatt.save(model.eval(), args.output)


if __name__ == "__main__":
    run_script(main)
