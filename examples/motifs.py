"""Plant binding sites of yeast's transcription factors into promoters.

The factors' matrices are JASPAR's (CC BY 4.0; Rauluseviciute et al. 2024, https://doi.org/10.1093/nar/gkad1059), which
the package pyjaspar contains: `pip install pyjaspar`.
"""

from typing import NamedTuple

import numpy as np

YEAST = "4932"
"""NCBI taxonomy id of Saccharomyces cerevisiae."""

RELEASE = "JASPAR2026"
PSEUDOCOUNT = 0.01
SHARPNESSES = (1.0, 2.0, 8.0)
"""Powers of a matrix's probabilities: 1 draws sites as frequent as in nature, 8 almost always the consensus."""

BROKEN = 0.15
"""Share of sites with one base replaced."""

MOST_SITES = 4


class Matrices(NamedTuple):
    """Probabilities of bases, float64 (factors, longest, 4), and lengths of the factors in bp, int (factors,)."""

    probabilities: np.ndarray
    lengths: np.ndarray


def read_jaspar() -> Matrices:
    """Read the latest matrix of every yeast factor in JASPAR's core collection."""
    from pyjaspar import jaspardb

    motifs = jaspardb(release=RELEASE).fetch_motifs(collection="CORE", tax_group=["fungi"], species=[YEAST])
    return stack([np.transpose([motif.counts[base] for base in "ACGT"]) for motif in motifs])


def stack(counts: list[np.ndarray]) -> Matrices:
    """Convert matrices of counts, (length, 4) each, to probabilities."""
    lengths = np.array([len(count) for count in counts])
    probabilities = np.full((len(counts), lengths.max(), 4), 0.25)
    for padded, count in zip(probabilities, counts, strict=True):
        share = count / count.sum(1, keepdims=True) + PSEUDOCOUNT
        padded[: len(count)] = share / share.sum(1, keepdims=True)
    return Matrices(probabilities, lengths)


def draw_sites(matrices: Matrices, n: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw sites of random factors, strands and sharpnesses, some of them broken.

    Returns:
        Bases, uint8 (n, longest), of which the first `length` are the site; and lengths, int (n,).
    """
    factor = draw.integers(len(matrices.lengths), size=n)
    lengths = matrices.lengths[factor]
    powers = matrices.probabilities[factor] ** draw.choice(SHARPNESSES, n)[:, None, None]
    ends = np.cumsum(powers, axis=2)
    sites = (draw.random((*ends.shape[:2], 1)) * ends[..., -1:] > ends).sum(2)
    rows, broken = np.arange(n), draw.random(n) < BROKEN
    at = draw.integers(lengths)
    sites[rows, at] = (sites[rows, at] + broken * draw.integers(1, 4, size=n)) % 4
    place = np.arange(sites.shape[1])
    reversed_sites = 3 - sites[rows[:, None], np.clip(lengths[:, None] - 1 - place, 0, None)]
    return np.where(draw.random((n, 1)) < 0.5, sites, reversed_sites).astype(np.uint8), lengths


def place(promoters: np.ndarray, rows: np.ndarray, begin: np.ndarray, sites: np.ndarray, lengths: np.ndarray) -> None:
    """Write one site into each of some rows, beginning at a given place; bases beyond the end are dropped."""
    column = np.arange(sites.shape[1])
    at = begin[:, None] + column
    kept = (column < lengths[:, None]) & (at < promoters.shape[1])
    promoters[np.broadcast_to(rows[:, None], at.shape)[kept], at[kept]] = sites[kept]


def plant(promoters: np.ndarray, matrices: Matrices, draw: np.random.Generator) -> np.ndarray:
    """Copy promoters, and plant one to four sites, one site up to four times, or one site tiled over the promoter.

    Args:
        promoters: bases, uint8 (n, length).
        matrices: the factors.
        draw: the random generator.
    """
    planted, n = promoters.copy(), len(promoters)
    length = promoters.shape[1]
    kind = draw.integers(3, size=n)
    count = draw.integers(1, MOST_SITES + 1, size=n)
    first = draw_sites(matrices, n, draw)
    for number in range(MOST_SITES):
        others = draw_sites(matrices, n, draw)
        same = kind == 1
        sites = np.where(same[:, None], first[0], others[0])
        lengths = np.where(same, first[1], others[1])
        rows = np.flatnonzero((number < count) & (kind < 2))
        begin = draw.integers(np.maximum(1, length - lengths + 1))
        place(planted, rows, begin[rows], sites[rows], lengths[rows])
    step = first[1] + draw.integers(0, 11, size=n)
    offset = draw.integers(step)
    for number in range(length // matrices.lengths.min() + 1):
        begin = offset + number * step
        rows = np.flatnonzero((kind == 2) & (begin + first[1] <= length))
        place(planted, rows, begin[rows], first[0][rows], first[1][rows])
    return planted


def plant_series(promoters: np.ndarray, matrices: Matrices, places: int, draw: np.random.Generator) -> np.ndarray:
    """Return each promoter, followed by copies with one site at several places, uint8 (n * (1 + places), length)."""
    sites, lengths = draw_sites(matrices, len(promoters), draw)
    series = promoters.repeat(1 + places, axis=0)
    for number in range(places):
        rows = np.arange(len(promoters)) * (1 + places) + 1 + number
        begin = draw.integers(np.maximum(1, promoters.shape[1] - lengths + 1))
        place(series, rows, begin, sites, lengths)
    return series
