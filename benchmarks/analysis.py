"""Time mutagenesis, variants and design, each beside others that do the same on the same processor in the same run.

    python benchmarks/analysis.py [--promoters 8] [--repeats 3] [--genome DIR] [--variants N] [--designs 5]

- Promoters mutated a second: `dream_bert.mutagenesis` by each backend and by the convolutions; a plain loop over stock
  transformers, which predicts each of the 241 sequences in batches of 64; and tangermeme's `saturation_mutagenesis` by
  the one-hot adapter.
- Variants a second: `dream_bert.variants` on a VCF file of yeast and its genes, by the backend `onnx-int8`; and the
  plain loop on the windows of the file's first scored variants. DIR holds `R64-1-1.fa.gz`, `R64-1-1.109.gtf.gz` and
  `ensembl_variation.vcf.gz` of Ensembl 109 (https://ftp.ensembl.org/pub/release-109/). Without DIR this is left out.
- Designs a minute: as `benchmarks/design.py`, to one target.

Writes `benchmarks/results/analysis.json`.
"""

import argparse
import gzip
import resource
import tempfile
import time
import warnings
from itertools import islice
from pathlib import Path

import measuring
import numpy as np
import torch
from design import CONSTRAINTS, design_by_ledidi, design_by_us
from prediction import stock
from tangermeme.saturation_mutagenesis import saturation_mutagenesis

from dream_bert import OneHotModel, mutagenesis
from dream_bert.analysis.constraints import Rules
from dream_bert.analysis.variant_files import variants_file
from dream_bert.export.folder import export_folder
from dream_bert.inference.model_files import DEFAULT_MODEL
from dream_bert.inference.prediction import load_predictor

BASES = "ACGT"
LOOP_VARIANTS = 200
"""Variants that the plain loop is timed on."""


def single_substitutions(promoter: str) -> list[str]:
    """Return a promoter and all its single substitutions, 3 L + 1 sequences."""
    changed = [
        promoter[:place] + base + promoter[place + 1 :]
        for place, own in enumerate(promoter)
        for base in BASES
        if base != own
    ]
    return [promoter, *changed]


def one_hot(promoters: list[str]) -> torch.Tensor:
    """Return promoters of one length as float32 (n, 4, length)."""
    return torch.stack([torch.tensor([[float(own == base) for own in text] for base in BASES]) for text in promoters])


def mutated(promoters: list[str], folder: Path, repeats: int) -> dict:
    """Return promoters mutated a second, by each way, and the greatest difference of an effect from the plain loop."""
    run_stock, adapter, effects = stock(DEFAULT_MODEL, 64), OneHotModel(), {}

    def loop() -> np.ndarray:
        values = [run_stock(single_substitutions(promoter)) for promoter in promoters]
        return np.concatenate([value[1:] - value[0] for value in values])

    def ours(**options) -> np.ndarray:
        found = mutagenesis(promoters, **options)
        return found.effects.transpose(0, 2, 1)[found.one_hot.transpose(0, 2, 1) == 0]

    def by_tangermeme() -> np.ndarray:
        before, after = saturation_mutagenesis(
            adapter, one_hot(promoters), batch_size=64, device="cpu", raw_outputs=True
        )
        found = (after - before[:, None, None])[..., 0].numpy().transpose(0, 2, 1)
        return found[one_hot(promoters).numpy().transpose(0, 2, 1) == 0]

    ways = {
        "stock loop": loop,
        "tangermeme": by_tangermeme,
        "torch": ours,
        "onnx": lambda: ours(model=folder, backend="onnx"),
        "onnx-int8": lambda: ours(model=folder, backend="onnx-int8"),
        "dream-promoter-conv, torch": lambda: ours(model="dream-promoter-conv"),
    }
    turns = {name: lambda name=name, way=way: effects.update({name: way()}) for name, way in ways.items()}
    seconds = measuring.in_turns(turns, repeats)
    rates = {name: measuring.spread([len(promoters) / second for second in seconds[name]]) for name in ways}
    for name, row in rates.items():
        row["times_loop"] = row["median"] / rates["stock loop"]["median"]
        if "conv" not in name:
            row["greatest_difference"] = float(np.abs(effects[name] - effects["stock loop"]).max())
    return rates


