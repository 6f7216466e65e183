"""Let a trained model label promoters that nobody measured, for another to learn from.

    python examples/pseudo_label.py --data prepared --model conv -n 704512 -o taught.tsv.gz
    dream-bert prepare taught.tsv.gz -o taught --stage regression

The table has columns `sequence` and `expression`: the rows of the prepared folder's train split, with the mean of what
was measured and what the model says, and n others, made as `invent` tells. Held-out rows are not looked at.
"""

import argparse
from pathlib import Path

import numpy as np

from dream_bert import predict
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.simulate import BASE_FREQUENCIES
from dream_bert.inference.prediction import load_model
from dream_bert.io.output import open_output, text_stream
from dream_bert.sequence.construct import to_oligo
from dream_bert.sequence.encoding import K, bases, spell

CHUNK = 8192


def measured_rows(prepared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Bases of the train split's promoters, uint8 (n, length), those of the most frequent length, and expression."""
    dataset = PromoterDataset(prepared, "regression", "train")
    windows, offsets, expression = dataset.rows(np.arange(len(dataset)))
    lengths = np.diff(offsets)
    kept = lengths == np.bincount(lengths).argmax()
    windows = windows[np.repeat(kept, lengths)].reshape(kept.sum(), -1)
    return bases(windows)[:, : 1 - K].astype(np.uint8), expression[kept]


def invent(measured: np.ndarray, n: int, draw: np.random.Generator) -> np.ndarray:
    """Promoters, bases 0 to 4, uint8 (n, length): a third random, of the challenge's composition; a third a measured
    promoter's beginning and another's, or a random one's, end; a third measured promoters with up to a fifth of their
    bases replaced. Half of all are then followed by a copy in which one base differs."""
    length = measured.shape[1]
    n_own = -(-n * 2 // 3)
    random = draw.choice(4, (n_own, length), p=np.divide(BASE_FREQUENCIES, sum(BASE_FREQUENCIES))).astype(np.uint8)
    kind = draw.integers(3, size=(n_own, 1))
    first, second = (measured[draw.integers(len(measured), size=n_own)] for _ in range(2))
    second = np.where(draw.random((n_own, 1)) < 0.5, second, random)
    spliced = np.where(np.arange(length) < draw.integers(1, length, size=(n_own, 1)), first, second)
    mutated = np.where(draw.random((n_own, length)) < draw.uniform(0, 0.2, (n_own, 1)), random, first)
    own = np.where(kind == 0, random, np.where(kind == 1, spliced, mutated))
    mutants = own[draw.permutation(n_own)[: n - n_own]].copy()
    at = draw.integers(length, size=len(mutants))
    rows = np.arange(len(mutants))
    mutants[rows, at] = (mutants[rows, at] + draw.integers(1, 4, size=len(mutants))) % 4
    return np.concatenate([own, mutants])


def main(args: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="that the model learned from")
    parser.add_argument("--model", required=True, metavar="DIR", help="folder of the model")
    parser.add_argument("-n", type=int, default=704_512, help="promoters to invent [%(default)s]")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="TSV.GZ")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    args = parser.parse_args(args)
    model = load_model(args.model)
    measured, expression = measured_rows(args.data)
    draw = np.random.default_rng(args.seed)
    with open_output(args.output) as raw, text_stream(raw, zipped=args.output.suffix == ".gz") as file:
        print("sequence", "expression", sep="\t", file=file)
        inserts = list(map(spell, measured))
        _write(file, inserts, (expression + predict(inserts, model)) / 2)
        for begin in range(0, args.n, CHUNK):
            inserts = list(map(spell, invent(measured, min(CHUNK, args.n - begin), draw)))
            _write(file, inserts, predict(inserts, model))


def _write(file, inserts: list[str], expression: np.ndarray) -> None:
    for insert, value in zip(inserts, expression.tolist(), strict=True):
        print(to_oligo(insert), f"{value:.4f}", sep="\t", file=file)


if __name__ == "__main__":
    main()
