"""Time the preparation of the challenge's full size, with memory and split counts, against the usual tokenising.

    python benchmarks/preparation.py [--file promoters.txt] [--rows 6739258] [--map-rows 20000] [--folder SCRATCH]

Without `--file`, the rows are simulated. `dream-bert prepare` runs in its own process on a tenth of the rows, on all,
and on all gzipped. Memory is the peak of the process, pages of mapped files included (reported by Linux only). The
usual way is `datasets.map` with the package's tokenizer on the first rows, in one process whose threads use both
cores, or in two. It is compared with `prepare` of the same rows, which also reads, checks and splits them. Writes
`benchmarks/results/preparation.json`.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from itertools import islice
from pathlib import Path

import datasets
import measuring

from dream_bert.data.manifest import read_manifest
from dream_bert.data.prepare import prepare
from dream_bert.data.simulate import simulate_file
from dream_bert.sequence.tokenizer import KmerTokenizer

PREPARE = """
import json, sys, time
from pathlib import Path
from dream_bert.cli.main import main
status = main(sys.argv[1:])
peak = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
print(json.dumps({"cpu_seconds": time.process_time(), "peak_mib": int(peak) / 1024}))
sys.exit(status)
"""
LAYOUTS = {"stride 3, context 150 bp": (3, 150), "stride 1, no context": (1, 0)}


def run_prepare(source: Path, folder: Path, usages: list[dict]) -> None:
    """Run the command in a process of its own; its processor time and peak memory go to `usages`."""
    command = [sys.executable, "-c", PREPARE, "prepare", source, "-o", folder, "--overwrite"]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    usages.append(json.loads(output.splitlines()[-1]))


def copy_lines(source: Path, target: Path, count: int) -> None:
    with source.open("rb") as lines, target.open("wb") as file:
        file.writelines(islice(lines, count))


def measure_prepare(source: Path, rows: int, scratch: Path, repeats: int) -> dict:
    tenth, zipped = scratch / "tenth.txt", scratch / "all.txt.gz"
    copy_lines(source, tenth, rows // 10)
    with source.open("rb") as plain, gzip.open(zipped, "wb", compresslevel=1) as file:
        shutil.copyfileobj(plain, file, 1 << 20)
    sources = {"a tenth": (tenth, rows // 10), "all": (source, rows), "all, gzipped": (zipped, rows)}
    usages = {name: [] for name in sources}
    runs = {
        name: partial(run_prepare, path, scratch / name.replace(", ", "_"), usages[name])
        for name, (path, _) in sources.items()
    }
    seconds = measuring.in_turns(runs, repeats, warm_up=0)
    results = {}
    for name, (path, count) in sources.items():
        manifest = read_manifest(scratch / name.replace(", ", "_"))
        results[name] = {
            "rows": count,
            "bytes": path.stat().st_size,
            "seconds": measuring.spread(seconds[name]),
            "cpu_seconds": measuring.spread([usage["cpu_seconds"] for usage in usages[name]]),
            "peak_mib": measuring.spread([usage["peak_mib"] for usage in usages[name]]),
            "splits": {
                f"{stage}/{split}": [entry["rows"], entry["duplicates_dropped"]]
                for stage, splits in manifest["stages"].items()
                for split, entry in splits.items()
            },
        }
    more = results["all"]["peak_mib"]["median"] - results["a tenth"]["peak_mib"]["median"]
    return results | {"bytes_a_row": more * 2**20 / (rows - rows // 10)}


def measure_map(source: Path, count: int, scratch: Path, repeats: int) -> dict:
    part = scratch / "part.txt"
    copy_lines(source, part, count)
    datasets.disable_caching()
    datasets.disable_progress_bars()
    table = datasets.load_dataset(
        "csv", data_files=str(part), sep="\t", names=["sequence", "expression"], split="train", cache_dir=str(scratch)
    )
    variants = {"prepare": lambda: prepare([part], scratch / "part", overwrite=True)}
    for layout, (stride, context) in LAYOUTS.items():
        tokenizer = KmerTokenizer.build(stride, context, 512)
        for processes in (None, 2):

            def tokenise(tokenizer=tokenizer, processes=processes):
                table.map(lambda batch: tokenizer(batch["sequence"]), batched=True, num_proc=processes)

            variants[f"datasets.map, {layout}, num_proc={processes}"] = tokenise
    seconds = measuring.in_turns(variants, repeats)
    return {name: {"rows": len(table), "seconds": measuring.spread(values)} for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, help="lines of sequence TAB expression [simulated]")
    parser.add_argument("--rows", type=int, default=6_739_258, help="that are simulated [%(default)s]")
    parser.add_argument("--map-rows", type=int, default=20_000, help="rows for datasets.map [%(default)s]")
    parser.add_argument("--repeats", type=int, default=3, help="[%(default)s]")
    parser.add_argument("--folder", help="where the large files go for a while [the system's]")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        scratch, source = Path(folder), args.file
        if source is None:
            source = scratch / "all.txt"
            simulate_file(args.rows, source)
        with source.open("rb") as lines:
            rows = sum(1 for _ in lines)
        prepared = measure_prepare(source, rows, scratch, args.repeats)
        usual = measure_map(source, args.map_rows, scratch, args.repeats)
    bytes_a_row = prepared.pop("bytes_a_row")
    columns = ["rows", "seconds", "rows a second", "cpu seconds", "peak MiB"]
    lines = [
        [name, f"{run['rows']:,}", f"{run['seconds']['median']:.1f}"]
        + [f"{run['rows'] / run['seconds']['median']:,.0f}"]
        + [f"{run['cpu_seconds']['median']:.1f}", f"{run['peak_mib']['median']:.0f}"]
        for name, run in prepared.items()
    ]
    print(measuring.table(["dream-bert prepare", *columns], lines))
    print(f"\nmemory grows by {bytes_a_row:.0f} bytes a row\n")
    for split, (kept, dropped) in prepared["all"]["splits"].items():
        print(f"{split}: {kept:,} rows, {dropped:,} duplicates dropped")
    ours = usual["prepare"]["seconds"]["median"]
    full = prepared["all"]["seconds"]["median"] / prepared["all"]["rows"]
    lines = []
    for name, run in usual.items():
        seconds = run["seconds"]["median"]
        run |= {"times_prepare": seconds / ours, "times_prepare_of_all": seconds / run["rows"] / full}
        ratios = [f"{run[key]:.1f}" for key in ("times_prepare", "times_prepare_of_all")]
        lines.append([name, f"{seconds:.2f}", f"{run['rows'] / seconds:,.0f}", *ratios])
    print()
    print(measuring.table(["", "seconds", "rows a second", "times prepare", "times prepare of all"], lines))
    machine = measuring.machine("pyarrow", "datasets", "tokenizers", "transformers")
    print(machine)
    result = {"machine": machine, "prepare": prepared, "bytes_a_row": bytes_a_row, "usual": usual}
    measuring.write(__file__, result)


if __name__ == "__main__":
    main()