class Counting:
    """A predictor that counts what it is given, and keeps the first."""

    def __init__(self, predictor):
        self._predictor, self.windows, self.first = predictor, 0, []
        self.longest, self.columns, self.chunk = predictor.longest, predictor.columns, predictor.chunk
        self.insert_lengths = predictor.insert_lengths

    def __call__(self, inserts: list[str]) -> np.ndarray:
        self.windows += len(inserts)
        self.first += inserts[: 16 * LOOP_VARIANTS - len(self.first)]
        return self._predictor(inserts)


def scored(genome: Path, folder: Path, most: int | None) -> dict:
    """Return variants and windows a second of a file of variants, and how many lie upstream of a gene."""
    source = genome / "ensembl_variation.vcf.gz"
    with tempfile.TemporaryDirectory() as scratch:
        if most is not None:
            with gzip.open(source, "rt") as lines, open(Path(scratch, "first.vcf"), "w") as file:
                for line in islice(lines, most + 100):
                    file.write(line)
            source = Path(scratch, "first.vcf")
        predictor = Counting(load_predictor(folder, backend="onnx-int8"))
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            counts = variants_file(
                source,
                genome / "R64-1-1.fa.gz",
                Path(scratch, "scored.vcf.gz"),
                genome / "R64-1-1.109.gtf.gz",
                predictor,
                origin=(folder, "onnx-int8"),
            )
        seconds = time.perf_counter() - begin
    run_stock, begin = stock(DEFAULT_MODEL, 64), time.perf_counter()
    run_stock(predictor.first)
    loop_seconds = time.perf_counter() - begin
    return {
        "records": counts.records,
        "scored_alleles": counts.scored,
        "skipped": dict(counts.skipped),
        "share_upstream": counts.scored / (counts.scored + sum(counts.skipped.values())),
        "windows": predictor.windows,
        "seconds": seconds,
        "variants_per_second": counts.records / seconds,
        "windows_per_second": predictor.windows / seconds,
        "loop_windows_per_second": len(predictor.first) / loop_seconds,
        # A loop predicts eight windows of the reference and eight of the allele for every one that is scored.
        "times_loop": 16 * counts.scored / (len(predictor.first) / loop_seconds) / seconds,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def designed(number: int, target: float) -> dict:
    """Return designs a minute to a target: greedy, evolution, and ledidi."""
    rules, rng = Rules(CONSTRAINTS), np.random.default_rng(0)
    starts = [rules.draw(80, rng) for _ in range(number)]
    ways = {
        "greedy": lambda: design_by_us(starts, target, "greedy", None),
        "evolution": lambda: design_by_us(starts, target, "evolution", None),
        "ledidi": lambda: design_by_ledidi(starts, target, 200),
    }
    result = {}
    for name, way in ways.items():
        begin = time.perf_counter()
        designs = way()
        result[name] = {"per_minute": 60 * len(designs) / (time.perf_counter() - begin)}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--promoters", type=int, default=8, help="promoters that are mutated [%(default)s]")
    parser.add_argument("--repeats", type=int, default=3, help="of mutagenesis [%(default)s]")
    parser.add_argument("--genome", type=Path, metavar="DIR", help="the yeast genome, its genes and variants [none]")
    parser.add_argument("--variants", type=int, metavar="N", help="the first variants alone [all]")
    parser.add_argument("--designs", type=int, default=5, help="designs by each method; 0: none [%(default)s]")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    promoters = ["".join(rng.choice(list(BASES), 80)) for _ in range(options.promoters)]
    result = {
        "machine": measuring.machine("torch", "transformers", "onnxruntime", "tangermeme", "ledidi"),
        "threads": torch.get_num_threads(),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "exported")
        export_folder(folder)
        # First: its peak memory is that of the process.
        if options.genome is not None:
            result["variants"] = scored(options.genome, folder, options.variants)
            print(result["variants"])
        result["mutagenesis"] = mutated(promoters, folder, options.repeats)
    rows = [
        [
            name,
            f"{row['median']:.2f} ({row['min']:.2f}-{row['max']:.2f})",
            f"{row['times_loop']:.2f}",
            f"{row['greatest_difference']:.1e}" if "greatest_difference" in row else "",
        ]
        for name, row in result["mutagenesis"].items()
    ]
    print(measuring.table(["mutagenesis", "promoters a second", "times the loop", "greatest difference"], rows))
    if options.designs:
        result["design"] = designed(options.designs, 12.0)
        rows = [[name, f"{row['per_minute']:.1f}"] for name, row in result["design"].items()]
        print(measuring.table(["design", "designs a minute"], rows))
    measuring.write(__file__, result)


if __name__ == "__main__":
    main()
