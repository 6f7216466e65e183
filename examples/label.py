"""Label promoters with DeepAtt's predictions, so that the models of this package can learn from them.

    python examples/label.py measured deepatt.safetensors --data prepared -o measured.tsv.gz
    python examples/label.py invented deepatt.safetensors --data prepared -n 500000 -o invented.tsv.gz
    dream-bert prepare measured.tsv.gz invented.tsv.gz -o taught --stage regression

A table has columns `sequence` and `expression`: the prediction, in the units that `fine_tune_deepatt.py` has scaled it
to. Held-out rows are not read.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from fine_tune_deepatt import read_split
from invent import evolve, invent, random_bases, write_out
from motifs import read_jaspar

from dream_bert import predict
from dream_bert.errors import ArgumentError, ReadError
from dream_bert.inference.loading import load_model
from dream_bert.inference.model_files import model_name
from dream_bert.inference.prediction import load_predictor
from dream_bert.io.output import open_output, text_stream
from dream_bert.io.reader import read_records
from dream_bert.sequence.construct import SequenceError, check_insert, to_insert, to_oligo
from dream_bert.sequence.encoding import BASES, spell
from dream_bert.training import deepatt
from dream_bert.training.run import run_script

CHUNK = 8192
LENGTH = 80
GENERATIONS, CHILDREN = 12, 6
MINED = 0.25

Labelled = Iterator[tuple[list[str], np.ndarray]]
"""Parts of a table: inserts and their labels."""


def as_bases(inserts: Sequence[str]) -> np.ndarray:
    """Return the inserts that have 80 bp and no N, uint8 (n, 80), A C G T as 0 to 3."""
    whole = [insert for insert in inserts if len(insert) == LENGTH and not set(insert) - set("ACGT")]
    letters = np.frombuffer("".join(whole).encode(), dtype=np.uint8).reshape(-1, LENGTH)
    return np.searchsorted(np.frombuffer(BASES[:4].encode(), dtype=np.uint8), letters).astype(np.uint8)


class Teacher:
    """Predicts the mean of DeepAtt and, with a share, of a model of this package.

    Args:
        path: DeepAtt's weights, which predict expression.
        model: folder, Hub id or shipped name. Default: None, DeepAtt alone.
        share: of the model in the mean.
    """

    def __init__(self, path: Path, model: str | None = None, share: float = 0.0):
        self.network = deepatt.load(path)
        self.model = load_predictor(model_name(model)) if model else None
        self.share = share

    def __call__(self, inserts: list[str]) -> np.ndarray:
        labels = deepatt.predict(list(map(to_oligo, inserts)), self.network)
        return labels if self.model is None else (1 - self.share) * labels + self.share * self.model(inserts)


def label_measured(teacher: Teacher, data: Path) -> Labelled:
    """Label the rows of the train split with the mean of measurement and prediction."""
    oligos, measured = read_split(data, "train")
    inserts = list(map(to_insert, oligos))
    yield inserts, (measured + teacher(inserts)) / 2


def label_table(teacher: Teacher, path: Path) -> Labelled:
    """Label the sequences of a file in any format that `dream-bert predict` reads.

    Raises:
        ArgumentError: if a sequence cannot be read or scored.
    """
    try:
        inserts = [check_insert(record.sequence, record.id, record.where) for record in read_records(path)]
    except (ReadError, SequenceError) as error:
        raise ArgumentError(str(error)) from error
    yield inserts, teacher(inserts)


def label_evolved(teacher: Teacher, native: np.ndarray, n: int, draw: np.random.Generator) -> Labelled:
    """Label promoters evolved from random and native ones to low and to high expression."""
    half = n // (GENERATIONS * CHILDREN) // 2
    starts = np.concatenate([random_bases(half, LENGTH, draw), draw.choice(native, half)])
    draw.shuffle(starts)
    for children, reached in evolve(starts, lambda rows: teacher(_texts(rows)), GENERATIONS, CHILDREN, draw):
        yield _texts(children), reached


def label_invented(teacher: Teacher, native: np.ndarray, n: int, draw: np.random.Generator) -> Labelled:
    """Label promoters of all kinds that `invent` generates."""
    matrices = read_jaspar()
    for begin in range(0, n, CHUNK):
        inserts = write_out(invent(native, matrices, min(CHUNK, n - begin), draw), draw)
        yield inserts, teacher(inserts)


def mine(labelled: Labelled, pupil: str, share: float) -> Labelled:
    """Keep of each part the share of rows on which a model differs most from the labels."""
    model = load_model(model_name(pupil))
    for inserts, expression in labelled:
        difference = np.abs(predict(inserts, model) - expression)
        kept = np.sort(np.argsort(-difference, kind="stable")[: round(share * len(inserts))])
        yield [inserts[row] for row in kept], expression[kept]


def _texts(bases: np.ndarray) -> list[str]:
    text = spell(bases)
    return [text[begin : begin + bases.shape[1]] for begin in range(0, len(text), bases.shape[1])]


def main(args: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help="measured, evolved, invented, or a file of sequences")
    parser.add_argument("teacher", type=Path, metavar="FILE", help="of fine_tune_deepatt.py")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="prepared measurements")
    parser.add_argument("-n", type=int, default=100_000, help="promoters to evolve or invent, about [%(default)s]")
    parser.add_argument("--model", metavar="DIR", help="mix this model's predictions into the labels")
    parser.add_argument("--share", type=float, default=0.25, help="of that model in the labels [%(default)s]")
    parser.add_argument("--pupil", metavar="DIR", help="keep the quarter on which this model differs most")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="TSV.GZ")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    args = parser.parse_args(args)
    teacher, draw = Teacher(args.teacher, args.model, args.share), np.random.default_rng(args.seed)
    if args.what == "measured":
        labelled = label_measured(teacher, args.data)
    elif args.what in MADE:
        native = as_bases([to_insert(oligo) for oligo in read_split(args.data, "train")[0]])
        labelled = MADE[args.what](teacher, native, args.n, draw)
    else:
        labelled = label_table(teacher, Path(args.what))
    if args.pupil:
        labelled = mine(labelled, args.pupil, MINED)
    with open_output(args.output) as raw, text_stream(raw, args.output) as file:
        print("sequence", "expression", sep="\t", file=file)
        for inserts, expression in labelled:
            for insert, value in zip(inserts, expression.tolist(), strict=True):
                print(to_oligo(insert), f"{value:.4f}", sep="\t", file=file)


MADE = {"evolved": label_evolved, "invented": label_invented}

if __name__ == "__main__":
    run_script(main)
