"""Measure what a fine-tuned model predicts of held-out promoters, by the number of rows, beside its peers.

    python benchmarks/finetune.py other_scaffold.tsv.gz --rows 50 200 500 2000 0
    python benchmarks/finetune.py --simulate 250 --rows 2000
    python benchmarks/finetune.py --simulate 250 --rows 2000 --model dream-promoter-bert

The same rows are held out for every number of rows, and each larger number holds the smaller ones. Prints a table, and
adds the results to `benchmarks/results/finetune.json`. A row's minutes are those of the whole command, the training
from random weights included.
"""

import argparse
import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import measuring
import numpy as np

from dream_bert import finetune
from dream_bert.data.simulate import BASE_FREQUENCIES, BASES, CELL_NOISE, true_expression
from dream_bert.io.reader import read_records
from dream_bert.training.comparison import TargetComparison

PATH = measuring.RESULTS / "finetune.json"


def simulated(rows: int, length: int) -> list[tuple[str, float]]:
    """Simulate promoters of one length with `dream-bert simulate`'s model of expression and the noise of one cell."""
    random = np.random.default_rng(0)
    share = np.divide(BASE_FREQUENCIES, sum(BASE_FREQUENCIES))
    bases = random.choice(len(BASES), size=(rows, length), p=share).astype(np.uint8)
    # Longer inserts hold more motifs; their effects are divided, so that expression has the spread of 80 bp.
    truth = true_expression(bases, np.full(rows, length))
    truth = truth.mean() + (truth - truth.mean()) / np.sqrt(length / 80)
    labels = truth + random.normal(scale=CELL_NOISE, size=rows)
    letters = np.array(list(BASES))
    return [("".join(letters[row]), label) for row, label in zip(bases, labels.tolist(), strict=True)]


def write_table(path: Path, rows: list[tuple[str, float]]) -> Path:
    path.write_text("sequence\texpression\n" + "".join(f"{insert}\t{label!r}\n" for insert, label in rows))
    return path


def measure(rows: list[tuple[str, float]], test: list[tuple[str, float]], model: str | None, folder: Path) -> dict:
    """Fine-tune on rows, and return the scores on the test rows, with minutes."""
    tables = write_table(folder / "train.tsv", rows), write_table(folder / "test.tsv", test)
    begin, cpu = time.perf_counter(), time.process_time()
    done = finetune(tables[0], folder / "model", model, test=tables[1])
    minutes, cpu = (time.perf_counter() - begin) / 60, (time.process_time() - cpu) / 60
    (compared,) = done.comparison.targets
    info = json.loads((done.folder / "training_info.json").read_text())
    return {
        "rows": len(rows),
        "held_out": len(test),
        "start": info["finetuning"]["start"],
        "positions": info["finetuning"]["positions"],
        "minutes": round(minutes, 2),
        "cpu_minutes": round(cpu, 2),
        "load_average": round(os.getloadavg()[0], 1),
        "scores": scores(compared),
        "ahead_of_ridge": compared.ahead_of_ridge,
        "interval": list(compared.difference),
    }


def scores(comparison: TargetComparison) -> dict[str, dict[str, float | None]]:
    """Return the scores by predictor; undefined numbers are None."""
    return {
        peer.name: {
            name: value if np.isfinite(value) else None for name, value in peer._asdict().items() if name != "name"
        }
        for peer in comparison.scores
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", help="table of measured promoters")
    parser.add_argument("--simulate", type=int, metavar="BP", help="simulate promoters of so many bp instead")
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200, 500, 2000, 0], help="0 for all [%(default)s]")
    parser.add_argument("--held-out", type=int, default=2000, help="promoters to test on [%(default)s]")
    parser.add_argument("--model", help="to start from [chosen]")
    args = parser.parse_args()
    if (args.data is None) == (args.simulate is None):
        parser.error("give a table or --simulate")
    if args.simulate:
        name = f"simulated, {args.simulate} bp"
        promoters = simulated(args.held_out + max(args.rows), args.simulate)
    else:
        name = Path(args.data).name
        promoters = [(record.sequence, record.expression) for record in read_records(args.data, labelled=True)]
    order = np.random.default_rng(0).permutation(len(promoters))
    promoters = [promoters[number] for number in order]
    test, training = promoters[: args.held_out], promoters[args.held_out :]
    for rows in args.rows:
        with TemporaryDirectory() as folder:
            result = measure(training[: rows or None], test, args.model, Path(folder))
        print({"data": name} | result, flush=True)
        add(name, result)


def add(name: str, result: dict) -> None:
    """Put a result in the place of an earlier one of the same data, rows and start, and print the table."""
    whole = json.loads(PATH.read_text()) if PATH.exists() else {"results": {}}
    key = ("rows", "start")
    others = [old for old in whole["results"].get(name, []) if [old[k] for k in key] != [result[k] for k in key]]
    whole["results"][name] = sorted([*others, result], key=lambda row: (row["start"], row["rows"]))
    whole["machine"] = measuring.machine("torch", "transformers")
    lines = [
        [
            str(row["rows"]),
            row["start"],
            *("-" if value["pearson"] is None else f"{value['pearson']:.3f}" for value in row["scores"].values()),
            f"{row['minutes']:.1f}",
        ]
        for row in whole["results"][name]
    ]
    print(measuring.table(["rows", "start", *result["scores"], "minutes"], lines))
    measuring.write(__file__, whole)


if __name__ == "__main__":
    main()
