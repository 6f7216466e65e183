"""Fuzz all readers of input: different ways of reading agree, and unreadable input is an error of one line.

pip install atheris
python benchmarks/fuzz.py --minutes 60

Inputs that reach new code are kept in `fuzz-corpus`, and later runs start from them. An input that fails is written to
`crash-HASH`, and `python benchmarks/fuzz.py crash-HASH` repeats it. The first byte chooses the target.
"""

import argparse
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dream_bert", "gzip", "csv", "json"]):
    from fuzz_seeds import make_folders, seeds
    from fuzz_targets import TARGETS


def test_one_input(data: bytes) -> None:
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fuzz all readers of input.")
    parser.add_argument("crash", nargs="?", type=Path, help="an input to repeat")
    parser.add_argument("--minutes", type=float, default=60, help="how long [%(default)s]")
    parser.add_argument("--corpus", type=Path, default=Path("fuzz-corpus"), help="folder of inputs [%(default)s]")
    args, more = parser.parse_known_args()
    make_folders()
    if args.crash:
        run = [str(args.crash)]
    else:
        args.corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds()):
            Path(args.corpus, f"seed-{number}").write_bytes(seed)
        run = [str(args.corpus), f"-max_total_time={args.minutes * 60:.0f}", "-timeout=30", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *run, *more], test_one_input)
    atheris.Fuzz()
