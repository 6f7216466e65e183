"""Time prediction: stock transformers, and this package with torch, ONNX Runtime, and ONNX Runtime in int8.

    python benchmarks/prediction.py [--sequences FILE] [--all] [--leaderboard DIR] [--sweep] [--million]

Everything runs on the CPU, in turns, tokenising included: stock `AutoModelForSequenceClassification` (SDPA,
float32) with the stock tokenizer of the model's folder, in batches of the same size, against `dream_bert.predict`.
Adds the results to `benchmarks/results/prediction.json`, by processor. With `ATEN_CPU_CAPABILITY=avx2`,
`ONEDNN_MAX_CPU_ISA=AVX2` and `MKL_ENABLE_INSTRUCTIONS=AVX2` torch works as on a processor without AVX-512; ONNX
Runtime has no such switch, so it is then left out.
"""

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from limits import operations, product_rates
from measuring import in_turns, machine, processor, spread, table, write_for
from public_leaderboard import PublicLeaderboard
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from dream_bert.data.simulate import simulate
from dream_bert.export.folder import export_folder
from dream_bert.inference.loading import load_model
from dream_bert.inference.prediction import BACKENDS, predict
from dream_bert.inference.predictor import BATCH_SIZE
from dream_bert.io.reader import read_records

_PART = 8000
MEMORY_ROWS = (10_000, 1_000_000)
# `ru_maxrss` would count what this process held when it started the other.
_COPIES = 16
"""Equal ones of 8,192 sequences are predicted once: a million rows in a minute."""

_PEAK = """
import re, sys
from dream_bert.cli.main import main
status = main(sys.argv[1:])
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024)
sys.exit(status)
"""


def stock(folder: Path, batch_size: int):
    """Return a function that predicts with stock transformers alone, in the order of the sequences."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="sdpa").eval()

    @torch.inference_mode()
    def run(sequences: list[str]) -> np.ndarray:
        parts = []
        for start in range(0, len(sequences), batch_size):
            inputs = tokenizer(sequences[start : start + batch_size], padding=True, return_tensors="pt")
            parts.append(model(inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits[:, 0].numpy())
        return np.concatenate(parts)

    return run


def measured_backends() -> list[str]:
    """Return the backends that the limits of the processor apply to."""
    return [name for name in BACKENDS if "ONEDNN_MAX_CPU_ISA" not in os.environ or name == "torch"]


def speeds(folder: Path, parts: list[list[str]], batch_size: int, repeats: int) -> tuple[dict, dict[str, np.ndarray]]:
    """Return each backend's sequences per second, ONNX files loaded each time, and its predictions."""
    run_stock, torch_model = stock(folder, batch_size), load_model(folder).cpu()
    ways = {"stock": run_stock, "torch": lambda part: predict(part, torch_model, batch_size)}
    for backend in measured_backends()[1:]:
        ways[backend] = lambda part, backend=backend: predict(part, folder, batch_size, backend)
    results, rates = {name: [] for name in ways}, {name: [] for name in ways}
    for part in parts:
        last = {}
        turns = {
            name: lambda name=name, way=way, part=part, last=last: last.update({name: way(part)})
            for name, way in ways.items()
        }
        for name, seconds in in_turns(turns, repeats, warm_up=int(part is parts[0])).items():
            rates[name] += [len(part) / second for second in seconds]
            results[name].append(last[name])
    rates = {name: spread(values) for name, values in rates.items()}
    for row in rates.values():
        row["times_stock"] = row["median"] / rates["stock"]["median"]
    return rates, {name: np.concatenate(values) for name, values in results.items()}


