"""Describe the machine, time in turns, compute spreads, and write results, for all benchmarks."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from dream_bert.io.output import open_output

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def machine(*packages: str) -> dict:
    """Describe the processor, its cores and memory, and the versions of Python, this package and `packages`."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("dream-promoter-bert", "numpy", *packages)},
    }


def instruction_sets() -> str:
    """Name the widest vectors of the processor, or the limit set for oneDNN, and its products of 8 and 16 bits."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    found = next((line.split(":")[1].split() for line in cpuinfo.splitlines() if line.startswith("flags")), [])
    if limit := os.environ.get("ONEDNN_MAX_CPU_ISA"):
        return f"limited to {limit}"
    vectors = "AVX-512" if "avx512f" in found else "AVX2" if "avx2" in found else "no AVX2"
    products = {"VNNI": ("avx512_vnni", "avx_vnni"), "BF16": ("avx512_bf16",), "AMX": ("amx_int8",)}
    return ", ".join([vectors, *(name for name, flags in products.items() if {*flags} & {*found})])


def processor() -> str:
    """Name the processor and its instruction sets."""
    return f"{machine()['processor'].removesuffix(' Processor').replace('(R)', '')} ({instruction_sets()})"


def in_turns(variants: dict[str, Callable[[], object]], repeats: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Time each variant `repeats` times, in turns, so that a slow minute slows all of them; returns seconds."""
    seconds = {name: [] for name in variants}
    for repeat in range(-warm_up, repeats):
        for name, run in variants.items():
            begin = time.perf_counter()
            run()
            if repeat >= 0:
                seconds[name].append(time.perf_counter() - begin)
        print(f"\rrepeat {repeat + 1} of {repeats} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return seconds


def spread(values: list[float]) -> dict[str, float]:
    """Return median, minimum, maximum and number of the values."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "repeats": len(values)}


def table(header: list[str], rows: list[list[str]]) -> str:
    """Format a Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows])


def write(script: str, result: dict) -> None:
    """Write `benchmarks/results/NAME.json`, named after the script."""
    path = RESULTS / Path(script).with_suffix(".json").name
    write_json(path, result)
    print(f"wrote {path}", file=sys.stderr)


def write_for(processor: str, script: str, result: dict) -> None:
    """Write a result into `benchmarks/results/NAME.json` beside those of other processors."""
    path = RESULTS / Path(script).with_suffix(".json").name
    write(script, (json.loads(path.read_text()) if path.exists() else {}) | {processor: result})


def write_json(path: Path, result: dict) -> None:
    """Write results to a file, which appears when it is complete."""
    with open_output(path) as file:
        file.write(json.dumps(result, indent=1).encode() + b"\n")
