"""Simulate the challenge's training data: random promoters and their expression, in its format and at its size.

The model of expression is additive, so that what a network has learned can be checked against it. A promoter's
expression is a baseline, plus an effect for each motif on either strand. The effect depends on the strand, and grows
or shrinks along the insert. Runs of A or T are among the motifs. The measurement is the mean bin of a few cells, each
sorted with an error. Many promoters have only one cell, so many labels are whole numbers.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..io.output import open_output, text_stream
from ..sequence.construct import OLIGO_END, OLIGO_START

BASES = "ACGT"
BASE_FREQUENCIES = (0.225, 0.192, 0.282, 0.301)
"""Frequencies of A, C, G and T in the challenge's inserts (counted in 5,000 of its training sequences)."""

INSERT_LENGTHS = {80: 0.82, 79: 0.125, 78: 0.025, 77: 0.008, 81: 0.006, 76: 0.006, 75: 0.004, 74: 0.003, 72: 0.003}
"""Lengths in bp and their fractions, about those of the challenge's training sequences."""

BASELINE = 10.9
"""Expression, in sorting-bin units, of a promoter without any motif."""

CELL_NOISE = 1.9
"""Standard deviation of one cell's bin around its promoter's expression."""

ONE_CELL = 0.45
"""Parameter of the geometric distribution of cells per promoter."""

BINS = 17
"""Number of the last sorting bin; the first is 0."""

CHUNK = 65_536
"""Promoters that are simulated at a time."""


class Motif(NamedTuple):
    """A 6-bp consensus in IUPAC codes, and the effect of a copy on each strand at the insert's start and end."""

    name: str
    consensus: str
    forward: tuple[float, float]
    reverse: tuple[float, float]


MOTIFS = (
    Motif("TATA box", "TATAWA", (0.4, 3.4), (0.2, 1.3)),
    Motif("Reb1", "TTACCC", (4.2, 1.7), (4.2, 1.7)),
    Motif("Abf1", "CGTRNN", (0.4, 0.2), (0.2, 0.4)),
    Motif("Rap1", "ACACCC", (5.0, 1.3), (3.4, 0.8)),
    Motif("Gcn4", "TGACTC", (1.3, 3.4), (1.3, 3.4)),
    Motif("Cbf1", "CACGTG", (1.5, 1.5), (1.5, 1.5)),
    Motif("Rsc3", "CGCGCG", (2.1, 0.8), (2.1, 0.8)),
    Motif("Mig1", "CCCCAC", (-2.9, -1.5), (-2.9, -1.5)),
    Motif("Ume6", "GCCGCC", (-3.8, -2.5), (-3.8, -2.5)),
    Motif("poly-dA:dT", "AAAAAA", (0.7, 0.2), (0.6, 0.1)),
    Motif("GC-rich", "SSSSSS", (-0.5, -0.7), (0.0, 0.0)),
)
"""Known yeast consensus sequences. The effects are invented; their signs are those of measurements."""

_IUPAC = {"A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "N": "ACGT"}
_COMPLEMENT = str.maketrans("ACGTRYSWN", "TGCAYRSWN")


def hexamer_effects() -> np.ndarray:
    """Return the effect of each 6-mer at the insert's start and end, float32 (4096, 2).

    6-mers are numbered in base 4, in the order of A C G T.
    """
    number = {"".join(kmer): i for i, kmer in enumerate(product(BASES, repeat=6))}
    effects = np.zeros((len(number), 2), dtype=np.float32)
    for motif in MOTIFS:
        reverse = motif.consensus.translate(_COMPLEMENT)[::-1]
        for consensus, effect in ((motif.consensus, motif.forward), (reverse, motif.reverse)):
            for kmer in product(*(_IUPAC[code] for code in consensus)):
                effects[number["".join(kmer)]] += effect
    return effects


def true_expression(bases: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return expression without noise, float32 (n,).

    Args:
        bases: uint8 (n, longest), 0 to 3 for A C G T; bases beyond a row's length are ignored.
        lengths: int (n,), bp.
    """
    codes = np.zeros((len(bases), bases.shape[1] - 5), dtype=np.uint16)
    for i in range(6):
        codes = codes * np.uint16(4) + bases[:, i : i + codes.shape[1]]
    place = np.linspace(0, 1, codes.shape[1], dtype=np.float32)
    effects = hexamer_effects()
    added = effects[codes, 0] * (1 - place) + effects[codes, 1] * place
    added[np.arange(codes.shape[1]) > lengths[:, None] - 6] = 0
    return BASELINE + added.sum(axis=1)


def simulate(rows: int, seed: int = 0) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Simulate promoters, some at a time. The first rows do not depend on how many follow.

    Args:
        rows: number of promoters.
        seed: of the random numbers. Default: 0.

    Yields:
        Oligos, n strings; their labels, mean bins from 0 to 17, float64 (n,); and their expression without noise,
        float32 (n,).

    >>> (oligos, labels, truth), = simulate(3)
    >>> len(oligos), labels.shape, truth.dtype
    (3, (3,), dtype('float32'))
    """
    letters = np.frombuffer(BASES.encode(), dtype=np.uint8)
    lengths_of = np.array(list(INSERT_LENGTHS))
    shares = np.array(list(INSERT_LENGTHS.values()))
    for chunk, first in enumerate(range(0, rows, CHUNK)):
        rng = np.random.default_rng((seed, chunk))
        bases = np.searchsorted(np.cumsum(BASE_FREQUENCIES)[:-1], rng.random((CHUNK, lengths_of.max())), side="right")
        bases = bases.astype(np.uint8)
        lengths = rng.choice(lengths_of, size=CHUNK, p=shares / shares.sum())
        truth = true_expression(bases, lengths)
        cells = rng.geometric(ONE_CELL, size=CHUNK)
        owner = np.repeat(np.arange(CHUNK), cells)
        bins = np.clip(np.rint(truth[owner] + rng.normal(0, CELL_NOISE, len(owner))), 0, BINS)
        labels = np.bincount(owner, weights=bins, minlength=CHUNK) / cells
        text = letters[bases].tobytes().decode("ascii")
        width, kept = bases.shape[1], min(CHUNK, rows - first)
        inserts = [text[i * width : i * width + length] for i, length in enumerate(lengths[:kept].tolist())]
        yield [OLIGO_START + insert + OLIGO_END for insert in inserts], labels[:kept], truth[:kept]


def simulate_file(rows: int, output: Path, seed: int = 0) -> None:
    """Write simulated promoters as `sequence TAB expression` lines, gzipped if the name ends in `.gz`.

    Raises:
        ValueError: if `rows` or `seed` is negative, or there are no rows.
        OSError: if the file cannot be written.
    """
    if rows < 1 or seed < 0:
        raise ValueError(f"rows are {rows} and the seed is {seed}; give at least 1 row, and a seed from 0")
    with open_output(output) as file, text_stream(file, output) as text:
        for oligos, labels, _ in simulate(rows, seed):
            text.writelines(f"{oligo}\t{label!r}\n" for oligo, label in zip(oligos, labels.tolist(), strict=True))