def agreement(results: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Return each backend's Pearson r with stock and its greatest difference from stock."""
    expected = results["stock"].astype(np.float64)
    return {
        name: {
            "pearson": float(np.corrcoef(expected, values)[0, 1]),
            "max_difference": float(np.abs(expected - values).max()),
        }
        for name, values in results.items()
        if name != "stock"
    }


def peak_memory(folder: Path, rows: int, backend: str) -> float:
    """Return the peak memory in MiB of `dream-bert predict` on a file of so many sequences, each 16 times in a row."""
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch, "promoters.txt.gz"), Path(scratch, "out.tsv.gz")
        with gzip.open(source, "wt") as file:
            for oligos, *_ in simulate(rows // _COPIES, seed=2):
                file.writelines(f"{oligo}\n" * _COPIES for oligo in oligos)
        arguments = ["predict", source, "-o", output, "--model", folder, "--backend", backend]
        command = [sys.executable, "-c", _PEAK, *map(str, arguments)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        with gzip.open(output, "rb") as lines:
            assert sum(1 for _ in lines) == rows + 1
    return round(float(done.stdout), 1)


def leaderboard_scores(folder: Path, leaderboard: Path) -> dict[str, dict[str, float]]:
    """Return each backend's Pearson score and Spearman score on the public leaderboard."""
    public = PublicLeaderboard(leaderboard)
    scores = {
        backend: public.score(predict(public.sequences, folder, backend=backend)) for backend in measured_backends()
    }
    return {name: {key: row[key] for key in ("pearson_score", "spearman_score")} for name, row in scores.items()}


def report(result: dict) -> str:
    rates = [[f"{row['median']:.0f} ({row['min']:.0f}-{row['max']:.0f})"] for row in result["products"].values()]
    parts = [
        table(
            ["matrix product", "1e9 operations/s"], [[n, *r] for n, r in zip(result["products"], rates, strict=True)]
        ),
        table(["arithmetic", "1e6 operations"], [[n, f"{v / 1e6:.0f}"] for n, v in result["operations"].items()]),
    ]
    for batch_size, ways in (result["speeds"] | result.get("sweep", {})).items():
        rows = []
        for name, row in ways.items():
            rate = f"{row['median']:.0f} ({row['min']:.0f}-{row['max']:.0f})"
            rows.append([name, rate, f"{row['times_stock']:.2f}"])
        parts.append(table([f"batches of {batch_size}", "sequences/s", "times stock"], rows))
    rows = [[n, f"{v['pearson']:.6f}", f"{v['max_difference']:.2g}"] for n, v in result["agreement"].items()]
    parts.append(table(["with stock", "Pearson", "greatest difference"], rows))
    if "leaderboard" in result:
        rows = [[n, *(f"{v:.4f}" for v in row.values())] for n, row in result["leaderboard"].items()]
        parts.append(table(["public leaderboard", "Pearson score", "Spearman score"], rows))
    if result["peak_memory_mib"]:
        rows = [[str(n), str(mib)] for n, mib in result["peak_memory_mib"].items()]
        parts.append(table(["sequences in a file", "peak memory, MiB"], rows))
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", metavar="FILE", help="as `dream-bert predict` reads them [simulated ones]")
    parser.add_argument("--all", action="store_true", help="time all sequences of the file once, in parts of 8,000")
    parser.add_argument("--repeats", type=int, default=5, help="[%(default)s]")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help="[%(default)s]")
    parser.add_argument("--sweep", action="store_true", help="batches of 8 to 256 on 1,024 sequences too")
    parser.add_argument("--leaderboard", type=Path, metavar="DIR", help="score each backend, too")
    parser.add_argument("--million", action="store_true", help="memory of 10 thousand and a million sequences too")
    args = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if args.sequences:
        sequences = [record.sequence for record in islice(read_records(args.sequences), None if args.all else _PART)]
    else:
        sequences = next(simulate(_PART))[0]
    parts = [sequences[start : start + _PART] for start in range(0, len(sequences), _PART)]
    packages = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")
    result = {"machine": machine(*packages) | {"threads": torch.get_num_threads()}, "sequences": len(sequences)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        export_folder(folder)
        result["products"] = product_rates(args.repeats)
        result["operations"] = operations(load_model(folder).config)
        rates, results = speeds(folder, parts, args.batch_size, 1 if args.all else args.repeats)
        result["speeds"] = {args.batch_size: rates}
        if args.sweep:
            sizes = (8, 16, 32, 64, 128, 256)
            result["sweep"] = {size: speeds(folder, [sequences[:1024]], size, args.repeats)[0] for size in sizes}
        result["agreement"] = agreement(results)
        if args.leaderboard:
            result["leaderboard"] = leaderboard_scores(folder, args.leaderboard)
        rows = MEMORY_ROWS if args.million else MEMORY_ROWS[:1]
        result["peak_memory_mib"] = {n: peak_memory(folder, n, "onnx-int8") for n in rows}
    print(processor(), report(result), sep="\n\n")
    write_for(processor(), __file__, result)


if __name__ == "__main__":
    main()
