"""Train convolutional teachers, and let them label promoters that nobody measured.

    python benchmarks/peers/teach.py --data prepared -n 1000000 -o taught.tsv.gz

Every teacher is the plain network of `networks.py` with a seed of its own; a label is the mean of theirs. They learn
from the train split of the prepared folder. The table has columns `sequence` and `expression`, as `dream-bert prepare`
reads it: the rows that the teachers learned from with the mean of what was measured and what they say, and n others,
which are made as `invent` tells. Teachers are kept in the folder `--teachers`, and trained where it has none.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import torch
from networks import PlainConvolutions
from safetensors.torch import load_file, save_file
from train import as_text, one_hot, train_network, train_split

from dream_bert.construct import to_oligo
from dream_bert.simulate import BASE_FREQUENCIES

CHUNK = 8192


def load_teachers(folder: Path, data: Path, seeds: range, examples: int) -> list[torch.nn.Module]:
    """Teachers that predict expression units; those that the folder lacks are trained on so many examples."""
    folder.mkdir(parents=True, exist_ok=True)
    promoters, expression = train_split(data)
    teachers = []
    for seed in seeds:
        path = folder / f"{seed}.safetensors"
        if not path.exists():
            torch.manual_seed(seed)
            labels = (expression - expression.mean()) / expression.std()
            network, _ = train_network(PlainConvolutions(), promoters, labels, seed, examples=examples)
            last = network.head[-1]
            with torch.no_grad():
                last.weight.mul_(expression.std())
                last.bias.mul_(expression.std()).add_(expression.mean())
            save_file(network.state_dict(), path)
        network = PlainConvolutions()
        network.load_state_dict(load_file(path))
        teachers.append(network.eval())
    return teachers


@torch.inference_mode()
def teach(teachers: list[torch.nn.Module], promoters: np.ndarray) -> np.ndarray:
    """Mean prediction of the teachers, float32 (n,)."""
    means = []
    for part in np.array_split(promoters, len(promoters) // 256 + 1):
        inputs = one_hot(part)
        with torch.autocast("cpu", torch.bfloat16):
            features = [teacher.features(inputs).float() for teacher in teachers]
        # Expression in bfloat16 would be in steps of 0.06.
        said = [teacher.head(feature)[:, 0] for teacher, feature in zip(teachers, features, strict=True)]
        means.append(torch.stack(said).mean(0))
    return torch.cat(means).numpy()


def invent(measured: np.ndarray, n: int, draw: np.random.Generator) -> np.ndarray:
    """Promoters, bases 0 to 3, uint8 (n, length): a third random, of the challenge's composition; a third a measured
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
    own = np.where(kind == 0, random, np.where(kind == 1, spliced, mutated)).astype(np.uint8)
    mutants = own[draw.permutation(n_own)[: n - n_own]].copy()
    at = draw.integers(length, size=len(mutants))
    rows = np.arange(len(mutants))
    mutants[rows, at] = (mutants[rows, at] + draw.integers(1, 4, size=len(mutants))) % 4
    return np.concatenate([own, mutants])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="that `dream-bert prepare` wrote")
    parser.add_argument("-n", type=int, default=1_000_000, help="promoters to invent [%(default)s]")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="TSV.GZ")
    parser.add_argument("--teachers", type=Path, default=Path("teachers"), metavar="FOLDER", help="[%(default)s]")
    parser.add_argument("--count", type=int, default=4, help="of teachers [%(default)s]")
    parser.add_argument("--examples", type=int, default=640_000, help="a teacher learns from [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    args = parser.parse_args()
    teachers = load_teachers(args.teachers, args.data, range(args.seed, args.seed + args.count), args.examples)
    measured, expression = train_split(args.data)
    draw = np.random.default_rng(args.seed)
    with gzip.open(args.output, "wt", compresslevel=3) as file:
        file.write("sequence\texpression\n")
        _write(file, measured, (expression + teach(teachers, measured)) / 2)
        for begin in range(0, args.n, CHUNK):
            promoters = invent(measured, min(CHUNK, args.n - begin), draw)
            _write(file, promoters, teach(teachers, promoters))


def _write(file, promoters: np.ndarray, expression: np.ndarray) -> None:
    for insert, value in zip(as_text(promoters), expression.tolist(), strict=True):
        file.write(f"{to_oligo(insert)}\t{value:.4f}\n")


if __name__ == "__main__":
    main()
