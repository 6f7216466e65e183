"""Label promoters that nobody measured with a trained model's predictions, so that another model can learn from them.

    python examples/pseudo_label.py --data prepared --model conv -n 704512 -o taught.tsv.gz
    dream-bert prepare taught.tsv.gz -o taught --stage regression

The table has columns `sequence` and `expression`: the prepared folder's train rows, each with the mean of measurement
and prediction, and n generated promoters (see `invent`) with the prediction. Held-out rows are not read.
"""

import argparse
from pathlib import Path

import numpy as np

from dream_bert import predict
from dream_bert.data.dataset import PromoterDataset
from dream_bert.data.simulate import BASE_FREQUENCIES
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import model_name
from dream_bert.io.output import open_output, text_stream
from dream_bert.sequence.construct import to_oligo
from dream_bert.sequence.encoding import K, bases, spell, window_ids

CHUNK = 8192


def measured_rows(prepared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the train promoters of the most frequent length: bases, uint8 (n, length), and expression, float32 (n,)."""
    dataset = PromoterDataset(prepared, "regression", "train")
    inserts, expression = dataset.rows(np.arange(len(dataset)))
    lengths = np.array(list(map(len, inserts)))
    kept = np.flatnonzero(lengths == np.bincount(lengths).argmax())
    windows, _ = window_ids([inserts[i] for i in kept])
    return bases(windows).reshape(len(kept), -1)[:, : 1 - K].astype(np.uint8), expression[kept]


def invent(measured: np.ndarray, n: int, draw: np.random.Generator) -> np.ndarray:
    """Generate promoters; bases are 0 to 4.

    A third are random, with the challenge's composition. A third join the beginning of a measured promoter to the end
    of another or of a random one. A third are measured promoters with up to a fifth of their bases replaced. A copy of
    half of all these, with one base changed, follows.

    Args:
        measured: uint8 (rows, length).
        n: how many to generate, copies included.
        draw: the random generator.

    Returns:
        uint8 (n, length).
    """
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
    model = load_model(model_name(args.model))
    measured, expression = measured_rows(args.data)
    draw = np.random.default_rng(args.seed)
    with open_output(args.output) as raw, text_stream(raw, args.output) as file:
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
